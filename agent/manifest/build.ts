import type { Cause } from '#api/failure.ts';
import { Failure } from '#api/failure.ts';
import { normalizePath } from '#api/path.ts';
import { readManifests, walkFolder } from './collect.ts';
import { startDeadline } from './deadline.ts';
import { indexTree, requireFolder } from './folders.ts';
import { buildUnit } from './kustomize.ts';
import type { ReadObjects } from './objects.ts';
import { causesOf, refusal } from './refusal.ts';
import type { Build, FileTree } from './types.ts';

export interface BuildOptions {
  /** The kustomize program: a path, or a name that PATH has. */
  kustomize: string;
  /** For the whole folder, all its units together. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * The objects of a folder: by kustomize where it has a kustomization file; else every manifest below it, and each
 * subfolder with a kustomization file as a unit. `path` is relative to the root of the tree; '' and '.' are the root.
 * Throws one Failure with all mistakes, each with file and line. An empty folder is an empty build.
 */
export async function buildFolder(tree: FileTree, path: string, options: BuildOptions): Promise<Build> {
  const deadline = startDeadline(options.timeoutMs, options.signal);
  try {
    return await build(tree, normalizePath(path), { kustomize: options.kustomize, signal: deadline.signal });
  } catch (error) {
    if (!deadline.passed() || error instanceof Failure) throw error;
    throw new Failure('TimedOut', `building ${path || 'the repository'} took longer than ${options.timeoutMs} ms`, {
      remedy: 'make the folder smaller, or raise timeout',
      cause: error,
    });
  } finally {
    deadline.release();
  }
}

async function build(tree: FileTree, path: string, options: { kustomize: string; signal: AbortSignal }): Promise<Build> {
  const index = indexTree(tree);
  requireFolder(index, path);
  if (index.kustomizations(path).length > 0) return { objects: await buildUnit({ tree, index }, path, options) };
  const { sources, causes } = walkFolder(index, path);
  const files = sources.flatMap((source) => ('file' in source ? [source.file] : []));
  const plain = await readManifests(tree, files, { path, signal: options.signal });
  const results: ReadObjects[] = [plain];
  for (const source of sources) {
    if (!('unit' in source)) continue;
    results.push(await collected(() => buildUnit({ tree, index }, source.unit, options)));
  }
  const all: Cause[] = [...causes, ...results.flatMap((result) => result.causes)];
  if (all.length > 0) throw refusal(all);
  return { objects: results.flatMap(({ objects }) => objects) };
}

/** A stalled failure becomes causes, so that the mistakes of the other units are told with it; another one ends the build. */
async function collected(run: () => Promise<ReadObjects['objects']>): Promise<ReadObjects> {
  try {
    return { objects: await run(), causes: [] };
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'stalled' || error.reason === 'KustomizeNotFound') throw error;
    return { objects: [], causes: [...causesOf(error)] };
  }
}
