import { expect, it } from 'vitest';
import { MarkedFiles } from '#agent/sync/image-files.ts';
import type { Revision } from '#agent/sync/source.ts';

it('reads a file without markers once, and remembers none that are gone', async () => {
  const read: string[] = [];
  const commit = (files: Record<string, string>): Revision => {
    const entries = Object.entries(files).map(([path, oid]) => ({ path, oid, kind: 'file' as const, executable: false, size: 1 }));
    const tree = {
      entries,
      treeId: () => undefined,
      async read(paths: string[]) {
        read.push(...paths.map((path) => `${path} ${files[path]}`));
        return new Map(paths.map((path) => [path, Buffer.from('key: value\n')]));
      },
    };
    return { tree } as unknown as Revision;
  };
  const files = new MarkedFiles();
  const look = (contents: Record<string, string>) => files.read(commit(contents), [''], () => undefined);
  await look({ 'a.yaml': '1', 'b.yaml': '2' });
  await look({ 'a.yaml': '1', 'b.yaml': '2' });
  expect(read.splice(0)).toEqual(['a.yaml 1', 'b.yaml 2']);
  await look({ 'a.yaml': '3', 'b.yaml': '2' });
  expect(read.splice(0)).toEqual(['a.yaml 3']);
  await look({ 'a.yaml': '1', 'b.yaml': '2' });
  expect(read.splice(0)).toEqual(['a.yaml 1']);
});
