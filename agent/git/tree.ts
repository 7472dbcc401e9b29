import { Failure } from '#api/failure.ts';
import { displayUrl } from '#api/source-url.ts';
import { oneLine } from '#core/errors.ts';
import type { ObjectRequest } from './object-reader.ts';
import type { GitLimits, Repository, Tree, TreeEntry } from './types.ts';

export interface TreeSource {
  repository: Repository;
  commit: string;
  limits: GitLimits;
  /** Contents by object id. */
  readBlobs(blobs: readonly ObjectRequest[]): Promise<Map<string, Buffer>>;
}

/** Arguments of the one listing that parseTreeListing takes. */
export function listingArguments(commit: string): string[] {
  return ['ls-tree', '-r', '-t', '-l', '-z', '--full-tree', '--end-of-options', commit];
}

export interface Listing {
  /** In the order of git. */
  entries: TreeEntry[];
  /** Ids of folders by their path; '' is the root. */
  trees: Map<string, string>;
}

/** Makes a Tree of a listing. Throws Failure TooLarge. */
export function treeOf({ entries, trees }: Listing, source: TreeSource): Tree {
  const { limits, commit, repository } = source;
  const where = `${displayUrl(repository.url)} at commit ${commit.slice(0, 7)}`;
  if (entries.length > limits.entries) {
    throw tooLarge(
      `${where} has ${entries.length} files, the limit is ${limits.entries}`,
      'keep the manifests in a repository of their own',
    );
  }
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));

  function find(path: string): TreeEntry {
    const entry = byPath.get(path);
    if (entry && entry.kind !== 'submodule') return entry;
    const what = entry ? 'is a submodule' : trees.has(path) ? 'is a folder' : 'is not there';
    throw new Failure('PathNotFound', `${oneLine(path, 300)} ${what} in ${where}`, {
      kind: 'stalled',
      remedy: 'correct the path, or push the file',
    });
  }

  return {
    entries,
    treeId: (path) => trees.get(path),
    async read(paths) {
      const wanted = paths.map(find);
      checkSizes(wanted, limits, where);
      const contents = await source.readBlobs(wanted);
      return new Map(wanted.map(({ path, oid }) => [path, contents.get(oid)!]));
    },
  };
}

function checkSizes(wanted: TreeEntry[], limits: GitLimits, where: string): void {
  const large = wanted.find(({ size }) => size > limits.fileBytes);
  if (large) {
    throw tooLarge(
      `${oneLine(large.path, 300)} in ${where} has ${large.size} bytes, the limit is ${limits.fileBytes}`,
      'make it smaller, or move it out of the path',
    );
  }
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  if (total > limits.readBytes) {
    throw tooLarge(
      `${wanted.length} files in ${where} have ${total} bytes together, the limit is ${limits.readBytes}`,
      'split them over several components',
    );
  }
}

function tooLarge(message: string, remedy: string): Failure {
  return new Failure('TooLarge', message, { kind: 'stalled', remedy });
}

/** `MODE SP TYPE SP OID SP+ SIZE TAB PATH NUL`, git-ls-tree(1). */
export function parseTreeListing(listing: string, rootId: string): Listing {
  const entries: TreeEntry[] = [];
  const trees = new Map([['', rootId]]);
  for (const line of listing.split('\0')) {
    const match = /^(\d{6}) (tree|blob|commit) ([0-9a-f]+) +(\d+|-)\t([\s\S]+)$/.exec(line);
    if (!match) continue;
    const [, mode = '', type, oid = '', size = '', path = ''] = match;
    if (type === 'tree') trees.set(alone(path), alone(oid));
    else {
      const about = { kind: kindOf(mode), executable: mode === '100755', size: size === '-' ? 0 : Number(size) };
      entries.push({ path: alone(path), oid: alone(oid), ...about });
    }
  }
  return { entries, trees };
}

/** A part of a text keeps the whole text: whoever remembers one file would keep the listing of its commit. */
function alone(part: string): string {
  return Buffer.from(part).toString();
}

/** Of the mode that Git has for it. */
export function kindOf(mode: string): TreeEntry['kind'] {
  if (mode === '120000') return 'symlink';
  return mode === '160000' ? 'submodule' : 'file';
}
