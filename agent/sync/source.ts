import type { Failure } from '#api/failure.ts';
import { nextPullMs } from '#api/schedule.ts';
import { backoffMs, DEFAULT_BACKOFF } from '#core/backoff.ts';
import type { Clock } from '#core/clock.ts';
import type { Log } from '#core/log.ts';
import { messageOf } from '#core/errors.ts';
import { createLoop, type Loop } from '#core/loop.ts';
import type { Commit, Git, GitCredentials, Repository, Tip, Tree } from '../git/git.ts';
import type { AgentMetrics } from '../metrics.ts';
import { failureOf } from './failures.ts';

/** What makes two components share one poll and one fetch. */
export interface SourceKey {
  url: string;
  /** Absent: the default branch of the remote. */
  branch?: string;
  /** Name of the Secret with the credentials. */
  secretRef?: string;
}

/** A commit that has been fetched. */
export interface FetchedCommit {
  tip: Tip;
  commit: Commit;
}

/** The same with its files. */
export interface Revision extends FetchedCommit {
  tree: Tree;
}

export interface SourceState {
  /** The last revision that was fetched; stays while later polls fail. */
  revision?: Revision;
  /** Why the last poll failed. */
  failure?: Failure;
  /** While it fails: when it is tried again, milliseconds since the epoch. */
  nextTryMs?: number;
}

export interface Subscriber {
  intervalMs: number;
  timeoutMs: number;
  onChange: () => void;
}

export interface SourceContext {
  namespace: string;
  git: Git;
  /** Throws Failure SecretNotFound, SecretInvalid or Forbidden. */
  credentials: (secretName: string, url: string) => Promise<GitCredentials>;
  clock: Clock;
  random: () => number;
  log: Log;
  metrics: AgentMetrics;
}

/** Longest time for looking up the newest commits. */
const LOOK_UP_MS = 10_000;

/** One repository and branch, polled for all components that use it: a ref listing, and a fetch when the ref moved. */
export class Source {
  readonly key: SourceKey;
  readonly #context: SourceContext;
  readonly #subscribers = new Set<Subscriber>();
  readonly #loop: Loop;
  #state: SourceState = {};
  #failures = 0;
  #stopped = false;
  #polling = false;
  #waiting: (() => void)[] = [];
  /** Looked up once for all components. */
  #recent: { commit: string; whole: boolean; commits: Promise<string[]> } | undefined;

  constructor(key: SourceKey, context: SourceContext) {
    this.key = key;
    this.#context = context;
    this.#loop = createLoop((signal) => this.#poll(signal), { clock: context.clock, onError: () => 60_000 });
  }

  get state(): SourceState {
    return this.#state;
  }

  get used(): boolean {
    return this.#subscribers.size > 0;
  }

  subscribe(subscriber: Subscriber): () => void {
    // A source that is being polled often enough already, or just now, is not asked again for one more component.
    const sooner = subscriber.intervalMs < this.#intervalMs();
    this.#subscribers.add(subscriber);
    if (sooner || !(this.#state.revision || this.#polling)) this.#loop.trigger();
    return () => this.#subscribers.delete(subscriber);
  }

  /** Resolves after a poll that began after the call. */
  async pollNow(): Promise<void> {
    if (this.#stopped) return;
    const done = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#failures = 0;
    this.#loop.trigger();
    await done;
  }

  /**
   * The newest commits of the branch as of a revision, newest first; `known`: those of the one before. Only what is known
   * anyway where the server does not tell: it is for whoever waits for a commit, and nothing hangs on it.
   */
  recent({ tip }: Revision, known: readonly string[]): Promise<string[]> {
    const whole = known.length === 0;
    if (this.#recent?.commit !== tip.commit || (whole && !this.#recent.whole))
      this.#recent = { commit: tip.commit, whole, commits: this.#lookUp(tip, known) };
    return this.#recent.commits;
  }

  async #lookUp(tip: Tip, known: readonly string[]): Promise<string[]> {
    const { git, log } = this.#context;
    try {
      const options = { timeoutMs: Math.min(this.#timeoutMs(), LOOK_UP_MS) };
      return await git.recent(await this.#repository(), tip, known, options);
    } catch (error) {
      log.debug('recent commits not known', { url: this.key.url, error: messageOf(error) });
      // Whoever asks next asks the server.
      if (this.#recent?.commit === tip.commit) this.#recent = undefined;
      return [tip.commit];
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop.stop();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #poll(signal: AbortSignal): Promise<number | undefined> {
    if (!this.used) return undefined;
    const waiting = this.#waiting.splice(0);
    const before = this.#state;
    this.#polling = true;
    try {
      const revision = await this.#refresh(signal);
      this.#failures = 0;
      this.#state = { revision };
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#fail(failureOf(error, 'pull'));
    } finally {
      this.#polling = false;
      for (const resolve of waiting) resolve();
    }
    if (changed(before, this.#state)) for (const subscriber of this.#subscribers) subscriber.onChange();
    return this.#delayMs();
  }

  async #refresh(signal: AbortSignal): Promise<Revision> {
    const { git } = this.#context;
    const { url, branch } = this.key;
    const repository = await this.#repository();
    const options = { timeoutMs: this.#timeoutMs(), signal };
    const { metrics } = this.#context;
    metrics.gitRequests.add({ operation: 'resolve' });
    const tip = await metrics.timed('resolve', () => git.resolve(repository, branch, options));
    const current = this.#state.revision;
    if (current && current.tip.commit === tip.commit && current.tip.branch === tip.branch) return current;
    metrics.gitRequests.add({ operation: 'fetch' });
    const [commit, tree] = await metrics.timed('fetch', async () => {
      const fetched = await git.fetch(repository, tip, options);
      return [fetched, await git.tree(repository, fetched.id, { ...options, renewed: () => this.#repository() })] as const;
    });
    this.#context.log.info('fetched', { url, branch: tip.branch, commit: commit.id });
    return { tip: { ...tip, commit: commit.id }, commit, tree };
  }

  async #repository(): Promise<Repository> {
    const { url, secretRef } = this.key;
    const credentials = secretRef ? await this.#context.credentials(secretRef, url) : undefined;
    return { url, ...(credentials ? { credentials } : {}) };
  }

  #fail(failure: Failure): void {
    const { clock, random } = this.#context;
    const maxMs = Math.min(DEFAULT_BACKOFF.maxMs, Math.max(60_000, this.#intervalMs()));
    const delay = failure.retryAfterMs ?? backoffMs(this.#failures++, random(), { ...DEFAULT_BACKOFF, maxMs });
    const { revision } = this.#state;
    this.#state = { failure, nextTryMs: clock.now() + delay, ...(revision ? { revision } : {}) };
  }

  #delayMs(): number {
    const now = this.#context.clock.now();
    if (this.#state.nextTryMs !== undefined) return Math.max(0, this.#state.nextTryMs - now);
    const source = { namespace: this.#context.namespace, url: this.key.url, ...(this.key.branch ? { branch: this.key.branch } : {}) };
    return Math.min(...[...this.#subscribers].map(({ intervalMs }) => nextPullMs(source, intervalMs, now))) - now;
  }

  #intervalMs(): number {
    return Math.min(...[...this.#subscribers].map(({ intervalMs }) => intervalMs));
  }

  #timeoutMs(): number {
    return Math.max(...[...this.#subscribers].map(({ timeoutMs }) => timeoutMs));
  }
}

function changed(before: SourceState, after: SourceState): boolean {
  return before.revision !== after.revision || before.failure !== after.failure;
}

/** All sources of an agent. A source lives as long as a component uses it. */
export class Sources {
  readonly #context: SourceContext;
  readonly #sources = new Map<string, Source>();

  constructor(context: SourceContext) {
    this.#context = context;
  }

  use(key: SourceKey, subscriber: Subscriber): { source: Source; release: () => void } {
    const id = JSON.stringify([key.url, key.branch ?? '', key.secretRef ?? '']);
    const source = this.#sources.get(id) ?? new Source(key, this.#context);
    this.#sources.set(id, source);
    const unsubscribe = source.subscribe(subscriber);
    const release = (): void => {
      unsubscribe();
      if (source.used || this.#sources.get(id) !== source) return;
      this.#sources.delete(id);
      void source.stop();
    };
    return { source, release };
  }

  /** A Secret changed: whoever uses it tries at once. */
  secretChanged(name: string): void {
    for (const source of this.#sources.values()) if (source.key.secretRef === name) void source.pollNow();
  }

  /** Whether a source wants to be told when the Secret changes. */
  usesSecret(name: string): boolean {
    return [...this.#sources.values()].some(({ key }) => key.secretRef === name);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sources.values()].map((source) => source.stop()));
  }
}
