import { Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import type { Clock } from '#core/clock.ts';
import type { Log } from '#core/log.ts';
import type { Client } from '../cluster/client.ts';
import { nextFailure } from '../cluster/next-failure.ts';
import { type KindWatch, watchKind } from '../cluster/watch.ts';
import { failureOf } from './failures.ts';

const DEADLINE_MS = 15_000;
/** A watch that nobody has asked for so long, and nobody counts upon, ends: names that change would pile up. */
const IDLE_MS = 15 * 60_000;

interface Started {
  watch: KindWatch;
  /** It has been read once. */
  synced: boolean;
  /** Rejects with the next failure. */
  failure: PromiseWithResolvers<never>;
  /** It could not be read yet, and why was told. */
  failing: boolean;
}

interface Watched {
  started: Promise<Started>;
  readAtMs: number;
}

/** Who reads Secrets and wants to be told when one changes. */
interface SecretUser {
  secretChanged(name: string): void;
  usesSecret(name: string): boolean;
}

/**
 * The Secrets that components name, each kept by a watch of its own (by name, so that a Role may be limited to those
 * names): a changed or late Secret is acted on at once, and none is read twice.
 */
export class Secrets {
  readonly users: SecretUser[] = [];
  readonly #client: Client;
  readonly #options: { namespace: string; clock: Clock; random: () => number; log: Log };
  readonly #watched = new Map<string, Watched>();

  constructor(client: Client, options: { namespace: string; clock: Clock; random: () => number; log: Log }) {
    this.#client = client;
    this.#options = options;
  }

  /** The Secret, or undefined where there is none. Throws a Failure where it cannot be read. */
  async read(name: string): Promise<KubeObject | undefined> {
    const watched = this.#watched.get(name) ?? this.#begin(name);
    watched.readAtMs = this.#options.clock.now();
    this.#endIdle();
    try {
      const started = await watched.started;
      // Nobody waits on what may never come: each who did would be remembered for as long as the watch goes well.
      if (!started.synced) await this.#untilSynced(name, started);
      return started.watch.get(name);
    } catch (error) {
      throw failureOf(error, `read Secret ${name}`);
    }
  }

  /** Rejects with the next failure, or after the deadline. */
  async #untilSynced(name: string, { watch, failure, failing }: Started): Promise<void> {
    const stopWaiting = new AbortController();
    // Why it failed may be over by now.
    if (failing) watch.retryNow();
    const late = this.#options.clock.sleep(DEADLINE_MS, stopWaiting.signal).then(
      () => Promise.reject(new Failure('ClusterUnavailable', `Secret ${name} could not be read within ${DEADLINE_MS / 1000} s`)),
      () => undefined,
    );
    try {
      await Promise.race([watch.synced, failure.promise, late]);
    } finally {
      stopWaiting.abort();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#watched.keys()].map((name) => this.#end(name)));
  }

  #begin(name: string): Watched {
    const watched: Watched = { started: this.#start(name), readAtMs: 0 };
    this.#watched.set(name, watched);
    // The next read begins anew.
    watched.started.catch(() => this.#watched.get(name) === watched && this.#watched.delete(name));
    return watched;
  }

  #endIdle(): void {
    const since = this.#options.clock.now() - IDLE_MS;
    const isUsed = (name: string): boolean => this.users.some((user) => user.usesSecret(name));
    for (const [name, { readAtMs }] of this.#watched) if (readAtMs < since && !isUsed(name)) void this.#end(name);
  }

  async #end(name: string): Promise<void> {
    const started = this.#watched.get(name)?.started.catch(() => undefined);
    this.#watched.delete(name);
    (await started)?.watch.stop();
  }

  async #start(name: string): Promise<Started> {
    const kind = await this.#client.kinds.find('v1', 'Secret');
    if (!kind) throw new Failure('ClusterUnavailable', 'the API server does not list the kind Secret');
    const { namespace, clock, random, log } = this.#options;
    const watch = watchKind(this.#client, {
      kind,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      onEvent: () => started.synced && this.#tell(name),
      onError: (error) => {
        const { failure } = started;
        started.failure = nextFailure();
        started.failing = !started.synced;
        failure.reject(error);
      },
      clock,
      random,
      log,
    });
    const started: Started = { watch, synced: false, failure: nextFailure(), failing: false };
    void watch.synced.then(() => {
      started.synced = true;
      // Who was told that it cannot be read waits for a while before it asks again.
      if (started.failing) this.#tell(name);
      started.failing = false;
    });
    return started;
  }

  #tell(name: string): void {
    for (const user of this.users) user.secretChanged(name);
  }
}
