import { createHmac, randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import { Failure } from '#api/failure.ts';
import { displayUrl } from '#api/source-url.ts';
import { oneLine } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import type { BareRepositories } from './bare-repositories.ts';
import { GitError } from './client.ts';
import { type CommitObject, parseCommitObject } from './commit-object.ts';
import { failureFrom, isCommitGone } from './failure.ts';
import type { ObjectRequest } from './object-reader.ts';
import type { ObjectReaders } from './object-readers.ts';
import { type QuickFetch, quickFetch } from './quick-fetch.ts';
import { type Runner, whenFree } from './runner.ts';
import type { Commit, GitLimits, Repository } from './types.ts';
import type { UploadPack } from './upload-pack.ts';
import type { WorkFolder } from './work-folder.ts';

/** The server no longer gives out the commit: the branch moved, and the old tip is gone or was never offered. */
export class CommitGone extends Error {}

interface Entry {
  key: string;
  url: string;
  /** Calls that are under way: its folder stays. */
  uses: number;
  /** On the monotonic clock. */
  usedAtMs: number;
  /** Undefined until the first fetch. */
  directory: string | undefined;
  /** Those that were fetched into the folder. */
  commits: string[];
  /** One git at a time writes into the folder: two would meet at shallow.lock. */
  lock: LimitFunction;
}

type Into = Pick<QuickFetch, 'directory' | 'held'>;
type Wanted = Pick<QuickFetch, 'key' | 'repository' | 'commit'>;

export interface CacheOptions {
  folder: WorkFolder;
  runner: Runner;
  bare: BareRepositories;
  readers: ObjectReaders;
  uploadPack: UploadPack;
  limits: GitLimits;
  log: Log;
}

/** Of a commit; its message is what may be long. */
const MAX_COMMIT_BYTES = 1024 * 1024;

/**
 * Bare repositories, one per URL and credentials. Each fetched commit is kept by a ref of its own (refs/lateen/COMMIT), so
 * nothing is ever garbage; a folder that has grown, or that is damaged, is replaced by a fresh one.
 */
export class RepositoryCache {
  readonly #options: CacheOptions;
  readonly #entries = new Map<string, Entry>();
  /** Folder names tell nothing about the credentials behind them. */
  readonly #nameKey = randomBytes(32);
  #generation = 0;

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  /** Names the repository and the credentials without holding either. */
  keyOf(repository: Repository): string {
    const { username, password, bearerToken, caCert } = repository.credentials ?? {};
    const identity = JSON.stringify([repository.url, username, password, bearerToken, caCert]);
    return createHmac('sha256', this.#nameKey).update(identity).digest('hex').slice(0, 32);
  }

  /** The repository is still being asked for, with these credentials: its folder, where there is one, stays. */
  touch(repository: Repository): void {
    const entry = this.#entries.get(this.keyOf(repository));
    if (entry) this.#renew(entry);
  }

  /** The commit, fetched where it is not there. Throws Failure or CommitGone. */
  fetch(repository: Repository, commit: string, signal: AbortSignal): Promise<Commit> {
    return this.#use(repository, (entry) =>
      whenFree(
        entry.lock,
        signal,
        async () => (await this.#readCommit(entry.directory, commit, signal)) ?? this.#pull(entry, repository, commit, signal),
      ),
    );
  }

  /**
   * Hands the folder that holds the commit to `work`. Where the commit is not in it, or `work` finds the folder damaged
   * (it throws GitError), the commit is fetched into a fresh folder and `work` runs once more.
   */
  withCommit<Result>(
    repository: Repository,
    commit: string,
    signal: AbortSignal,
    work: (directory: string) => Promise<Result>,
  ): Promise<Result> {
    return this.#use(repository, async (entry) => {
      const before = entry.directory;
      try {
        if (before !== undefined) return await work(before);
      } catch (error) {
        if (!(error instanceof GitError) || error.tooMuch) throw error;
        this.#options.log.info('cached repository is damaged or gone, fetching again', {
          url: repository.url,
          commit,
          error: oneLine(error.message),
        });
      }
      await whenFree(entry.lock, signal, async () => {
        if (entry.directory === before) await this.#pullFresh(entry, repository, commit, signal);
        else if (!(await this.#readCommit(entry.directory, commit, signal))) await this.#pull(entry, repository, commit, signal);
      });
      return work(entry.directory!);
    });
  }

  async #use<Result>(repository: Repository, work: (entry: Entry) => Promise<Result>): Promise<Result> {
    const key = this.keyOf(repository);
    const known = this.#entries.get(key);
    const entry = known ?? { key, url: repository.url, uses: 0, usedAtMs: 0, directory: undefined, commits: [], lock: pLimit(1) };
    entry.uses++;
    this.#renew(entry);
    try {
      // Only what is new makes them more.
      if (!known) await this.#evict();
      return await work(entry);
    } finally {
      entry.uses--;
      entry.usedAtMs = performance.now();
    }
  }

  /** The last asked for stands last. */
  #renew(entry: Entry): void {
    entry.usedAtMs = performance.now();
    this.#entries.delete(entry.key);
    this.#entries.set(entry.key, entry);
  }

  async #evict(): Promise<void> {
    const { repositories } = this.#options.limits;
    const gone = this.#expired();
    const [oldest] = [...this.#entries.values()].filter(({ uses }) => uses === 0);
    if (gone.length === 0 && oldest && this.#entries.size > repositories) gone.push(oldest);
    for (const { key } of gone) this.#entries.delete(key);
    for (const { directory } of gone) if (directory) await removeFolder(directory);
  }

  /** Each value of credentials has a folder of its own: of those of one URL that were replaced, only the last is asked for. */
  #expired(): Entry[] {
    const { supersededAfterMs, unusedAfterMs } = this.#options.limits;
    const newer = new Set<string>();
    return [...this.#entries.values()].reverse().filter(({ url, uses, usedAtMs }) => {
      const afterMs = newer.has(url) ? supersededAfterMs : unusedAfterMs;
      newer.add(url);
      return uses === 0 && performance.now() - usedAtMs >= afterMs;
    });
  }

  /** Undefined where the commit is not there, or the folder is not. */
  async #readCommit(directory: string | undefined, commit: string, signal: AbortSignal): Promise<Commit | undefined> {
    // A process that reads a folder may outlive it.
    if (!directory || !(await exists(join(directory, 'HEAD')))) return undefined;
    try {
      return (await this.commitObject(directory, commit, signal)).commit;
    } catch (error) {
      if (error instanceof GitError) return undefined;
      throw error;
    }
  }

  /** A commit of a folder that `withCommit` hands out. Rejects with GitError, or the signal's reason. */
  async commitObject(directory: string, commit: string, signal: AbortSignal): Promise<CommitObject> {
    const contents = await this.read(directory, [{ oid: commit, size: MAX_COMMIT_BYTES }], signal);
    const object = parseCommitObject(commit, contents.get(commit)!);
    if (!object) throw new GitError('cat-file', `${commit} is no commit`);
    return object;
  }

  /** Objects of such a folder. Rejects with GitError, or the signal's reason. */
  async read(directory: string, objects: readonly ObjectRequest[], signal: AbortSignal): Promise<Map<string, Buffer>> {
    const { readers, folder } = this.#options;
    return readers.read({ directory, home: await folder.folder('home') }, objects, signal);
  }

  async #pull(entry: Entry, repository: Repository, commit: string, signal: AbortSignal): Promise<Commit> {
    const { directory } = entry;
    const { limits, log } = this.#options;
    const worn = !directory || entry.commits.length >= limits.repositoryFetches || (await tidy(directory)) > limits.repositoryBytes;
    if (worn) return this.#pullFresh(entry, repository, commit, signal);
    try {
      const pulled = await this.#pullInto({ directory, held: entry.commits }, { key: entry.key, repository, commit }, signal);
      entry.commits.push(commit);
      return pulled;
    } catch (error) {
      if (!(error instanceof Failure) || error.reason !== 'GitFailed') throw error;
      // A reason that nobody foresaw may lie in the folder. A fresh one tells.
      log.info('fetch failed, trying once more in a fresh folder', { url: repository.url, commit, error: error.message });
      return this.#pullFresh(entry, repository, commit, signal);
    }
  }

  /** The old folder stays until the fresh one holds the commit. */
  async #pullFresh(entry: Entry, repository: Repository, commit: string, signal: AbortSignal): Promise<Commit> {
    const directory = join(await this.#options.folder.folder('repositories'), `${entry.key}-${++this.#generation}`);
    try {
      await this.#options.bare.make(directory, commit, signal);
      const pulled = await this.#pullInto({ directory, held: [] }, { key: entry.key, repository, commit }, signal);
      const old = entry.directory;
      [entry.directory, entry.commits] = [directory, [commit]];
      if (old) await removeFolder(old);
      return pulled;
    } catch (error) {
      await removeFolder(directory);
      throw error;
    }
  }

  async #pullInto(into: Into, wanted: Wanted, signal: AbortSignal): Promise<Commit> {
    const { repository, commit } = wanted;
    if (!(await quickFetch(this.#options, { ...into, ...wanted }, signal))) await this.#pullByGit(into.directory, wanted, signal);
    const fetched = await this.#readCommit(into.directory, commit, signal);
    if (!fetched)
      throw new Failure('GitFailed', `${displayUrl(repository.url)} gave something that is not the commit ${commit}`, {
        remedy: 'run git fsck in the repository',
      });
    return fetched;
  }

  async #pullByGit(directory: string, { repository, commit }: Wanted, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.runner.onWire(repository, fetchArguments(repository.url, commit), signal, directory);
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      if (isCommitGone(error.stderr)) throw new CommitGone(commit);
      throw failureFrom(error.stderr, repository);
    }
  }
}

function fetchArguments(url: string, commit: string): string[] {
  const switches = [
    '--depth=1',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
    '--no-show-forced-updates',
  ];
  return ['fetch', '--quiet', '--no-progress', ...switches, '--end-of-options', url, `+${commit}:refs/lateen/${commit}`];
}

/** Removes what a killed git has left, and tells how many bytes the packs have. Only without a git in the folder. */
async function tidy(directory: string): Promise<number> {
  await rm(join(directory, 'shallow.lock'), { force: true });
  const packs = join(directory, 'objects', 'pack');
  let bytes = 0;
  for (const name of await readdir(packs).catch(() => [])) {
    const file = join(packs, name);
    if (name.startsWith('tmp_')) await rm(file, { force: true });
    else bytes += (await stat(file).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

async function removeFolder(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}
