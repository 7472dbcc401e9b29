import { GitError } from './client.ts';
import type { ObjectRequest } from './object-reader.ts';
import { type Listing, kindOf } from './tree.ts';
import type { TreeEntry } from './types.ts';

/** Files, folders and submodules together: such a commit is read whole by the process that has read the commit. */
const MAX_ENTRIES = 64;
/** Of all its files: more than a few manifests have. */
const MAX_BYTES = 256 * 1024;
/** A folder of so many entries whose names are as long as names may be has less. */
const MAX_FOLDER_BYTES = MAX_ENTRIES * (255 + 64);

/** A commit with all its files. */
export interface SmallTree extends Listing {
  /** By object id. */
  contents: Map<string, Buffer>;
}

/** Contents of objects by id. Rejects where they have more bytes than was asked for. */
export type ReadObjects = (objects: readonly ObjectRequest[]) => Promise<Map<string, Buffer>>;

interface Raw {
  mode: string;
  name: string;
  oid: string;
}

/** Undefined where it is not small. Rejects with what `read` says, which may be that a file is large. */
export async function readSmallTree(rootId: string, read: ReadObjects): Promise<SmallTree | undefined> {
  const folders = await foldersFrom(rootId, read);
  if (!folders) return undefined;
  const trees = new Map([['', rootId]]);
  const found: TreeEntry[] = [];
  for (const entry of filesOf(folders, trees, rootId)) {
    // A folder that stands in many places is counted once for each.
    if (found.push(entry) + trees.size > MAX_ENTRIES) return undefined;
  }
  const files = found.filter(({ kind }) => kind !== 'submodule');
  const share = Math.floor(MAX_BYTES / Math.max(1, files.length));
  const contents = await read(files.map(({ oid }) => ({ oid, size: share })));
  const entries = found.map((entry) => ({ ...entry, size: contents.get(entry.oid)?.length ?? 0 }));
  return { entries, trees, contents };
}

/** Every folder by its id, read level by level. */
async function foldersFrom(rootId: string, read: ReadObjects): Promise<Map<string, Raw[]> | undefined> {
  const folders = new Map<string, Raw[]>();
  let entries = 0;
  for (let level = [rootId]; level.length > 0; ) {
    const contents = await read(level.map((oid) => ({ oid, size: MAX_FOLDER_BYTES })));
    const below: string[] = [];
    for (const [oid, content] of contents) {
      const raw = entriesOf(content, oid.length / 2);
      entries += raw.length;
      folders.set(oid, raw);
      below.push(...raw.filter(({ mode }) => mode === FOLDER).map((entry) => entry.oid));
    }
    if (entries > MAX_ENTRIES) return undefined;
    level = below.filter((oid) => !folders.has(oid));
  }
  return folders;
}

const FOLDER = '040000';

/** In the order of `git ls-tree -r`; the ids of folders go to `trees` by their path, no more of them than are small. */
function* filesOf(folders: ReadonlyMap<string, Raw[]>, trees: Map<string, string>, id: string, prefix = ''): Generator<TreeEntry> {
  for (const { mode, name, oid } of folders.get(id)!) {
    const path = `${prefix}${name}`;
    if (mode !== FOLDER) {
      yield { path, kind: kindOf(mode), executable: mode === '100755', oid, size: 0 };
      continue;
    }
    trees.set(path, oid);
    if (trees.size > MAX_ENTRIES) return;
    yield* filesOf(folders, trees, oid, `${path}/`);
  }
}

/** `MODE SP NAME NUL`, then the bytes of the id, again and again (gitformat, tree objects). Throws GitError where it is damaged. */
function entriesOf(content: Buffer, idBytes: number): Raw[] {
  const entries: Raw[] = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const end = space < 0 ? -1 : content.indexOf(0, space);
    const next = end + 1 + idBytes;
    if (end < 0 || next > content.length) throw new GitError('cat-file', 'a folder that is damaged');
    const mode = parseInt(content.toString('latin1', at, space), 8);
    entries.push({ mode: canonical(mode), name: content.toString('utf8', space + 1, end), oid: content.toString('hex', end + 1, next) });
    at = next;
  }
  return entries;
}

/** As `git ls-tree` shows it: old tools have written zeros in front, and rights that Git does not know. */
function canonical(mode: number): string {
  const isFile = (mode & 0o170000) === 0o100000;
  const known = isFile ? (mode & 0o100 ? 0o100755 : 0o100644) : mode & 0o170000;
  return known.toString(8).padStart(6, '0');
}
