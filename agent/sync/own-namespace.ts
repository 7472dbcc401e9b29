import { Failure } from '#api/failure.ts';
import { sameJson } from '#api/json.ts';
import type { NamespaceFacts } from '#api/review.ts';
import { jitterMs } from '#core/backoff.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import type { Client } from '../cluster/client.ts';
import { failureOf } from './failures.ts';

/** A crowd of passes shares one request. */
const SHARED_MS = 1_000;
/** How soon a change is seen that no pass looked for. */
const LOOK_MS = 60_000;
const DEADLINE_MS = 15_000;
const RETRY_MS = 5_000;

export interface OwnNamespaceOptions {
  client: Pick<Client, 'get'>;
  namespace: string;
  clock: Clock;
  random: () => number;
  log: Log;
}

interface Reading {
  facts: Promise<NamespaceFacts>;
  /** Each begins after the one before it. */
  number: number;
  atMs: number;
  /** Somebody was told it who came later. */
  isShared: boolean;
  failed: boolean;
}

/**
 * What the platform team wrote on the agent's Namespace. The Role lets the agent get this one object by its name, and a list
 * or watch of Namespaces is nothing that a Role could allow: it is read at each pass, and once a minute in between.
 */
export class OwnNamespace {
  readonly #options: OwnNamespaceOptions;
  readonly #stopped = new AbortController();
  readonly #listeners = new Set<() => void>();
  #reading: Reading | undefined;
  #last: NamespaceFacts | undefined;
  #begun = 0;
  /** Number of the newest that has succeeded. */
  #read = 0;
  #looking = false;

  constructor(options: OwnNamespaceOptions) {
    this.#options = options;
  }

  /** Called after each change of a label or annotation of ours. */
  listen(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** As it is now, or was a second ago. Throws a Failure where it cannot be read: then nothing is known to be allowed. */
  facts(): Promise<NamespaceFacts> {
    if (!this.#looking) void this.#look();
    const reading = this.#reading;
    const ageMs = this.#options.clock.now() - (reading?.atMs ?? 0);
    if (!reading || ageMs >= SHARED_MS || ageMs < 0) return this.#readNow();
    if (!reading.isShared) void this.#follow(reading);
    return reading.facts;
  }

  stop(): void {
    this.#stopped.abort(new Error('stopped'));
  }

  #readNow(): Promise<NamespaceFacts> {
    const number = ++this.#begun;
    const reading = { facts: this.#ask(), number, atMs: this.#options.clock.now(), isShared: false, failed: false };
    const onFailure = (): void => {
      reading.failed = true;
      // The next pass asks again.
      if (this.#reading === reading) this.#reading = undefined;
    };
    reading.facts.then(() => (this.#read = Math.max(this.#read, number)), onFailure);
    this.#reading = reading;
    return reading.facts;
  }

  async #ask(): Promise<NamespaceFacts> {
    const { client, namespace: name } = this.#options;
    const doing = `read the Namespace ${name}`;
    const object = await client
      .get({ apiVersion: 'v1', kind: 'Namespace', name }, { signal: this.#stopped.signal, timeoutMs: DEADLINE_MS })
      .catch((error: unknown) => {
        throw failureOf(error, doing);
      });
    if (!object) throw new Failure('ClusterUnavailable', `${doing}: it is not there`);
    const facts = { labels: ours(object.metadata.labels), annotations: ours(object.metadata.annotations) };
    // The same object for the same annotations: what was made of them stays valid.
    const kept = this.#last && sameJson(this.#last, facts) ? this.#last : facts;
    const changed = this.#last !== undefined && kept !== this.#last;
    this.#last = kept;
    if (changed) for (const listener of this.#listeners) listener();
    return kept;
  }

  async #look(): Promise<void> {
    this.#looking = true;
    for (;;) {
      await this.#sleep(jitterMs(LOOK_MS, this.#options.random()));
      if (this.#stopped.signal.aborted) return;
      await this.#again();
    }
  }

  /** Whoever shares a reading was told what was known before: had it changed meanwhile, nobody might ask for a minute. */
  async #follow(reading: Reading): Promise<void> {
    reading.isShared = true;
    for (let afterMs = SHARED_MS; ; afterMs = RETRY_MS) {
      await this.#sleep(afterMs);
      await this.#reading?.facts.catch(() => undefined);
      // Whatever came after it was read later than anybody shared it. Who was told that it failed asks again.
      if (this.#read > reading.number || reading.failed || this.#stopped.signal.aborted) return;
      await this.#again();
    }
  }

  async #sleep(ms: number): Promise<void> {
    await this.#options.clock.sleep(ms, this.#stopped.signal).catch(() => undefined);
  }

  async #again(): Promise<void> {
    await this.#readNow().catch((error: unknown) => this.#options.log.debug('own Namespace not read', { error: messageOf(error) }));
  }
}

function ours(map: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => key.startsWith('lateen.dev/')));
}
