import pLimit from 'p-limit';
import { Failure } from '#api/failure.ts';
import { branchRule } from '#api/git-ref.ts';
import type { Finding } from '#api/schema.ts';
import { displayUrl, urlRule } from '#api/source-url.ts';
import type { Log } from '#core/log.ts';
import type { Redactor } from '#core/redact.ts';
import { BareRepositories } from './bare-repositories.ts';
import type { ObjectRequest } from './object-reader.ts';
import { ObjectReaders } from './object-readers.ts';
import { GitError, GROUP_WRAPPER } from './client.ts';
import { makeCommit } from './commit.ts';
import { requirePrivateTransport, secretsOf } from './credentials.ts';
import { startDeadline } from './deadline.ts';
import { failureFrom, timedOut } from './failure.ts';
import { historyHolds, recentCommits } from './history.ts';
import { type Listing, listTip, lsRemoteArguments, parseListing } from './listing.ts';
import { lsRefsRequest, parseLsRefs } from './ls-refs.ts';
import { pushArguments, pushOutcome } from './push.ts';
import { CommitGone, RepositoryCache } from './repository-cache.ts';
import { Runner, whenFree } from './runner.ts';
import { SingleFlight } from './single-flight.ts';
import { Trees } from './trees.ts';
import { treeOf } from './tree.ts';
import {
  type CallOptions,
  type Commit,
  type CommitChange,
  DEFAULT_LIMITS,
  type Git,
  type GitLimits,
  type PublishOptions,
  type PushOutcome,
  type Repository,
  type Tip,
  type Tree,
  type TreeOptions,
} from './types.ts';
import { UploadPack } from './upload-pack.ts';
import { WorkFolder } from './work-folder.ts';

export type {
  CallOptions,
  Commit,
  CommitChange,
  PushOutcome,
  Git,
  GitCredentials,
  GitLimits,
  Repository,
  Tip,
  Tree,
  TreeEntry,
} from './types.ts';

export interface GitOptions {
  /** Where repositories are kept, in a folder of this process. */
  cacheDir: string;
  /** Script that runs git in a process group of its own; absent: the one beside this file. */
  gitWrapper?: string;
  /** Git processes that talk to servers, side by side. */
  maxConcurrent?: number;
  /** Who asks, as servers log it. */
  userAgent: string;
  redactor: Redactor;
  log: Log;
  limits?: Partial<GitLimits>;
}

const DEFAULT_CONCURRENT = 4;
/** Refs that begin with the name of one: a longer answer is read by git. */
const MAX_LISTING_BYTES = 256 * 1024;

/** The room: every call has a deadline, and throws Failure, or the reason of the caller's signal. */
export function createGit(options: GitOptions): Git {
  return new GitClient(options);
}

class GitClient implements Git {
  readonly #limits: GitLimits;
  readonly #redactor: Redactor;
  readonly #folder: WorkFolder;
  readonly #runner: Runner;
  readonly #bare: BareRepositories;
  readonly #cache: RepositoryCache;
  readonly #readers = new ObjectReaders();
  readonly #trees: Trees;
  readonly #uploadPack: UploadPack;
  readonly #listings = new SingleFlight<Tip>();
  readonly #fetches = new SingleFlight<Commit>();
  readonly #running = new Set<Promise<unknown>>();
  /** One commit at a time is made: all take the same name while they are. */
  readonly #writing = pLimit(1);
  /** One history at a time is looked up: fetches of files go first. */
  readonly #looking = pLimit(1);
  readonly #closed = new AbortController();

  constructor({ cacheDir, gitWrapper = GROUP_WRAPPER, maxConcurrent = DEFAULT_CONCURRENT, userAgent, redactor, log, limits }: GitOptions) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#redactor = redactor;
    this.#folder = new WorkFolder(cacheDir);
    const shared = { folder: this.#folder, limits: this.#limits, log };
    this.#runner = new Runner({ ...shared, wrapper: gitWrapper, maxConcurrent });
    this.#bare = new BareRepositories(this.#runner);
    this.#uploadPack = new UploadPack({ userAgent, maxConcurrent });
    const around = { runner: this.#runner, bare: this.#bare, readers: this.#readers, uploadPack: this.#uploadPack };
    this.#cache = new RepositoryCache({ ...shared, ...around });
    this.#trees = new Trees(this.#cache, this.#runner);
  }

  resolve(repository: Repository, branch: string | undefined, options: CallOptions): Promise<Tip> {
    return this.#call(repository, options, async (signal) => {
      if (branch !== undefined) refuse('git.branch', 'InvalidRef', branchRule(branch));
      this.#cache.touch(repository);
      return this.#listings.run(`${this.#cache.keyOf(repository)} ${branch ?? ''}`, signal, (shared) =>
        this.#list(repository, branch, shared),
      );
    });
  }

  fetch(repository: Repository, tip: Tip, options: CallOptions): Promise<Commit> {
    return this.#call(repository, options, async (signal) => {
      checkCommit(tip.commit);
      refuse('git.branch', 'InvalidRef', branchRule(tip.branch));
      return this.#fetches.run(`${this.#cache.keyOf(repository)} ${tip.commit}`, signal, (shared) =>
        this.#fetchTip(repository, tip, shared),
      );
    });
  }

  tree(repository: Repository, commit: string, options: TreeOptions): Promise<Tree> {
    return this.#call(repository, options, async (signal) => {
      checkCommit(commit);
      const listed = await this.#cache.withCommit(repository, commit, signal, (directory) => this.#trees.list(directory, commit, signal));
      const { renewed = () => Promise.resolve(repository) } = options;
      // Where they cannot be had, the files may still be on disk.
      const now = (): Promise<Repository> => renewed().catch(() => repository);
      const fromDisk = async (blobs: readonly ObjectRequest[]) => this.#readBlobs(await now(), commit, blobs);
      const readBlobs = (blobs: readonly ObjectRequest[]) => this.#trees.blobs(blobs, fromDisk);
      return treeOf(listed, { repository, commit, limits: this.#limits, readBlobs });
    });
  }

  publish(repository: Repository, tip: Tip, change: CommitChange, options: PublishOptions): Promise<PushOutcome> {
    return this.#call(repository, options, async (signal) => {
      checkCommit(tip.commit);
      refuse('git.branch', 'InvalidRef', branchRule(tip.branch));
      const home = await this.#folder.folder('home');
      const commit = (directory: string) => this.#writing(() => makeCommit(tip.commit, change, { directory, home, signal }));
      return this.#cache.withCommit(repository, tip.commit, signal, async (directory) => {
        const made = await commit(directory);
        await options.beforePush?.(made);
        return this.#push(repository, { directory, commit: made, branch: tip.branch }, signal);
      });
    });
  }

  holds(repository: Repository, tip: Tip, what: { commit: string; base: string }, options: CallOptions): Promise<boolean> {
    return this.#call(repository, options, async (signal) => {
      for (const commit of [tip.commit, what.commit, what.base]) checkCommit(commit);
      const folder = await this.#folder.folder('repositories');
      return historyHolds({ runner: this.#runner, bare: this.#bare, folder, repository }, tip, what, signal);
    });
  }

  recent(repository: Repository, tip: Tip, known: readonly string[], options: CallOptions): Promise<string[]> {
    return this.#call(repository, options, async (signal) => {
      checkCommit(tip.commit);
      const read = (directory: string) => this.#cache.commitObject(directory, tip.commit, signal);
      const { parents } = await this.#cache.withCommit(repository, tip.commit, signal, read);
      const place = { runner: this.#runner, bare: this.#bare, folder: await this.#folder.folder('repositories'), repository };
      return whenFree(this.#looking, signal, () => recentCommits(place, { tip, parents }, known, signal));
    });
  }

  async #push(
    repository: Repository,
    what: { directory: string; commit: string; branch: string },
    signal: AbortSignal,
  ): Promise<PushOutcome> {
    const { directory, commit, branch } = what;
    try {
      await this.#runner.onWire(repository, pushArguments(repository.url, commit, branch), signal, directory);
      return { outcome: 'pushed', commit };
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      const outcome = pushOutcome(error.stderr);
      if (!outcome) throw failureFrom(error.stderr, repository);
      return 'words' in outcome ? { ...outcome, words: this.#redactor.scrub(outcome.words) } : outcome;
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the Git client was closed'));
    await Promise.allSettled(this.#running);
    this.#readers.close();
    this.#uploadPack.close();
    await this.#folder.remove();
  }

  async #list(repository: Repository, branch: string | undefined, signal: AbortSignal): Promise<Tip> {
    return listTip(repository, branch, async (ref) => {
      const quickly = ref === undefined ? undefined : await this.#listQuickly(repository, ref, signal);
      return quickly ?? parseListing(await this.#runner.onWire(repository, lsRemoteArguments(repository.url, ref), signal));
    });
  }

  #listQuickly(repository: Repository, ref: string, signal: AbortSignal): Promise<Listing | undefined> {
    const question = { key: this.#cache.keyOf(repository), repository, what: 'refs', body: lsRefsRequest(ref) } as const;
    return this.#uploadPack.ask({ ...question, maxBytes: MAX_LISTING_BYTES, read: parseLsRefs }, signal);
  }

  async #fetchTip(repository: Repository, tip: Tip, signal: AbortSignal): Promise<Commit> {
    try {
      return await this.#cache.fetch(repository, tip.commit, signal);
    } catch (error) {
      if (!(error instanceof CommitGone)) throw error;
      const now = await this.#list(repository, tip.branch, signal);
      if (now.commit === tip.commit) throw error;
      return this.#cache.fetch(repository, now.commit, signal);
    }
  }

  #readBlobs(repository: Repository, commit: string, blobs: readonly ObjectRequest[]): Promise<Map<string, Buffer>> {
    return this.#call(repository, { timeoutMs: this.#limits.readTimeoutMs }, (signal) =>
      this.#cache.withCommit(repository, commit, signal, (directory) => this.#cache.read(directory, blobs, signal)),
    );
  }

  async #call<Result>(repository: Repository, options: CallOptions, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    for (const secret of secretsOf(repository.credentials)) this.#redactor.register(secret);
    refuse('url', 'InvalidURL', urlRule(repository.url));
    requirePrivateTransport(repository.url, repository.credentials);
    const { timeoutMs, signal } = options;
    const parents = [this.#closed.signal, ...(signal ? [signal] : [])];
    for (const parent of parents) parent.throwIfAborted();
    const deadline = startDeadline(timeoutMs, parents);
    const running = work(deadline.signal);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      if (deadline.passed()) throw timedOut(repository, timeoutMs);
      deadline.signal.throwIfAborted();
      throw this.#explain(error, repository);
    } finally {
      deadline.release();
      this.#running.delete(running);
    }
  }

  /** A Failure without secrets, of whatever a call threw. */
  #explain(error: unknown, repository: Repository): unknown {
    const failure = toFailure(error, repository);
    if (!(failure instanceof Failure)) return failure;
    const { reason, kind, remedy, causes } = failure;
    const message = this.#redactor.scrub(failure.message);
    return message === failure.message ? failure : new Failure(reason, message, { kind, causes, ...(remedy ? { remedy } : {}) });
  }
}

function toFailure(error: unknown, repository: Repository): unknown {
  const url = displayUrl(repository.url);
  if (error instanceof CommitGone) {
    return new Failure('GitFailed', `${url} does not give out the commit ${error.message}`, {
      remedy: 'check whether it is still on a branch',
    });
  }
  if (!(error instanceof GitError)) return error;
  if (error.tooMuch)
    return new Failure('TooLarge', `${url} has more refs or files than git may list`, {
      kind: 'stalled',
      remedy: 'keep the manifests in a repository of their own',
    });
  return failureFrom(error.stderr, repository);
}

/** The second wall behind api/check.ts: nothing that git could take for an option or a program reaches it. */
function refuse(field: string, reason: 'InvalidURL' | 'InvalidRef', findings: Finding[]): void {
  const [first] = findings;
  if (!first) return;
  throw new Failure(reason, `${field} ${first.text}`, { kind: 'stalled', ...(first.remedy ? { remedy: first.remedy } : {}) });
}

/** spec/sync.md A7. */
function checkCommit(commit: string): void {
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return;
  throw new Failure('Internal', `not a commit id: ${JSON.stringify(commit.slice(0, 80))}`);
}
