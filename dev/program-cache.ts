import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PROGRAMS, type ProgramName } from './versions.ts';

/** A folder of work that a killed run left behind is removed after this time: longer than any build. */
const STALE_WORK_MS = 24 * 60 * 60_000;

/** Programs outside the checkout, one folder per name and version, shared by all checkouts of a user. */
export interface ProgramCache {
  /** The path of a program that is there. */
  find(name: ProgramName): Promise<string | undefined>;
  /** Moves a finished file in, in one step, and resolves to its path. */
  put(name: ProgramName, file: string): Promise<string>;
  /** A folder on the same disk for `work`, removed after it. */
  withWorkFolder<T>(work: (folder: string) => Promise<T>): Promise<T>;
}

export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lateen', 'programs');
}

/** Whether there is a file that may be run. */
export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    async () => (await stat(path)).isFile(),
    () => false,
  );
}

async function removeStaleWork(workFolders: string): Promise<void> {
  for (const entry of await readdir(workFolders).catch(() => [])) {
    const path = join(workFolders, entry);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > STALE_WORK_MS) await rm(path, { recursive: true, force: true });
  }
}

export function createProgramCache(folder: string): ProgramCache {
  const pathOf = (name: ProgramName): string => join(folder, `${name}-${PROGRAMS[name].version}`, name);
  const workFolders = join(folder, '.work');
  return {
    async find(name) {
      const path = pathOf(name);
      return (await isExecutable(path)) ? path : undefined;
    },

    async put(name, file) {
      const path = pathOf(name);
      await mkdir(join(path, '..'), { recursive: true });
      await rename(file, path);
      return path;
    },

    async withWorkFolder(work) {
      await mkdir(workFolders, { recursive: true });
      await removeStaleWork(workFolders);
      const workFolder = await mkdtemp(join(workFolders, 'work-'));
      try {
        return await work(workFolder);
      } finally {
        await rm(workFolder, { recursive: true, force: true });
      }
    },
  };
}
