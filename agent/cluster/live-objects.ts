import { Failure } from '#api/failure.ts';
import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { groupOf } from '#api/kubernetes.ts';
import { API_VERSION, label } from '#api/names.ts';
import type { Clock } from '#core/clock.ts';
import type { Log } from '#core/log.ts';
import type { Client } from './client.ts';
import { hasHealthRule } from './health.ts';
import type { KindInfo } from './kinds.ts';
import { nextFailure } from './next-failure.ts';
import { type LiveObject, projected } from './projection.ts';
import { type KindWatch, type Lists, type WatchEvent, watchKind } from './watch.ts';

export type LiveListener = (event: WatchEvent) => void;

interface Watched {
  kind: KindInfo;
  watch: KindWatch;
  users: Set<string>;
  /** It has been listed once. */
  synced: boolean;
  /** Rejects with the next failure. */
  failure: PromiseWithResolvers<never>;
  failing: boolean;
}

const REVISION = { apiVersion: API_VERSION, kind: 'ApplicationRevision' };
/** How long the first listing of a kind may take. */
const SYNC_DEADLINE_MS = 30_000;

/**
 * The live objects of the namespace, kept by one watch per kind, only for kinds that somebody uses. Kinds without a
 * health rule are kept as metadata only.
 */
export class LiveObjects {
  readonly #client: Client;
  readonly #namespace: string;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #watched = new Map<string, Watched>();
  readonly #listeners = new Set<LiveListener>();

  constructor(client: Client, options: { namespace: string; clock: Clock; random: () => number; log: Log }) {
    this.#client = client;
    this.#namespace = options.namespace;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log;
  }

  /** Every change of an object of a watched kind. */
  listen(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * From now on `user` needs these kinds and no others. Resolves when all of them are known, to what the API server
   * answered for those that cannot be watched, by kindKey.
   */
  async need(user: string, kinds: Iterable<{ apiVersion: string; kind: string }>): Promise<Map<string, unknown>> {
    const wanted = new Map([...kinds].map((kind) => [kindKey(kind), kind]));
    for (const [key, watched] of this.#watched) if (!wanted.has(key)) this.#release(user, key, watched);
    const refused = new Map<string, unknown>();
    const watching = [...wanted].map(([key, kind]) => this.#watch(user, key, kind).catch((error: unknown) => refused.set(key, error)));
    await Promise.all(watching);
    return refused;
  }

  get(reference: ObjectReference): LiveObject | undefined {
    return this.#watched.get(kindKey(reference))?.watch.get(reference.name) as LiveObject | undefined;
  }

  /** The API server has answered that the object with this UID is gone; the watch may not have told yet. */
  gone(reference: ObjectReference, uid: string): void {
    this.#watched.get(kindKey(reference))?.watch.gone(reference.name, uid);
  }

  /** Whether the watch of the kind has got as far as this answer of the API server, which came when so many listings had begun. */
  knows(answer: KubeObject, begun: number): boolean {
    const watch = this.#watched.get(kindKey(answer))?.watch;
    if (watch && watch.lists().listed > begun) return true;
    const version = watch?.version();
    return version !== undefined && versionOf(version) >= versionOf(answer.metadata.resourceVersion);
  }

  /** Whether changes of this kind are told: not where the API server does not serve it. */
  watches(kind: { apiVersion: string; kind: string }): boolean {
    return this.#watched.has(kindKey(kind));
  }

  /** Listings of the kind: what the last one told is newer than whatever was answered before it began. */
  lists(kind: { apiVersion: string; kind: string }): Lists {
    return this.#watched.get(kindKey(kind))?.watch.lists() ?? { begun: 0, listed: 0 };
  }

  all(kind: { apiVersion: string; kind: string }): LiveObject[] {
    return (this.#watched.get(kindKey(kind))?.watch.all() ?? []) as LiveObject[];
  }

  /** The ApplicationRevisions of one Application: there may be ten times as many as Applications. */
  revisionsOf(application: string): LiveObject[] {
    return (this.#watched.get(kindKey(REVISION))?.watch.group(application) ?? []) as LiveObject[];
  }

  stop(): void {
    for (const { watch } of this.#watched.values()) watch.stop();
    this.#watched.clear();
  }

  async #watch(user: string, key: string, reference: { apiVersion: string; kind: string }): Promise<void> {
    const watched = this.#watched.get(key) ?? (await this.#start(key, reference));
    if (!watched) return;
    watched.users.add(user);
    if (watched.failing) watched.watch.retryNow();
    // Nobody waits on what may never come: each who did would be remembered for as long as the watch goes well.
    if (!watched.synced) await this.#untilSynced(watched);
  }

  /** Rejects with the next failure, or after the deadline. */
  async #untilSynced({ kind, watch, failure }: Watched): Promise<void> {
    const deadline = new AbortController();
    const late = this.#clock.sleep(SYNC_DEADLINE_MS, deadline.signal).then(
      () => Promise.reject(tooSlow(kind)),
      () => undefined,
    );
    try {
      await Promise.race([watch.synced, failure.promise, late]);
    } finally {
      deadline.abort();
    }
  }

  async #start(key: string, reference: { apiVersion: string; kind: string }): Promise<Watched | undefined> {
    const kind = await this.#client.kinds.find(reference.apiVersion, reference.kind);
    const started = this.#watched.get(key);
    if (started || !kind) return started;
    const fail = (error: unknown): void => {
      const { failure } = watched;
      watched.failure = nextFailure();
      watched.failing = true;
      failure.reject(error);
    };
    const watch = watchKind(this.#client, {
      kind,
      namespace: this.#namespace,
      metadataOnly: !hasHealthRule(kind.group, kind.kind),
      project: projected,
      ...(key === kindKey(REVISION) ? { groupOf: ({ metadata: { labels } }) => labels?.[label.appName] } : {}),
      onEvent: (event) => this.#emit(event, reference),
      onError: fail,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
    });
    const watched: Watched = { kind, watch, users: new Set(), synced: false, failure: nextFailure(), failing: false };
    void watch.synced.then(() => {
      watched.synced = true;
      watched.failing = false;
    });
    this.#watched.set(key, watched);
    return watched;
  }

  #emit(event: WatchEvent, { apiVersion, kind }: { apiVersion: string; kind: string }): void {
    // A metadata-only watch answers with kind PartialObjectMetadata: the listeners get the kind that was asked for.
    const object = event.object.kind === kind ? event.object : { ...event.object, apiVersion, kind };
    for (const listener of this.#listeners) listener({ ...event, object });
  }

  #release(user: string, key: string, watched: Watched): void {
    if (!watched.users.delete(user) || watched.users.size > 0) return;
    watched.watch.stop();
    this.#watched.delete(key);
  }
}

function tooSlow({ plural }: KindInfo): Failure {
  return new Failure('ClusterUnavailable', `the first listing of ${plural} took over ${SYNC_DEADLINE_MS / 1000} s`);
}

/** All kinds of an API server count on one clock (etcd's revision), so versions of one kind can be compared as numbers. */
function versionOf(text = '0'): bigint {
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

/** Group and kind: versions of one kind share one watch. */
export function kindKey({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  return `${groupOf(apiVersion)}/${kind}`;
}
