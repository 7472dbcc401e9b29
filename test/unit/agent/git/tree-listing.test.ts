import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { parseTreeListing } from '#agent/git/tree.ts';

const FILES = 4_000;

function listingOf(commit: number): string {
  const lines = Array.from({ length: FILES }, (_, file) => {
    const oid = String(commit * FILES + file).padStart(40, '0');
    return `100644 blob ${oid}     123\tfolders/folder-${file}/deployment.yaml\0`;
  });
  // One text, as it comes from the disk.
  return Buffer.from(lines.join('')).toString();
}

it('lets go of a listing of which a path and an id are remembered', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapMegabytes = (): number => {
    collect();
    return process.memoryUsage().heapUsed / 1e6;
  };
  const remembered: string[] = [];
  const before = heapMegabytes();
  for (let commit = 0; commit < 50; commit++) {
    const { path, oid } = parseTreeListing(listingOf(commit), 'root').entries[commit]!;
    remembered.push(path, oid);
  }
  expect(heapMegabytes() - before).toBeLessThan(4);
  expect(remembered.slice(-2)).toEqual(['folders/folder-49/deployment.yaml', String(49 * FILES + 49).padStart(40, '0')]);
});
