import { expect, it } from 'vitest';
import { MAX_SIZE, patternSize } from '#api/pattern-size.ts';

it.each<[string, number]>([
  ['', 0],
  ['^v[0-9]+$', 5],
  ['a{3}', 3],
  ['a{2,7}', 7],
  ['a{0,5}b', 6],
  ['(ab){3}', 9],
  ['((a{10}){10}){10}', 1_110],
  ['[a-z]{128}', 128],
  [String.raw`\pL{10}\p{Greek}`, 550],
  [String.raw`[\pL\pN]{10}`, 500],
  [String.raw`\{3}`, 3],
  ['(', 1],
  [')', 1],
  ['[', 1],
  [']{3}', 3],
])('the size of %s is %d', (text, size) => {
  expect(patternSize(text)).toBe(size);
});

it('lets what people write pass, and nothing that takes seconds', () => {
  for (const text of ['^master-[a-f0-9]{7,40}-(?P<ts>[0-9]{8,14})$', String.raw`^v(\d{1,3})\.(\d{1,3})\.(\d{1,3})(-rc\.\d+)?$`]) {
    expect(patternSize(text)).toBeLessThan(200);
  }
  expect(patternSize('(x{1000})'.repeat(100))).toBeGreaterThan(MAX_SIZE);
});
