import type { KubeObject } from '#api/kubernetes.ts';
import type { NamespaceFacts } from '#api/review.ts';
import { backoffMs } from '#core/backoff.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import type { Cluster } from './cluster.ts';

export interface NamespacesOptions {
  cluster: Pick<Cluster, 'call' | 'watch'>;
  clock: Clock;
  log: Log;
  random: () => number;
}

const PATH = '/api/v1/namespaces';
/** The API server ends a watch after this; the list that follows heals whatever was missed. */
const WATCH_SECONDS = 300;

/**
 * Labels and annotations of ours on all namespaces, kept by a watch, so that a decision asks nobody. While they are not
 * known, nothing is said about them.
 */
export class Namespaces {
  readonly #options: NamespacesOptions;
  readonly #facts = new Map<string, NamespaceFacts>();
  #failures = 0;

  constructor(options: NamespacesOptions) {
    this.#options = options;
  }

  facts(name: string): NamespaceFacts | undefined {
    return this.#facts.get(name);
  }

  /** Until the signal. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
        this.#failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        log.warn('namespaces cannot be watched', { error: messageOf(error) });
        await clock.sleep(backoffMs(this.#failures++, random(), { firstMs: 500, maxMs: 30_000 }), signal).catch(() => undefined);
      }
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { status, object } = await this.#options.cluster.call('GET', PATH);
    if (status !== 200) throw new Error(`GET ${PATH}: ${status}`);
    const items = (object['items'] ?? []) as KubeObject[];
    const names = new Set(items.map(({ metadata }) => metadata.name));
    for (const name of this.#facts.keys()) if (!names.has(name)) this.#facts.delete(name);
    for (const item of items) this.#learn(item);
    this.#failures = 0;
    const version = encodeURIComponent(object.metadata.resourceVersion ?? '');
    const stop = AbortSignal.any([signal, AbortSignal.timeout((WATCH_SECONDS + 30) * 1000)]);
    await this.#options.cluster.watch(
      `${PATH}?watch=1&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}&resourceVersion=${version}`,
      ({ type, object: one }) => {
        if (type === 'ERROR') throw new Error(`the watch of namespaces ended: ${String(one['message'])}`);
        if (type === 'DELETED') this.#facts.delete(one.metadata.name ?? '');
        else if (type !== 'BOOKMARK') this.#learn(one);
      },
      stop,
    );
  }

  #learn({ metadata }: KubeObject): void {
    this.#facts.set(metadata.name ?? '', { labels: ours(metadata.labels), annotations: ours(metadata.annotations) });
  }
}

/** The rest may be large, and is none of our business. */
function ours(map: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => key.startsWith('lateen.dev/')));
}
