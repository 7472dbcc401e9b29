import type { Cause } from '#api/failure.ts';
import { Failure } from '#api/failure.ts';
import { oneLine } from '#core/errors.ts';
import { limits } from './limits.ts';
import type { FileEntry, FileTree } from './types.ts';

const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** What stands in one tree, by path and by folder. */
export interface Index {
  entry(path: string): FileEntry | undefined;
  /** Everything in a folder and in its subfolders, in the order of the paths. */
  below(folder: string): readonly FileEntry[];
  isFolder(path: string): boolean;
  /** Names of kustomization files in a folder. */
  kustomizations(folder: string): string[];
  /** Whether a folder, or one below it, has a kustomization file. */
  kustomizes(folder: string): boolean;
  folders(): Iterable<string>;
  /** The symbolic link or submodule that `path` is, or goes through. */
  obstacle(path: string): FileEntry | undefined;
}

/** A tree is never changed: its index is made once, for all components that share it. */
const INDEXES = new WeakMap<FileTree, Index>();

export function indexTree(tree: FileTree): Index {
  const index = INDEXES.get(tree) ?? makeIndex(tree);
  INDEXES.set(tree, index);
  return index;
}

function makeIndex(tree: FileTree): Index {
  const entries = new Map(tree.entries.map((entry) => [entry.path, entry]));
  const sorted = tree.entries.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const folders = new Set(['']);
  const kustomized = new Set<string>();
  for (const { path } of tree.entries) {
    addParents(folders, path);
    if (KUSTOMIZATION_NAMES.includes(path.slice(path.lastIndexOf('/') + 1))) addParents(kustomized, path);
  }
  return {
    entry: (path) => entries.get(path),
    below: (folder) => (folder === '' ? sorted : range(sorted, `${folder}/`)),
    isFolder: (path) => folders.has(path),
    folders: () => folders,
    kustomizes: (folder) => kustomized.has(folder),
    kustomizations: (folder) => KUSTOMIZATION_NAMES.map((name) => join(folder, name)).filter((path) => entries.has(path)),
    obstacle(path) {
      for (let at = path; at !== ''; at = parentOf(at)) {
        const entry = entries.get(at);
        if (entry && entry.kind !== 'file') return entry;
      }
      return undefined;
    },
  };
}

function addParents(folders: Set<string>, path: string): void {
  let folder = path;
  do folders.add((folder = parentOf(folder)));
  while (folder !== '');
}

/** Of entries in the order of their paths those that begin so: they stand together. */
function range(sorted: readonly FileEntry[], prefix: string): readonly FileEntry[] {
  let first = 0;
  for (let end = sorted.length; first < end; ) {
    const middle = (first + end) >>> 1;
    if (sorted[middle]!.path < prefix) first = middle + 1;
    else end = middle;
  }
  let last = first;
  while (last < sorted.length && sorted[last]!.path.startsWith(prefix)) last++;
  return sorted.slice(first, last);
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** A path from the root of the repository, without `.`, `..` and doubled slashes; undefined where it leaves the root. */
export function resolvePath(folder: string, path: string): string | undefined {
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

/** Throws a Failure where `path` is no folder that can be built. */
export function requireFolder(index: Index, path: string): void {
  const obstacle = index.obstacle(path);
  if (obstacle) throw refuseObstacle(obstacle);
  if (index.isFolder(path)) return;
  const shown = oneLine(path, 300);
  if (index.entry(path)) {
    throw new Failure('InvalidPath', `the path ${shown} is a file`, {
      kind: 'stalled',
      remedy: `name its folder: ${parentOf(path) || '.'}`,
    });
  }
  const near = closest(index, path);
  throw new Failure('PathNotFound', `the path ${shown} is not in the repository`, {
    kind: 'stalled',
    remedy:
      near.length > 0 ? `did you mean ${near.join(' or ')}? Correct the path, or push the folder` : 'correct the path, or push the folder',
  });
}

function refuseObstacle({ kind, path }: FileEntry): Failure {
  const shown = oneLine(path, 300);
  if (kind === 'submodule') {
    return new Failure('InvalidPath', `${shown} is a Git submodule, and submodules are not read`, {
      kind: 'stalled',
      remedy: 'keep the manifests in the repository itself',
    });
  }
  return new Failure('SymlinkRefused', `${shown} is a symbolic link, and links are not followed`, {
    kind: 'stalled',
    remedy: 'name the folder that it points to',
  });
}

/** A file that is a link cannot be read from a Git tree, and following it could lead out of the repository. */
export function symlinkCause(path: string, file?: string, line?: number): Cause {
  return {
    path: '',
    code: 'SymlinkRefused',
    message: `${oneLine(path, 300)} is a symbolic link, and links are not followed`,
    remedy: 'put the file itself there',
    file: file ?? path,
    ...(line === undefined ? {} : { line }),
  };
}

const SUGGESTIONS = 3;

/** Folders whose last part is like the one asked for; else those beside it. */
function closest(index: Index, path: string): string[] {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const folders = [...index.folders()].filter((folder) => folder !== '' && !folder.split('/').some((part) => part.startsWith('.')));
  const ranked = folders
    .map((folder) => ({ folder, distance: distance(folder.slice(folder.lastIndexOf('/') + 1).slice(0, 64), name.slice(0, 64)) }))
    .filter((one) => one.distance <= Math.max(2, name.length / 3))
    .sort((a, b) => a.distance - b.distance || (a.folder < b.folder ? -1 : 1));
  const found = ranked.length > 0 ? ranked.map(({ folder }) => folder) : folders.filter((folder) => !folder.includes('/')).sort();
  return found.slice(0, SUGGESTIONS).map((folder) => oneLine(folder, 100));
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Throws Failure TooLarge before anything is read. */
export function checkSizes(files: readonly FileEntry[], where: string): void {
  const large = files.find(({ size }) => size > limits.fileBytes);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const problem = large
    ? `${oneLine(large.path, 300)} has ${large.size} bytes, the limit is ${limits.fileBytes}`
    : total > limits.totalBytes
      ? `the files of ${where || 'the repository'} have ${total} bytes together, the limit is ${limits.totalBytes}`
      : files.length > limits.files
        ? `${where || 'the repository'} needs ${files.length} files, the limit is ${limits.files}`
        : undefined;
  if (problem)
    throw new Failure('TooLarge', problem, {
      kind: 'stalled',
      remedy: 'split it over several components, or move large files out of the path',
    });
}
