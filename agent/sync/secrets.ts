import { Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import type { Clock } from '#core/clock.ts';
import type { Log } from '#core/log.ts';
import type { Client } from '../cluster/client.ts';
import { type KindWatch, watchKind } from '../cluster/watch.ts';
import { failureOf } from './failures.ts';

const DEADLINE_MS = 15_000;

interface Watched {
  watch: KindWatch;
  failed: Promise<never>;
}

/**
 * The Secrets that components name, each kept by a watch of its own (by name, so that a Role may be limited to those
 * names): a changed or late Secret is acted on at once, and none is read twice.
 */
export class Secrets {
  readonly #client: Client;
  readonly #options: { namespace: string; clock: Clock; random: () => number; log: Log };
  readonly #onChange: (name: string) => void;
  readonly #watched = new Map<string, Promise<Watched>>();

  constructor(
    client: Client,
    options: { namespace: string; clock: Clock; random: () => number; log: Log; onChange: (name: string) => void },
  ) {
    this.#client = client;
    this.#options = options;
    this.#onChange = options.onChange;
  }

  /** The Secret, or undefined where there is none. Throws a Failure where it cannot be read. */
  async read(name: string): Promise<KubeObject | undefined> {
    const pending = this.#watched.get(name) ?? this.#start(name);
    this.#watched.set(name, pending);
    const stopWaiting = new AbortController();
    try {
      const { watch, failed } = await pending;
      const late = this.#options.clock.sleep(DEADLINE_MS, stopWaiting.signal).then(
        () => Promise.reject(new Failure('ClusterUnavailable', `Secret ${name} could not be read within ${DEADLINE_MS / 1000} s`)),
        () => undefined,
      );
      await Promise.race([watch.synced, failed, late]);
      return watch.get(name);
    } catch (error) {
      throw failureOf(error, `read Secret ${name}`);
    } finally {
      stopWaiting.abort();
    }
  }

  async stop(): Promise<void> {
    const all = await Promise.allSettled(this.#watched.values());
    for (const one of all) if (one.status === 'fulfilled') one.value.watch.stop();
  }

  async #start(name: string): Promise<Watched> {
    const kind = await this.#client.kinds.find('v1', 'Secret');
    if (!kind) throw new Failure('ClusterUnavailable', 'the API server does not list the kind Secret');
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    failed.catch(() => undefined);
    const { namespace, clock, random, log } = this.#options;
    let synced = false;
    const watch = watchKind(this.#client, {
      kind,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      onEvent: () => synced && this.#onChange(name),
      onError: (error) => fail(error),
      clock,
      random,
      log,
    });
    void watch.synced.then(() => {
      synced = true;
    });
    return { watch, failed };
  }
}
