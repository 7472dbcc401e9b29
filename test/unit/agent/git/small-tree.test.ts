import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readSmallTree } from '#agent/git/small-tree.ts';

const ROOT = 'a'.repeat(40);

it('a folder that is damaged at any place is refused or read, and never goes on for ever', async () => {
  const whole = Buffer.concat(['f', 'g'].map((name) => Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.alloc(20, name)])));
  const read = (root: Buffer) => (objects: readonly { oid: string }[]) =>
    Promise.resolve(new Map(objects.map(({ oid }) => [oid, oid === ROOT ? root : Buffer.from('x')])));
  expect((await readSmallTree(ROOT, read(whole)))?.entries.map(({ path }) => path)).toEqual(['f', 'g']);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), fc.boolean(), async (at, byte, cut) => {
      const damaged = cut ? whole.subarray(0, at) : Buffer.from(whole);
      if (!cut) damaged[at] = byte;
      const tree = await readSmallTree(ROOT, read(damaged)).catch((error: Error) => error);
      expect(tree instanceof Error ? tree.message : (tree?.entries.length ?? 0)).toSatisfy(
        (found: unknown) => typeof found === 'number' || String(found).includes('damaged'),
      );
    }),
  );
});
