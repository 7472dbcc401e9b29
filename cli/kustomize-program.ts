import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import type { Io } from './io.ts';

/**
 * The kustomize program: as given, else LATEEN_KUSTOMIZE, else from PATH, else the newest that `make` has put into the
 * cache. The bare name where there is none: a folder without a kustomization needs none.
 */
export function kustomizeProgram({ env }: Pick<Io, 'env'>, given: string | undefined): string {
  const named = given ?? env['LATEEN_KUSTOMIZE'];
  if (named) return named.includes('/') ? resolve(named) : (onPath(env, named) ?? named);
  return onPath(env, 'kustomize') ?? cached(env) ?? 'kustomize';
}

function onPath(env: Io['env'], name: string): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => resolve(folder, name)).find(isProgram);
}

function cached(env: Io['env']): string | undefined {
  const folder = join(env['XDG_CACHE_HOME'] || join(env['HOME'] ?? homedir(), '.cache'), 'lateen', 'programs');
  const versions = entriesOf(folder).filter((name) => name.startsWith('kustomize-'));
  const newestFirst = versions.sort((left, right) => right.localeCompare(left, 'en', { numeric: true }));
  return newestFirst.map((name) => join(folder, name, 'kustomize')).find(isProgram);
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
