import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, realpath, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '#agent/version.ts';
import { messageOf } from '#core/errors.ts';
import { bundlePrograms } from './bundle-program.ts';
import { PROGRAM_STARTS, type ProgramStart } from './program-start.ts';
import { findPrograms } from './programs.ts';
import { PROGRAMS } from './versions.ts';

/**
 * `make rootfs`: the files that Lateen adds to the image, in a folder; `dev/rootfs.ts FOLDER` writes elsewhere. The Dockerfile
 * runs this too and copies the folder onto its base, so that the files which tests run are those of the image.
 */

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** The list of all other files, in the image as well. */
export const FILE_LIST = 'usr/local/share/lateen/files.json';
const EXECUTABLE = 0o755;
const READABLE = 0o644;

export interface RootfsFile {
  /** Absolute, in the image. */
  path: string;
  /** Octal, such as `755`. */
  mode: string;
  bytes: number;
  sha256: string;
}

/** Empties the folder and fills it. Resolves to what is in it. */
export async function makeRootfs(folder: string): Promise<RootfsFile[]> {
  await rm(folder, { recursive: true, force: true });
  const [bin, lib] = [join(folder, 'usr/local/bin'), join(folder, 'usr/local/lib/lateen')];
  await Promise.all([bin, lib, join(folder, FILE_LIST, '..')].map((path) => mkdir(path, { recursive: true })));
  await copyFile(await realpath(process.execPath), join(bin, 'node'));
  await copyFile(await pinnedKustomize(), join(bin, 'kustomize'));
  await bundlePrograms(lib);
  for (const name of await readdir(lib)) if (name.endsWith('.map')) await rm(join(lib, name));
  for (const [name, start] of Object.entries(PROGRAM_STARTS)) await writeFile(join(bin, name), launcher(name, start));
  await copyFile(join(ROOT, 'LICENSE'), join(folder, FILE_LIST, '..', 'LICENSE'));
  await setModes(folder);
  const files = await filesIn(folder);
  const list = { lateen: VERSION, node: process.version, kustomize: PROGRAMS.kustomize.version, files };
  await writeFile(join(folder, FILE_LIST), `${JSON.stringify(list, undefined, 2)}\n`);
  await setModes(folder);
  await sameTimes(folder);
  return files;
}

/** The version that this checkout is tested with, not any that would do. */
async function pinnedKustomize(): Promise<string> {
  const [found] = await findPrograms(['kustomize']);
  const { version } = PROGRAMS.kustomize;
  if (found!.version !== version)
    throw new Error(
      `${found!.path} is kustomize ${found!.version}, and the image has ${version}; take it out of PATH, and the right one is fetched`,
    );
  return found!.path;
}

/** Beside its Node, wherever the tree stands. */
function launcher(name: string, { options, environment }: ProgramStart): string {
  const exports = Object.entries(environment).map(([key, value]) => `export ${key}=${value}\n`);
  const words = ['exec "$bin/node"', ...options, `"$bin/../lib/lateen/${name}.mjs" "$@"`];
  return `#!/bin/sh
self=$(readlink -f "$0")
bin=\${self%/*}
${exports.join('')}${words.join(' ')}
`;
}

/** Whatever the umask of who builds it: the image runs as nobody in particular. */
async function setModes(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const runs = entry.isDirectory() || entry.parentPath.endsWith('/bin');
    await chmod(join(entry.parentPath, entry.name), runs ? EXECUTABLE : READABLE);
  }
}

async function filesIn(folder: string): Promise<RootfsFile[]> {
  const files: RootfsFile[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const [{ mode, size }, content] = [await stat(path), await readFile(path)];
    const sha256 = createHash('sha256').update(content).digest('hex');
    files.push({ path: `/${relative(folder, path)}`, mode: (mode & 0o777).toString(8), bytes: size, sha256 });
  }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** So that the layer of the image is the same each time. */
async function sameTimes(folder: string): Promise<void> {
  for (const name of [...(await readdir(folder, { recursive: true })), '.']) await utimes(join(folder, name), 0, 0);
}

if (process.argv[1] === import.meta.filename) {
  const folder = resolve(process.argv[2] ?? join(ROOT, 'dist/rootfs'));
  try {
    const files = await makeRootfs(folder);
    const mb = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1024 / 1024;
    console.log(`${relative(process.cwd(), folder)}: ${files.length} files, ${Math.round(mb)} MB; the list is in ${FILE_LIST}`);
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
