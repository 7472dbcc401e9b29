import { setImmediate } from 'node:timers/promises';
import type { Cause } from '#api/failure.ts';
import { checkSizes, type Index, parentOf, symlinkCause } from './folders.ts';
import { objectsOf, type ReadObjects } from './objects.ts';
import type { FileEntry, FileTree } from './types.ts';
import { readYaml } from './yaml.ts';

/** A YAML file, or a subfolder with a kustomization file of its own. */
export type Source = { file: FileEntry } | { unit: string };

export interface Walk {
  sources: Source[];
  causes: Cause[];
}

/**
 * What a folder without a kustomization file holds: every `.yaml` and `.yml` below it (exact lower case) and, as one
 * unit each, the subfolders that have a kustomization file. Folders whose name begins with a dot (.github, .circleci,
 * .git) are left out, submodules too. A manifest that is a symbolic link is a mistake: it would be missing in silence.
 */
export function walkFolder(index: Index, path: string): Walk {
  const walk: Walk = { sources: [], causes: [] };
  const prefix = path === '' ? '' : `${path}/`;
  const units = new Map<string, string | undefined>();
  const seen = new Set<string>();
  for (const entry of index.below(path)) {
    if (entry.kind === 'submodule') continue;
    if (
      entry.path
        .slice(prefix.length)
        .split('/')
        .some((part) => part.startsWith('.'))
    )
      continue;
    const unit = unitOf(parentOf(entry.path), path, { index, units });
    if (unit !== undefined) {
      if (!seen.has(unit)) walk.sources.push({ unit });
      seen.add(unit);
    } else if (/\.ya?ml$/.test(entry.path)) {
      if (entry.kind === 'symlink') walk.causes.push(symlinkCause(entry.path));
      else walk.sources.push({ file: entry });
    }
  }
  return walk;
}

/** The topmost folder between `folder` and `path` that has a kustomization file. */
function unitOf(folder: string, path: string, memory: { index: Index; units: Map<string, string | undefined> }): string | undefined {
  if (folder === path) return undefined;
  if (memory.units.has(folder)) return memory.units.get(folder);
  const above = unitOf(parentOf(folder), path, memory);
  const unit = above ?? (memory.index.kustomizations(folder).length > 0 ? folder : undefined);
  memory.units.set(folder, unit);
  return unit;
}

/** Reads plain manifests. Gives way to other work between the files, since parsing takes the whole thread. */
export async function readManifests(
  tree: FileTree,
  files: readonly FileEntry[],
  options: { path: string; signal: AbortSignal },
): Promise<ReadObjects> {
  checkSizes(files, options.path);
  const contents = await tree.read(files.map(({ path }) => path));
  const result: ReadObjects = { objects: [], causes: [] };
  let read = 0;
  for (const { path } of files) {
    const content = contents.get(path);
    if (!content) continue;
    readManifest(content, path, result);
    read += content.length;
    if (read < YIELD_BYTES) continue;
    read = 0;
    await setImmediate();
    options.signal.throwIfAborted();
  }
  return result;
}

/** About 30 ms of parsing. */
const YIELD_BYTES = 32 * 1024;

function readManifest(content: Buffer, path: string, result: ReadObjects): void {
  const { documents, causes } = readYaml(content, path);
  result.causes.push(...causes);
  for (const document of documents) {
    const read = objectsOf(document, path);
    result.objects.push(...read.objects);
    result.causes.push(...read.causes);
  }
}
