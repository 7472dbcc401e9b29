import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Runner } from './runner.ts';

/** What git makes of an empty folder: a few folders and two small files. */
interface Layout {
  folders: string[];
  files: Map<string, Buffer>;
}

/** Makes empty bare repositories. Git makes the first of each hash; the others are written as that one was, without a process. */
export class BareRepositories {
  readonly #runner: Runner;
  readonly #layouts = new Map<string, Layout>();

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  /** Makes a folder for a commit. Rejects with GitError, an error of the disk, or the reason of the signal. */
  async make(directory: string, commit: string, signal: AbortSignal): Promise<void> {
    const format = commit.length === 64 ? 'sha256' : 'sha1';
    await mkdir(directory);
    const layout = this.#layouts.get(format);
    if (layout) return write(directory, layout);
    await this.#runner.local(directory, ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`], signal);
    this.#layouts.set(format, await read(directory));
  }
}

async function read(directory: string): Promise<Layout> {
  const layout: Layout = { folders: [], files: new Map() };
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) layout.folders.push(relative(directory, path));
    else layout.files.set(relative(directory, path), await readFile(path));
  }
  return layout;
}

async function write(directory: string, { folders, files }: Layout): Promise<void> {
  const deepest = folders.filter((folder) => !folders.some((other) => other.startsWith(`${folder}${sep}`)));
  await Promise.all([
    ...deepest.map((folder) => mkdir(join(directory, folder), { recursive: true })),
    ...[...files].map(([path, content]) => writeFile(join(directory, path), content)),
  ]);
}
