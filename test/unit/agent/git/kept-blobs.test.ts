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
