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

export interface OwnNamespaceOptions {
  client: Pick<Client, 'get'>;
  namespace: string;
  clock: Clock;
  random: () => number;
  log: Log;
}

/**
 * What the platform team wrote on the agent's Namespace. The Role lets the agent get this one object by its name, and a list
 * or watch of Namespaces is nothing that a Role could allow: it is read at each pass, and once a minute in between.
 */
export class OwnNamespace {
  readonly #options: OwnNamespaceOptions;
  readonly #stopped = new AbortController();
  readonly #listeners = new Set<() => void>();
  #reading: { facts: Promise<NamespaceFacts>; atMs: number } | undefined;
  #last: NamespaceFacts | undefined;
  #looking = false;
  #soon = false;

  constructor(options: OwnNamespaceOptions) {
    this.#options = options;
  }

  /** Called after each change of a label or annotation of ours. */
  listen(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** As it is now, or was a second ago. Throws a Failure where it cannot be read: then nothing is known to be allowed. */
  facts(): Promise<NamespaceFacts> {
    const nowMs = this.#options.clock.now();
    const ageMs = nowMs - (this.#reading?.atMs ?? 0);
    if (!this.#reading || ageMs >= SHARED_MS || ageMs < 0) {
      const reading = { facts: this.#read(), atMs: nowMs };
      // What failed is asked again by the next pass.
      reading.facts.catch(() => (this.#reading = this.#reading === reading ? undefined : this.#reading));
      this.#reading = reading;
    } else {
      this.#lookSoon();
    }
    if (!this.#looking) void this.#look();
    return this.#reading.facts;
  }

  stop(): void {
    this.#stopped.abort(new Error('stopped'));
  }

  async #read(): Promise<NamespaceFacts> {
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
    while (!this.#stopped.signal.aborted) await this.#after(jitterMs(LOOK_MS, this.#options.random()));
  }

  /** Somebody was told what was known before: had it changed meanwhile, nobody might ask for a minute. */
  #lookSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    void this.#after(SHARED_MS).then(() => {
      this.#soon = false;
    });
  }

  async #after(ms: number): Promise<void> {
    const { clock, log } = this.#options;
    await clock.sleep(ms, this.#stopped.signal).catch(() => undefined);
    if (this.#stopped.signal.aborted) return;
    await this.facts().catch((error: unknown) => log.debug('own Namespace not read', { error: messageOf(error) }));
  }
}

function ours(map: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => key.startsWith('lateen.dev/')));
}
