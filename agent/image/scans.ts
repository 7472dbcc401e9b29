import { createHash } from 'node:crypto';
import { Failure } from '#api/failure.ts';
import type { ImageName } from '#api/image/reference.ts';
import { backoffMs, DEFAULT_BACKOFF, jitterMs } from '#core/backoff.ts';
import { messageOf } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import { createLoop, type Loop } from '#core/loop.ts';
import type { Counter } from '#core/metrics.ts';
import type { DockerConfig } from './docker-config.ts';
import { listTags, type RegistryOptions } from './registry.ts';

/** What makes two components share one scan. */
export interface ScanKey {
  image: ImageName;
  /** Name of the Secret with the credentials. */
  secretRef?: string;
}

export interface ScanState {
  /** All tags of the last scan that succeeded; stay while later ones fail. */
  tags?: readonly string[];
  /** Grows whenever the tags have changed. */
  version: number;
  /** When the tags were found to be as they are, milliseconds since the epoch. */
  sinceMs?: number;
  failure?: Failure;
}

export interface ScanSubscriber {
  intervalMs: number;
  onChange: () => void;
}

export interface ScansContext extends RegistryOptions {
  /** Throws Failure SecretNotFound, SecretInvalid or Forbidden. */
  dockerConfig: (secretName: string) => Promise<DockerConfig>;
  random: () => number;
  log: Log;
  /** Scans, by their outcome. */
  scans: Counter;
}

/** Of all pages together, with credentials and retries. */
const TIMEOUT_MS = 60_000;

/** The tags of one image, listed for all components that use it with the same credentials. */
export class Scan {
  readonly #key: ScanKey;
  readonly #context: ScansContext;
  readonly #subscribers = new Set<ScanSubscriber>();
  readonly #loop: Loop;
  #state: ScanState = { version: 0 };
  #digest = '';
  #failures = 0;

  constructor(key: ScanKey, context: ScansContext) {
    this.#key = key;
    this.#context = context;
    this.#loop = createLoop((signal) => this.#pass(signal), { clock: context.clock, onError: () => 60_000 });
  }

  get state(): ScanState {
    return this.#state;
  }

  get secretRef(): string | undefined {
    return this.#key.secretRef;
  }

  get used(): boolean {
    return this.#subscribers.size > 0;
  }

  subscribe(subscriber: ScanSubscriber): () => void {
    const sooner = subscriber.intervalMs < this.#intervalMs();
    this.#subscribers.add(subscriber);
    if (sooner || !this.#state.tags) this.#loop.trigger();
    return () => this.#subscribers.delete(subscriber);
  }

  scanNow(): void {
    this.#failures = 0;
    this.#loop.trigger();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #pass(signal: AbortSignal): Promise<number | undefined> {
    if (!this.used) return undefined;
    const { failure: before, version } = this.#state;
    try {
      this.#found(await this.#list(signal));
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#state = { ...this.#state, failure: failureOf(error) };
    }
    const { failure } = this.#state;
    this.#context.scans.add({ outcome: failure ? 'failed' : 'listed' });
    if (version !== this.#state.version || failure?.message !== before?.message) for (const { onChange } of this.#subscribers) onChange();
    return this.#delayMs(failure);
  }

  async #list(signal: AbortSignal): Promise<string[]> {
    const { image, secretRef } = this.#key;
    const { dockerConfig } = this.#context;
    // Not AbortSignal.any: it leaves something behind on a signal that lives as long as the agent.
    const deadline = new AbortController();
    const onAbort = (): void => deadline.abort(signal.reason);
    const late = new Failure('TimedOut', `the registry did not list ${image.text} within ${TIMEOUT_MS / 1000} s`, {
      remedy: 'ask who runs the registry',
    });
    const timer = setTimeout(() => deadline.abort(late), TIMEOUT_MS);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await listTags(
        { image, signal: deadline.signal, ...(secretRef ? { config: () => dockerConfig(secretRef) } : {}) },
        this.#context,
      );
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  #found(tags: readonly string[]): void {
    this.#failures = 0;
    const sorted = [...tags].sort();
    const digest = createHash('sha256').update(sorted.join('\n')).digest('base64');
    const { version, sinceMs } = this.#state;
    if (digest === this.#digest) {
      this.#state = { tags: this.#state.tags ?? sorted, version, ...(sinceMs === undefined ? {} : { sinceMs }) };
      return;
    }
    this.#digest = digest;
    this.#state = { tags: sorted, version: version + 1, sinceMs: this.#context.clock.now() };
    this.#context.log.info('tags', { image: this.#key.image.text, tags: sorted.length });
  }

  #delayMs(failure: Failure | undefined): number {
    const { random } = this.#context;
    const interval = this.#intervalMs();
    if (!failure) return jitterMs(interval, random());
    const backoff = backoffMs(this.#failures++, random(), {
      firstMs: Math.min(DEFAULT_BACKOFF.firstMs, interval),
      maxMs: DEFAULT_BACKOFF.maxMs,
    });
    return Math.max(failure.retryAfterMs ?? 0, backoff);
  }

  #intervalMs(): number {
    return Math.min(...[...this.#subscribers].map(({ intervalMs }) => intervalMs));
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('RegistryFailed', `the tags could not be listed: ${messageOf(error)}`, { cause: error });
}

/** All scans of an agent: one per image and Secret, for as long as a component uses it. */
export class Scans {
  readonly #context: ScansContext;
  readonly #scans = new Map<string, Scan>();

  constructor(context: ScansContext) {
    this.#context = context;
  }

  use(key: ScanKey, subscriber: ScanSubscriber): { scan: Scan; release: () => void } {
    const id = JSON.stringify([key.image.canonical, key.secretRef ?? '']);
    const scan = this.#scans.get(id) ?? new Scan(key, this.#context);
    this.#scans.set(id, scan);
    const unsubscribe = scan.subscribe(subscriber);
    const release = (): void => {
      unsubscribe();
      if (scan.used || this.#scans.get(id) !== scan) return;
      this.#scans.delete(id);
      void scan.stop();
    };
    return { scan, release };
  }

  /** A Secret changed: whoever uses it tries at once. */
  secretChanged(name: string): void {
    for (const scan of this.#scans.values()) if (scan.secretRef === name) scan.scanNow();
  }

  /** Whether a scan wants to be told when the Secret changes. */
  usesSecret(name: string): boolean {
    return [...this.#scans.values()].some(({ secretRef }) => secretRef === name);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#scans.values()].map((scan) => scan.stop()));
  }
}
