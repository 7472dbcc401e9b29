import { expect, it } from 'vitest';
import { KeptBlobs } from '#agent/git/kept-blobs.ts';

const MIB = 1024 * 1024;

it('keeps two MiB, the newest, each once', () => {
  const kept = new KeptBlobs();
  for (const oid of ['a', 'b', 'b', 'a']) kept.keep(new Map([[oid, Buffer.alloc(MIB)]]));
  expect([kept.get('a')?.length, kept.get('b')?.length]).toEqual([MIB, MIB]);
  kept.keep(new Map([['c', Buffer.alloc(1)]]));
  expect(['a', 'b', 'c'].map((oid) => kept.get(oid) !== undefined)).toEqual([true, false, true]);
  kept.keep(new Map([['large', Buffer.alloc(3 * MIB)]]));
  expect(['a', 'c', 'large'].map((oid) => kept.get(oid))).toEqual([undefined, undefined, undefined]);
});

it('keeps of a commit no more than each file that was not changed since', () => {
  const kept = new KeptBlobs();
  for (let commit = 0; commit < 100; commit++) {
    const all = Buffer.alloc(200 * 1024, commit % 10);
    kept.keep(
      new Map([
        ['same', all.subarray(0, -10)],
        [`changed ${commit}`, all.subarray(-10)],
      ]),
    );
  }
  const memory = new Set(['same', ...Array.from({ length: 100 }, (_, commit) => `changed ${commit}`)].map((oid) => kept.get(oid)?.buffer));
  expect(memory.size).toBe(101);
  expect([...memory].reduce((bytes, buffer) => bytes + (buffer?.byteLength ?? 0), 0)).toBe(200 * 1024 - 10 + 100 * 10);
  expect(kept.get('changed 57')).toEqual(Buffer.alloc(10, 7));
});

it('keeps no more than some thousand, however small', () => {
  const kept = new KeptBlobs();
  for (let oid = 0; oid <= 4_096; oid++) kept.keep(new Map([[String(oid), Buffer.from('x')]]));
  expect([kept.get('0'), kept.get('1')?.length]).toEqual([undefined, 1]);
});
