import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '#api/failure.ts';
import { oneLine } from '#core/errors.ts';
import { limits } from './limits.ts';
import type { FileEntry, FileTree } from './types.ts';

/** Never manifests, and often large. */
const LEFT_OUT = new Set(['.git', 'node_modules']);

/**
 * The files below a folder on disk, for `lateen build`. The folder is the root that no path may leave: take that of the
 * repository. Links are listed and never followed; sockets and devices are left out, as Git leaves them out.
 */
export async function readDiskTree(root: string): Promise<FileTree> {
  const entries: FileEntry[] = [];
  await list(root, '', entries);
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const files = new Set(entries.filter(({ kind }) => kind === 'file').map(({ path }) => path));
  return {
    entries,
    async read(paths) {
      const contents = new Map<string, Buffer>();
      for (const path of paths) {
        if (!files.has(path))
          throw new Failure('PathNotFound', `${oneLine(path, 300)} is not a file of the folder`, {
            kind: 'stalled',
            remedy: 'correct the path',
          });
        contents.set(path, await readFile(join(root, path)));
      }
      return contents;
    },
  };
}

async function list(root: string, folder: string, entries: FileEntry[]): Promise<void> {
  for (const found of await readdir(join(root, folder), { withFileTypes: true })) {
    if (LEFT_OUT.has(found.name)) continue;
    const path = folder === '' ? found.name : `${folder}/${found.name}`;
    if (found.isDirectory()) {
      await list(root, path, entries);
      continue;
    }
    const kind = kindOf(found);
    if (!kind) continue;
    const { size, mode } = await lstat(join(root, path));
    entries.push({ path, kind, executable: (mode & 0o100) !== 0, size });
    if (entries.length > limits.diskEntries) {
      throw new Failure('TooLarge', `${root} has more than ${limits.diskEntries} files`, {
        kind: 'stalled',
        remedy: 'name a smaller folder, or run it inside the repository',
      });
    }
  }
}

function kindOf(found: Dirent): FileEntry['kind'] | undefined {
  if (found.isSymbolicLink()) return 'symlink';
  return found.isFile() ? 'file' : undefined;
}
