import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^git-(\d+)-[0-9a-f]{8}$/;
/** Folders of this process, so that none is taken for the left-over of a dead one with the same process id. */
const ours = new Set<string>();

/**
 * Folder of one Git client inside the cache folder: `home` (empty), `ca` and `repositories`. It belongs to this process
 * alone and may be deleted at any time; what is asked for is made again.
 */
export class WorkFolder {
  readonly #cacheDir: string;
  readonly #name = `git-${process.pid}-${randomBytes(4).toString('hex')}`;
  #root: Promise<string> | undefined;

  constructor(cacheDir: string) {
    this.#cacheDir = cacheDir;
    ours.add(this.#name);
  }

  /** Path of an existing folder inside this one. */
  async folder(name: 'home' | 'ca' | 'repositories'): Promise<string> {
    this.#root ??= this.#open().catch((error: unknown) => {
      this.#root = undefined;
      throw error;
    });
    const path = join(await this.#root, name);
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }

  /** Path of this folder without symbolic links. */
  async #open(): Promise<string> {
    await mkdir(this.#cacheDir, { recursive: true });
    const [cacheDir] = await Promise.all([realpath(this.#cacheDir), removeLeftOvers(this.#cacheDir)]);
    return join(cacheDir, this.#name);
  }

  /** Path of a file with these certificates. */
  async certificateFile(pem: string): Promise<string> {
    const file = join(await this.folder('ca'), `${createHash('sha256').update(pem).digest('hex').slice(0, 32)}.pem`);
    if (await stat(file).catch(() => undefined)) return file;
    // Written aside and moved, so that no git reads half a file.
    const aside = `${file}.${randomBytes(4).toString('hex')}`;
    await writeFile(aside, `${pem}\n`, { mode: 0o600 });
    await rename(aside, file);
    return file;
  }

  async remove(): Promise<void> {
    await rm(join(this.#cacheDir, this.#name), { recursive: true, force: true, maxRetries: 3 });
    ours.delete(this.#name);
  }
}

/** What agents that were killed have left. */
async function removeLeftOvers(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const pid = Number(NAME.exec(name)?.[1] ?? 0);
    if (pid === 0 || ours.has(name) || (pid !== process.pid && isAlive(pid))) continue;
    await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
