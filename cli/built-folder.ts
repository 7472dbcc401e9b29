import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { buildFolder } from '#agent/manifest/build.ts';
import { readDiskTree } from '#agent/manifest/disk-tree.ts';
import type { BuiltObject } from '#agent/manifest/types.ts';
import { type Cause, Failure } from '#api/failure.ts';
import { CommandError, exit } from './exit.ts';
import type { Io } from './io.ts';
import { kustomizeProgram } from './kustomize-program.ts';

const TIMEOUT_MS = 60_000;

/** What a folder of this machine builds to, before any check of its objects; its files as they are called from here. */
export interface BuiltFolder {
  objects: BuiltObject[];
  /** Why it could not be built. */
  causes: Cause[];
  here: (file: string) => string;
}

/** Builds a folder as the agent builds one of a commit. Throws where there is no such folder. */
export async function builtFolder(io: Io, argument: string, kustomize: string | undefined): Promise<BuiltFolder> {
  const folder = folderOf(io, argument);
  const root = repositoryOf(folder);
  const path = relative(root, folder).split(sep).join('/');
  const here = (file: string): string => relative(io.cwd, join(root, file)) || file;
  try {
    const options = { kustomize: kustomizeProgram(io, kustomize), timeoutMs: TIMEOUT_MS };
    const { objects } = await buildFolder(await readDiskTree(root), path, options);
    return { objects, causes: [], here };
  } catch (error) {
    if (error instanceof Failure && error.causes.length > 0) return { objects: [], causes: [...error.causes], here };
    throw error;
  }
}

/** Whether there is a folder of that name: else it is the name of something in the cluster. */
export function isFolder(io: Io, path: string): boolean {
  return statSync(resolve(io.cwd, path), { throwIfNoEntry: false })?.isDirectory() === true;
}

function folderOf(io: Io, path: string): string {
  const found = statSync(resolve(io.cwd, path), { throwIfNoEntry: false });
  if (!found) throw new CommandError(exit.no, `there is no folder ${path}`, 'name a folder with manifests or a kustomization');
  if (!found.isDirectory()) throw new CommandError(exit.no, `${path} is a file`, `name its folder: lateen build ${dirname(path)}`);
  return realpathSync(resolve(io.cwd, path));
}

/** The work tree that the folder belongs to, since a kustomization may load its neighbours; else the folder itself. */
function repositoryOf(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return folder;
  }
}
