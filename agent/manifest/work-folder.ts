import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAME = /^lateen-build-(\d+)-/;
let swept = false;

/** A private folder (0700) for one build. The first call also removes what processes that were killed have left. */
export async function makeWorkFolder(): Promise<string> {
  const root = tmpdir();
  if (!swept) {
    swept = true;
    await removeLeftOvers(root);
  }
  return mkdtemp(join(root, `lateen-build-${process.pid}-`));
}

export async function removeWorkFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Such a folder may hold Secrets. One that cannot be removed belongs to another user. */
async function removeLeftOvers(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const pid = Number(NAME.exec(name)?.[1] ?? 0);
    const folder = join(root, name);
    if (pid === 0 || (pid === process.pid ? await isOfThisRun(folder) : isAlive(pid))) continue;
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** In a container a process mostly has the id that the one before it had. */
async function isOfThisRun(folder: string): Promise<boolean> {
  const made = await stat(folder).catch(() => undefined);
  return made === undefined || made.ctimeMs >= Date.now() - process.uptime() * 1000;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
