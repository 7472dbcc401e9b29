import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PROGRAM = fileURLToPath(new URL('../../dev/bundle.ts', import.meta.url));

/** What `make bundle` makes, in a folder far from the checkout: what still needs a file or a package of it fails there. */
export interface Bundle {
  folder: string;
  remove(): Promise<void>;
}

export async function makeBundle(): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-bundle-'));
  await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, folder], { timeout: 60_000 });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
