import { KeptBlobs } from './kept-blobs.ts';
import type { ObjectRequest } from './object-reader.ts';
import type { RepositoryCache } from './repository-cache.ts';
import type { Runner } from './runner.ts';
import { readSmallTree } from './small-tree.ts';
import { type Listing, listingArguments, parseTreeListing } from './tree.ts';

/** Lists commits and reads their files. A small commit comes with its files, by the process that has read the commit. */
export class Trees {
  readonly #cache: RepositoryCache;
  readonly #runner: Runner;
  readonly #kept = new KeptBlobs();

  constructor(cache: RepositoryCache, runner: Runner) {
    this.#cache = cache;
    this.#runner = runner;
  }

  /** Of a folder that `withCommit` hands out. Rejects with GitError or the signal's reason. */
  async list(directory: string, commit: string, signal: AbortSignal): Promise<Listing> {
    const { tree } = await this.#cache.commitObject(directory, commit, signal);
    const read = (objects: readonly ObjectRequest[]) => this.#cache.read(directory, objects, signal);
    const small = await readSmallTree(tree, read).catch(() => undefined);
    signal.throwIfAborted();
    if (!small) return parseTreeListing(await this.#runner.local(directory, listingArguments(commit), signal), tree);
    this.#kept.keep(small.contents);
    return small;
  }

  /** Contents by object id; what is not kept is read by `fromDisk`. */
  async blobs(
    blobs: readonly ObjectRequest[],
    fromDisk: (missing: readonly ObjectRequest[]) => Promise<Map<string, Buffer>>,
  ): Promise<Map<string, Buffer>> {
    const kept = new Map(blobs.map(({ oid }) => [oid, this.#kept.get(oid)]));
    const missing = blobs.filter(({ oid }) => !kept.get(oid));
    const read = missing.length === 0 ? new Map<string, Buffer>() : await fromDisk(missing);
    return new Map(blobs.map(({ oid }) => [oid, (kept.get(oid) ?? read.get(oid))!]));
  }
}
