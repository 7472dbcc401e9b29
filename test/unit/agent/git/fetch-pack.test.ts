import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packRequest, parsePackAnswer } from '#agent/git/fetch-pack.ts';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];
const PACK = Buffer.from('PACK\0\0\0\u0002 and the rest');

/** A pkt-line (gitprotocol-common). */
const line = (text: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from((Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')), Buffer.from(text)]);
const band = (number: number, bytes: string | Buffer): Buffer => line(Buffer.concat([Buffer.from([number]), Buffer.from(bytes)]));
const answer = (...parts: (string | Buffer)[]): Buffer =>
  Buffer.concat([...parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)), Buffer.from('0000')]);

it('asks as gitprotocol-v2 has it', () => {
  const want = `0032want ${A}\n`;
  const options = `000ethin-pack\n0010no-progress\n000eofs-delta\n000ddeepen 1\n${want}`;
  expect(packRequest({ commit: A, held: [], shallow: [] })).toBe(`0012command=fetch\n0001${options}0009done\n0000`);
  expect(packRequest({ commit: A, held: [B], shallow: [C] })).toBe(
    `0012command=fetch\n0001${options}0035shallow ${C}\n0032have ${B}\n0009done\n0000`,
  );
});

describe('an answer', () => {
  it('is a pack in pieces, with what a person may read between them', () => {
    const pieces = [band(1, PACK.subarray(0, 7)), band(2, 'counting\n'), band(1, PACK.subarray(7))];
    expect(parsePackAnswer(answer(line('packfile\n'), ...pieces))).toEqual({ shallow: [], pack: PACK });
  });

  it('says whose parents are not in it', () => {
    const info = [line('shallow-info\n'), line(`shallow ${A}\n`), line(`shallow ${B}`), '0001'];
    expect(parsePackAnswer(answer(...info, line('packfile\n'), band(1, PACK)))).toEqual({ shallow: [A, B], pack: PACK });
    expect(parsePackAnswer(answer(line('shallow-info\n'), '0001', line('packfile\n'), band(1, PACK)))?.shallow).toEqual([]);
  });

  it.each([
    ['nothing', Buffer.from('')],
    ['an error', answer(line('ERR upload-pack: not our ref'))],
    ['no pack', answer(line('packfile\n'))],
    ['something else than a pack', answer(line('packfile\n'), band(1, 'KCAP'))],
    ['an error in the middle of the pack', answer(line('packfile\n'), band(1, PACK), band(3, 'out of memory'))],
    ['a delimiter in the pack', answer(line('packfile\n'), band(1, PACK), '0001')],
    ['a history that became longer', answer(line('shallow-info\n'), line(`unshallow ${A}\n`), '0001', line('packfile\n'), band(1, PACK))],
    ['a section that nobody asked for', answer(line('acknowledgments\n'), line('NAK\n'), '0001', line('packfile\n'), band(1, PACK))],
    ['something behind its end', Buffer.concat([answer(line('packfile\n'), band(1, PACK)), Buffer.from('x')])],
    ['a page', Buffer.from('<html><body>Sign in</body></html>')],
  ])('with %s is none', (_what, body) => {
    expect(parsePackAnswer(body)).toBeUndefined();
  });

  it('that is damaged or cut at any place never throws', () => {
    const body = answer(line('shallow-info\n'), line(`shallow ${A}\n`), '0001', line('packfile\n'), band(1, PACK));
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const damaged = Buffer.from(body);
        damaged[at] = byte;
        parsePackAnswer(damaged);
        expect(parsePackAnswer(body.subarray(0, at))).toBeUndefined();
      }),
    );
  });
});
