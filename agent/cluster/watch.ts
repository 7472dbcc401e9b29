import type { KubeObject } from '#api/kubernetes.ts';
import { backoffMs } from '#core/backoff.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import { ApiError, type Asked } from './api-error.ts';
import type { Client } from './client.ts';
import { apiVersionOf, type KindInfo, pathOf } from './kinds.ts';
import { type GroupOf, ObjectStore, type WatchEvent } from './object-store.ts';
import { isTooLarge, PAGE, smallerPage } from './page-size.ts';
import { UnreachableError } from './wire.ts';

export type { WatchEvent } from './object-store.ts';

export interface WatchOptions {
  kind: KindInfo;
  namespace?: string;
  /** Only metadata travels and is kept. */
  metadataOnly?: boolean;
  fieldSelector?: string;
  /** What of an object is kept and reported; absent: all of it. */
  project?: (object: KubeObject) => KubeObject;
  /** For `group`. */
  groupOf?: GroupOf;
  onEvent: (event: WatchEvent) => void;
  /** Every failure to list or watch; the watch goes on with backoff. */
  onError?: (error: unknown) => void;
  clock: Clock;
  random: () => number;
  log: Log;
}

export interface Lists {
  begun: number;
  listed: number;
}

/** The objects of one kind in one namespace, kept up to date. */
export interface KindWatch {
  /** Resolves when all objects have been listed once. */
  synced: Promise<void>;
  get(name: string): KubeObject | undefined;
  all(): KubeObject[];
  group(name: string): KubeObject[];
  /** The object with this UID is gone, as somebody has learnt before the watch tells it. */
  gone(name: string, uid: string): void;
  /** The resourceVersion up to which everything is known. */
  version(): string | undefined;
  /** How many listings of everything have begun, and which of them has come to its end last. */
  lists(): Lists;
  /** Tries at once where it waits after a failure. */
  retryNow(): void;
  stop(): void;
}

/** The server ends a watch after this time, up to twice as long, so that not all are renewed together. */
const WATCH_SECONDS = 300;
/** The server should have ended the watch this long ago: the connection is dead. */
const GRACE_MS = 30_000;
/** The API server sends a bookmark a minute: three missed ones, and something between us swallows what it says. */
const IDLE_MS = 180_000;
const BACKOFF = { firstMs: 500, maxMs: 30_000 };
/** A watch that ends before this time did not work; without a word, it was ended by something between us and the server. */
const SHORT_WATCH_MS = 5_000;
/** After so many failures in a row the place to go on from is doubted too: a restored etcd does not know it. */
const RELIST_AFTER_FAILURES = 3;
const QUIET_FAILURES = 2;

interface RawEvent {
  type?: string;
  object?: KubeObject & { code?: number };
  status?: number;
  retryAfterMs?: number;
}

export function watchKind(client: Client, options: WatchOptions): KindWatch {
  const reflector = new Reflector(client, options);
  void reflector.run();
  const { store } = reflector;
  return {
    synced: reflector.synced.promise,
    get: (name) => store.get(name),
    all: () => store.all(),
    group: (name) => store.group(name),
    gone(name, uid) {
      const known = store.get(name);
      if (known?.metadata.uid === uid) store.remove(known);
    },
    version: () => reflector.version,
    lists: () => ({ ...reflector.lists }),
    retryNow: () => reflector.retryNow(),
    stop: () => reflector.stop(),
  };
}

/** List, then watch from where the list ended, again and again. Watches are hints: a relist finds what they missed. */
class Reflector {
  readonly store: ObjectStore;
  readonly synced = Promise.withResolvers<void>();
  readonly lists: Lists = { begun: 0, listed: 0 };
  readonly #client: Client;
  readonly #options: WatchOptions;
  readonly #stopped = new AbortController();
  readonly #path: string;
  /** One text for all objects. */
  readonly #apiVersion: string;
  #resourceVersion: string | undefined;
  #failures = 0;
  #page = PAGE;
  /** Ends the wait after a failure. */
  #waiting = new AbortController();

  constructor(client: Client, options: WatchOptions) {
    const { kind, namespace, groupOf, onEvent, log } = options;
    this.#client = client;
    this.#options = options;
    this.#path = pathOf(kind, { namespace });
    this.#apiVersion = apiVersionOf(kind);
    this.store = new ObjectStore((event) => {
      if (this.#stopped.signal.aborted) return;
      try {
        onEvent(event);
      } catch (error) {
        log.error('a listener of a watch failed', { kind: kind.kind, error: messageOf(error) });
      }
    }, groupOf);
  }

  retryNow(): void {
    this.#waiting.abort(new Error('asked to try again'));
  }

  get version(): string | undefined {
    return this.#resourceVersion;
  }

  stop(): void {
    const reason = new Error('the watch was stopped');
    this.#stopped.abort(reason);
    this.#waiting.abort(reason);
  }

  async run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) await this.#list();
        await this.#watch();
      } catch (error) {
        if (!signal.aborted) await this.#failed(error);
      }
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { onError, log, clock, random, kind } = this.#options;
    const expired = error instanceof ApiError && error.status === 410;
    const failures = ++this.#failures;
    if (isTooLarge(error)) this.#page = smallerPage(this.#page);
    // The server remembers nothing as old as what we have (410).
    if (expired || failures >= RELIST_AFTER_FAILURES) this.#resourceVersion = undefined;
    if (expired && failures === 1) return;
    const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    const delayMs = Math.max(asked, backoffMs(failures - 1, random(), BACKOFF));
    const level = failures <= QUIET_FAILURES ? 'debug' : 'warn';
    log[level]('watch interrupted', { kind: kind.kind, error: messageOf(error), retryInMs: delayMs });
    this.#waiting = new AbortController();
    onError?.(error);
    // Who was told may have stopped it.
    if (!this.#stopped.signal.aborted) await clock.sleep(delayMs, this.#waiting.signal).catch(() => undefined);
  }

  #asked(verb: string): Asked {
    const { kind, namespace } = this.#options;
    return { verb, resource: kind.plural, group: kind.group, namespace };
  }

  #accept(list: boolean): string {
    if (!this.#options.metadataOnly) return 'application/json';
    return `application/json;as=PartialObjectMetadata${list ? 'List' : ''};g=meta.k8s.io;v=v1`;
  }

  async #list(): Promise<void> {
    const found: KubeObject[] = [];
    let next: string | undefined;
    let version: string | undefined;
    const number = ++this.lists.begun;
    do {
      const { status, body } = await this.#client.transport.request({
        method: 'GET',
        path: this.#path,
        query: { limit: String(this.#page), fieldSelector: this.#options.fieldSelector, continue: next },
        accept: this.#accept(true),
        signal: this.#stopped.signal,
      });
      // The definition of the kind was taken away, perhaps.
      if (status === 404) this.#client.kinds.doubt();
      if (status >= 300) throw new ApiError(status, body, this.#asked('list'));
      const page = asList(body, this.#asked('list'));
      for (const item of page.items) found.push(this.#kept(item));
      version = page.metadata?.resourceVersion;
      next = page.metadata?.continue || undefined;
    } while (next);
    this.#resourceVersion = version;
    this.lists.listed = number;
    this.store.replace(found);
    this.synced.resolve();
  }

  async #watch(): Promise<void> {
    const { random, fieldSelector, clock } = this.#options;
    const seconds = Math.round(WATCH_SECONDS * (1 + random()));
    const query = {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#resourceVersion,
      timeoutSeconds: String(seconds),
      fieldSelector,
    };
    const over = new AbortController();
    const onStop = (): void => over.abort(this.#stopped.signal.reason);
    this.#stopped.signal.addEventListener('abort', onStop, { once: true });
    const late = (): void => over.abort(new UnreachableError('the API server did not end a watch that is over'));
    void clock.sleep(seconds * 1_000 + GRACE_MS, over.signal).then(late, () => undefined);
    const begun = clock.now();
    let heardAt = begun;
    const silent = (): void => over.abort(new UnreachableError(`nothing was heard of a watch for ${IDLE_MS / 1_000} s`));
    void this.#listenFor(() => heardAt, over.signal).then(silent, () => undefined);
    let events = 0;
    try {
      const lines = this.#client.transport.stream({
        method: 'GET',
        path: this.#path,
        query,
        accept: this.#accept(false),
        signal: over.signal,
      });
      for await (const line of lines) {
        heardAt = clock.now();
        this.#take(line as RawEvent);
        this.#failures = 0;
        events++;
      }
    } finally {
      this.#stopped.signal.removeEventListener('abort', onStop);
      over.abort(new Error('the watch is over'));
      if (clock.now() - begun >= SHORT_WATCH_MS) this.#failures = 0;
    }
    if (events === 0 && clock.now() - begun < SHORT_WATCH_MS) throw new UnreachableError('a watch ended at once');
  }

  /** Resolves when nothing has been heard for too long. */
  async #listenFor(heardAt: () => number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      const leftMs = heardAt() + IDLE_MS - clock.now();
      if (leftMs <= 0) return;
      await clock.sleep(leftMs, signal);
    }
  }

  #take({ type, object, status, retryAfterMs }: RawEvent): void {
    if (type === 'ERROR' || !object) throw new ApiError(status ?? object?.code ?? 500, object, this.#asked('watch'), retryAfterMs);
    if (object.metadata?.resourceVersion) this.#resourceVersion = object.metadata.resourceVersion;
    if (type === 'BOOKMARK') return;
    if (type === 'DELETED') this.store.remove(this.#kept(object));
    else this.store.put(this.#kept(object));
  }

  /** Items of lists and metadata-only objects come without their kind. */
  #kept(object: KubeObject): KubeObject {
    const { kind, project } = this.#options;
    const typed = { ...object, apiVersion: this.#apiVersion, kind: kind.kind };
    return project ? project(typed) : typed;
  }
}

interface ListPage {
  metadata?: { resourceVersion?: string; continue?: string };
  items: KubeObject[];
}

/** A page of something between us and the API server is no list without objects. */
function asList(body: unknown, asked: Asked): ListPage {
  const page = body as ListPage | undefined;
  if (typeof page === 'object' && page !== null && Array.isArray(page.items ?? [])) return { ...page, items: page.items ?? [] };
  throw new ApiError(502, undefined, asked);
}
