import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLineCutter, parseJson } from '#agent/cluster/json-lines.ts';

it('finds the same lines however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify({ text }))),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      (lines, sizes) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const cutter = createLineCutter();
        const found: string[] = [];
        for (let at = 0; at < bytes.length; ) {
          const size = sizes.next().value as number;
          found.push(...cutter.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(found).toEqual(lines);
      },
    ),
  );
});

it('refuses a line that is too long, not many short ones', () => {
  const cutter = createLineCutter(10);
  expect(cutter.push(Buffer.from('12345\n'.repeat(10)))).toHaveLength(10);
  expect(cutter.push(Buffer.from('12345'))).toEqual([]);
  expect(() => cutter.push(Buffer.from('678901'))).toThrow('over 10 bytes');
});

it('leaves out empty lines, and keeps text that is no JSON', () => {
  expect(createLineCutter().push(Buffer.from('\n\r\na\n'))).toEqual(['a']);
  expect([parseJson('{"a":1}'), parseJson('404 page not found')]).toEqual([{ a: 1 }, '404 page not found']);
});
