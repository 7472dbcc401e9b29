import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { buildFolder } from '#agent/manifest/build.ts';
import { checkObjects } from '#agent/manifest/check.ts';
import { readDiskTree } from '#agent/manifest/disk-tree.ts';
import { type Cause, Failure } from '#api/failure.ts';
import { offlineScope } from './cluster-scoped-kinds.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import type { Io } from './io.ts';
import { kustomizeProgram } from './kustomize-program.ts';
import { printObjects } from './object-text.ts';
import { printCauses } from './problem.ts';

const TIMEOUT_MS = 60_000;

/** `lateen build PATH`: what the agent would apply from a folder, with its checks, without a cluster. */
export async function build(io: Io, options: Invocation): Promise<Exit> {
  const { argument, namespace = 'default', output = 'yaml' } = options;
  const folder = folderOf(io, argument);
  const root = repositoryOf(folder);
  const path = relative(root, folder).split(sep).join('/');
  const here = (file: string): string => relative(io.cwd, join(root, file)) || file;
  try {
    const kustomize = kustomizeProgram(io, options.kustomize);
    const built = await buildFolder(await readDiskTree(root), path, { kustomize, timeoutMs: TIMEOUT_MS });
    const { objects, causes } = await checkObjects(built.objects, { namespace, scope: offlineScope });
    if (causes.length > 0) return refuse(io, causes, here);
    if (objects.length === 0)
      throw new Failure('EmptyBuild', `${argument} holds no object`, {
        remedy: 'put manifests (.yaml, .yml) there, or name another folder',
      });
    const printed = objects.map(({ object, origin }) => ({ object, source: place(here(origin.file), origin.line) }));
    await printObjects(io, printed, output === 'json' ? 'json' : 'yaml');
    return exit.yes;
  } catch (error) {
    if (error instanceof Failure && error.causes.length > 0) return refuse(io, error.causes, here);
    throw error;
  }
}

function refuse(io: Io, causes: readonly Cause[], here: (file: string) => string): Exit {
  printCauses(
    io,
    causes.map((cause) => (cause.file ? { ...cause, file: here(cause.file) } : cause)),
  );
  return exit.no;
}

function place(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`;
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
