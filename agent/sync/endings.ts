import { displayName, type KubeObject } from '#api/kubernetes.ts';
import { backoffMs } from '#core/backoff.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';

/** An object whose deletion the API server has begun, and which something still holds. */
export interface Ending {
  /** As the inventory had it. */
  was: InventoryEntry;
  /** As the inventory is to have it. */
  entry: InventoryEntry;
  finalizers: readonly string[];
}

interface Look {
  component: string;
  ending: Ending;
  looks: number;
  atMs: number;
  /** A watch tells of it: once it no longer does, there is something to ask. */
  watched: boolean;
}

/** Whoever takes off a finalizer is often quick, and may never come. */
const LOOKS = { firstMs: 1_000, maxMs: 300_000 };

/** Whether an object is certainly gone, or on its way: one that was made in its place since then is another one. */
export function isEnding({ ending, since }: InventoryEntry): boolean {
  return ending !== undefined && since === undefined;
}

/** What is being deleted and when it is looked for again: less and less often, and not at all while a watch shows it. In memory. */
export class Endings {
  readonly #looks = new Map<string, Look>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** `live`: what a watch tells of it. */
  isDue({ uid = '' }: InventoryEntry, live: KubeObject | undefined): boolean {
    const look = this.#looks.get(uid);
    if (!look) return true;
    if (live?.metadata.uid === uid) look.watched = true;
    else if (look.watched) return true;
    return !look.watched && look.atMs <= this.#now();
  }

  /** What there is to do: to delete what is not being deleted yet, and to look for what is, where that is due. */
  open(entries: readonly InventoryEntry[], live: (entry: InventoryEntry) => KubeObject | undefined = () => undefined): InventoryEntry[] {
    return entries.filter((entry) => !isEnding(entry) || this.isDue(entry, live(entry)));
  }

  /** It was looked for, and is still there. */
  stands(ending: Ending): void {
    const { uid = '', component } = ending.entry;
    const looks = (this.#looks.get(uid)?.looks ?? -1) + 1;
    this.#looks.set(uid, { component, ending, looks, atMs: this.#now() + backoffMs(looks, 1, LOOKS), watched: false });
  }

  /** What is being deleted of the component; all that was remembered of others of it is dropped. */
  of(component: string, entries: readonly InventoryEntry[]): Ending[] {
    const uids = new Set(entries.map(({ uid }) => uid));
    for (const [uid, look] of this.#looks) if (look.component === component && !uids.has(uid)) this.#looks.delete(uid);
    return [...this.#looks.values()].flatMap((look) => (look.component === component ? [look.ending] : []));
  }

  /** Milliseconds until one of the entries is to be looked for; undefined where none is, or watches tell. */
  nextInMs(entries: readonly InventoryEntry[]): number | undefined {
    const looks = entries.flatMap(({ uid = '' }) => this.#looks.get(uid) ?? []).filter(({ watched }) => !watched);
    return looks.length > 0 ? Math.max(0, Math.min(...looks.map(({ atMs }) => atMs)) - this.#now()) : undefined;
  }
}

const MAX_NAMED = 3;

/** What is waited for, in words. */
export function endingText(endings: readonly Ending[]): string {
  const named = endings.slice(0, MAX_NAMED).map(({ entry, finalizers }) => `${displayName(entry)}${held(finalizers)}`);
  const more = endings.length > MAX_NAMED ? ` and ${endings.length - MAX_NAMED} more` : '';
  return `${named.join(', ')}${more} ${endings.length === 1 ? 'is' : 'are'} being deleted and still there`;
}

function held(finalizers: readonly string[]): string {
  if (finalizers.length === 0) return '';
  return ` (held by the ${finalizers.length === 1 ? 'finalizer' : 'finalizers'} ${finalizers.join(', ')})`;
}
