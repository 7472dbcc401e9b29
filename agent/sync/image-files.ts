import { isCandidate, mayHoldMarkers } from '../image/setter.ts';
import type { TreeEntry } from '../git/git.ts';
import type { SourceFile } from './image-plan.ts';
import type { Revision } from './source.ts';

/** Larger manifests are not looked at: a marked one has some kilobytes. */
const MAX_FILE_BYTES = 1024 * 1024;
/** Of one read; there may be several. */
const BATCH_BYTES = 8 * 1024 * 1024;

/** Finds the files with markers of a commit; what has been seen to hold none is never read again. */
export class MarkedFiles {
  /** Ids of blobs; of those that the commit before had, too, until there are more than files. */
  readonly #unmarked = new Set<string>();

  /** The marked files below any of these folders, by path. `unreadable` gets what has markers and is no text. */
  async read({ tree }: Revision, folders: readonly string[], unreadable: (path: string) => void): Promise<SourceFile[]> {
    const entries = tree.entries.filter((entry) => this.#isWorthReading(entry) && folders.some((folder) => isBelow(entry.path, folder)));
    const files: SourceFile[] = [];
    for (const batch of batchesOf(entries)) {
      const contents = await tree.read(batch.map(({ path }) => path));
      for (const { path, oid, executable } of batch) {
        const content = contents.get(path)!;
        if (!mayHoldMarkers(content)) this.#unmarked.add(oid);
        else if (isText(content)) files.push({ path, text: textOf(content), executable });
        else unreadable(path);
      }
    }
    if (this.#unmarked.size > tree.entries.length) this.#forgetOthers(tree);
    return files;
  }

  #isWorthReading({ path, kind, size, oid }: TreeEntry): boolean {
    return kind === 'file' && size <= MAX_FILE_BYTES && isCandidate(path) && !this.#unmarked.has(oid);
  }

  #forgetOthers({ entries }: Revision['tree']): void {
    const there = new Set(entries.map(({ oid }) => oid));
    for (const oid of this.#unmarked) if (!there.has(oid)) this.#unmarked.delete(oid);
  }
}

function isBelow(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

function* batchesOf(entries: readonly TreeEntry[]): Iterable<TreeEntry[]> {
  let batch: TreeEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (bytes + entry.size > BATCH_BYTES && batch.length > 0) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(entry);
    bytes += entry.size;
  }
  if (batch.length > 0) yield batch;
}

function isText(content: Buffer): boolean {
  return Buffer.from(content.toString('utf8')).equals(content);
}

/** The mark of the byte order stays: what is read is what is written. */
function textOf(content: Buffer): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(content);
}
