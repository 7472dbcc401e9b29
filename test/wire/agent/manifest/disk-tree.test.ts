import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readDiskTree } from '#agent/manifest/disk-tree.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it('lists files and links, follows none, and leaves out .git', async () => {
  await mkdir(join(folder, 'a/b'), { recursive: true });
  await mkdir(join(folder, '.git'));
  await writeFile(join(folder, '.git/config'), 'x');
  await writeFile(join(folder, 'a/b/x.yaml'), 'abc');
  await writeFile(join(folder, 'run.sh'), '', { mode: 0o755 });
  await symlink('/etc', join(folder, 'etc'));
  await symlink('b/x.yaml', join(folder, 'a/link.yaml'));
  const tree = await readDiskTree(folder);
  expect(tree.entries).toEqual([
    { path: 'a/b/x.yaml', kind: 'file', executable: false, size: 3 },
    { path: 'a/link.yaml', kind: 'symlink', executable: true, size: 8 },
    { path: 'etc', kind: 'symlink', executable: true, size: 4 },
    { path: 'run.sh', kind: 'file', executable: true, size: 0 },
  ]);
  expect(await tree.read(['a/b/x.yaml'])).toEqual(new Map([['a/b/x.yaml', Buffer.from('abc')]]));
});

it.each(['etc/passwd', 'etc', '../x', 'nope'])('does not read %s', async (path) => {
  await symlink('/etc', join(folder, 'etc'));
  const tree = await readDiskTree(folder);
  await expect(tree.read([path])).rejects.toMatchObject({ reason: 'PathNotFound' });
});
