import type { HeldPrune, Inventory, InventoryEntry } from '../manifest/inventory.ts';
import type { ImageMemory } from '../manifest/image-memory.ts';
import { Endings } from './endings.ts';
import type { InventoryIndex } from './inventory-index.ts';
import type { InventoryPlace } from './inventory-place.ts';
import { isPlaceTaken } from './taken-place.ts';

export interface InventoryStoreOptions {
  index: InventoryIndex;
  place: InventoryPlace;
  inventory: Inventory;
  /** False: it has not been written yet. */
  stored: boolean;
}

/**
 * The inventory of one Application in the cluster: what its components applied. Written before the first object is
 * created (invariant I2 of spec/sync.md), by this agent alone; changes are made one after the other.
 */
export class InventoryStore {
  readonly endings = new Endings();
  readonly #options: InventoryStoreOptions;
  #inventory: Inventory;
  #stored: boolean;
  /** The last write had no answer. */
  #unsure = false;
  /** UID of the ConfigMap that somebody has deleted. */
  #lost: string | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: InventoryStoreOptions) {
    this.#options = options;
    this.#inventory = options.inventory;
    this.#stored = options.stored;
    options.index.update(options.inventory.application, [], options.inventory.entries);
  }

  get inventory(): Inventory {
    return this.#inventory;
  }

  /** Whether it stands in the cluster, or may. */
  get stored(): boolean {
    return this.#stored || this.#unsure;
  }

  /** Writes once more where the last write may have come through without an answer: the cluster then holds more than is known here. */
  settle(): Promise<void> {
    return this.#unsure ? this.#change((inventory) => inventory) : Promise.resolve();
  }

  /** Its ConfigMap with this UID is gone, and not by our hand: it is written again. Asked once more, where that has failed. */
  lost(uid: string): Promise<void> {
    if (this.#options.place.lost(uid)) {
      this.#lost = uid;
      this.#unsure = true;
    }
    return this.#lost === uid ? this.settle() : Promise.resolve();
  }

  entries(component: string): InventoryEntry[] {
    return this.#inventory.entries.filter((entry) => entry.component === component);
  }

  held(component: string): HeldPrune | undefined {
    return this.#inventory.held?.[component];
  }

  /** An Application of the same name that comes back keeps the objects: the entries stay, the uid is the new one. */
  adopt(uid: string): void {
    const { stranded, ...inventory } = this.#inventory;
    this.#inventory = { ...inventory, uid };
    // To be written though nothing else changes (settle): an Application that is deleted next is meant to go.
    if (stranded) this.#unsure = true;
  }

  /** Its Application is gone, and not because somebody has deleted it. */
  strand(): Promise<void> {
    return this.#change((inventory) => ({ ...inventory, stranded: true }));
  }

  /**
   * Replaces the entries of one component and says whether its objects outlive it (`prune: false`). What was applied has
   * time to be recorded; what is about to be created has not.
   */
  setComponent(component: string, entries: InventoryEntry[], { keep, hasTime }: { keep: boolean; hasTime: boolean }): Promise<void> {
    const update = (inventory: Inventory): Inventory => ({
      ...inventory,
      keep: withKeep(inventory, component, keep),
      entries: [...inventory.entries.filter((entry) => entry.component !== component), ...entries],
    });
    return this.#change(update, hasTime);
  }

  /** Says whether the objects of a component outlive it, where that alone has changed. */
  async keep(component: string, keep: boolean): Promise<void> {
    if (this.entries(component).length === 0 || this.#inventory.keep.includes(component) === keep) return;
    await this.#change((inventory) => ({ ...inventory, keep: withKeep(inventory, component, keep) }), true);
  }

  /**
   * Takes entries out and puts others in the place of those that they were, by identity; what is left of a component that is
   * no longer there goes with its last entry.
   */
  forget(gone: ReadonlySet<InventoryEntry>, marked: ReadonlyMap<InventoryEntry, InventoryEntry> = new Map()): Promise<void> {
    if (gone.size === 0 && marked.size === 0) return Promise.resolve();
    return this.#change((inventory) => {
      const entries = inventory.entries.filter((entry) => !gone.has(entry)).map((entry) => marked.get(entry) ?? entry);
      const stays = (name: string): boolean => entries.some(({ component }) => component === name);
      const held = Object.fromEntries(Object.entries(inventory.held ?? {}).filter(([name]) => stays(name)));
      return { ...inventory, entries, keep: inventory.keep.filter(stays), held };
    });
  }

  /**
   * Notes of entries that their objects are about to be deleted or let go of, and resolves to the entries as they are from now
   * on. Whoever dies before it is recorded leaves no doubt who has done it, should Git have them again by then (verdict.ts).
   */
  async lettingGo(entries: readonly InventoryEntry[]): Promise<InventoryEntry[]> {
    const marked = new Map(entries.filter(({ manifest }) => manifest).map((entry) => [entry, withoutManifest(entry)]));
    await this.forget(new Set(), marked);
    return entries.map((entry) => marked.get(entry) ?? entry);
  }

  /** Records that a prune waits, or undefined that none does. */
  hold(component: string, held: HeldPrune | undefined): Promise<void> {
    // Said after each run that has nothing to prune: for that the whole inventory is not compared.
    if (!held && !this.held(component)) return this.settle();
    return this.#change((inventory) => {
      const { [component]: _, ...others } = inventory.held ?? {};
      return { ...inventory, held: held ? { ...others, [component]: held } : others };
    });
  }

  /** Components that are back in the spec: what was held when they left it is no longer to go. */
  returned(components: ReadonlySet<string>): Promise<void> {
    const held = Object.entries(this.#inventory.held ?? {});
    if (!held.some(([component, { left }]) => left && components.has(component))) return Promise.resolve();
    return this.#change((inventory) => ({
      ...inventory,
      held: Object.fromEntries(Object.entries(inventory.held ?? {}).filter(([component, { left }]) => !left || !components.has(component))),
    }));
  }

  /** What is remembered of the images of a component. */
  images(component: string): ImageMemory | undefined {
    return this.#inventory.images?.[component];
  }

  /** Made of what is remembered when its turn has come. */
  changeImages(component: string, change: (memory: ImageMemory | undefined) => ImageMemory): Promise<void> {
    return this.#change((inventory) => ({
      ...inventory,
      images: { ...inventory.images, [component]: change(inventory.images?.[component]) },
    }));
  }

  /** Forgets the images of components that are no longer there. */
  keepImages(components: ReadonlySet<string>): Promise<void> {
    const { images = {} } = this.#inventory;
    if (Object.keys(images).every((component) => components.has(component))) return Promise.resolve();
    const isThere = ([component]: [string, ImageMemory]): boolean => components.has(component);
    return this.#change((inventory) => ({
      ...inventory,
      images: Object.fromEntries(Object.entries(inventory.images ?? {}).filter(isThere)),
    }));
  }

  /** Takes it out of the cluster: nothing is written until something is applied again. */
  remove(signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      await this.#options.place.remove(signal);
      this.#options.index.update(this.#inventory.application, this.#inventory.entries, []);
      this.#inventory = { ...this.#inventory, keep: [], entries: [], held: {} };
      this.#stored = false;
      this.#unsure = false;
    });
  }

  #change(update: (inventory: Inventory) => Inventory, hasTime = false): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#inventory;
      const after = update(before);
      const same = JSON.stringify(withoutEmpty(after)) === JSON.stringify(withoutEmpty(before));
      if (same && !this.#unsure && (this.#stored || after.entries.length === 0)) return;
      await this.#write(after, hasTime);
      this.#options.index.update(after.application, before.entries, after.entries);
      this.#inventory = after;
      this.#stored = true;
    });
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#queue.then(work);
    this.#queue = next.catch(() => undefined);
    await next;
  }

  async #write(inventory: Inventory, hasTime: boolean): Promise<void> {
    const [before, lost] = [this.#unsure, this.#lost];
    this.#unsure = true;
    try {
      await this.#options.place.write(inventory, { hasTime });
    } catch (error) {
      // Certainly not written: nothing of ours stands there.
      if (isPlaceTaken(error)) this.#unsure = before;
      throw error;
    }
    // Deleted before the answer came, perhaps with what was written.
    this.#unsure = this.#lost !== lost;
  }
}

function withKeep({ keep: before }: Inventory, component: string, keep: boolean): string[] {
  return [...before.filter((name) => name !== component), ...(keep ? [component] : [])].sort();
}

function withoutManifest({ manifest: _, ...entry }: InventoryEntry): InventoryEntry {
  return entry;
}

function withoutEmpty({ held = {}, images = {}, ...rest }: Inventory): Inventory {
  return { ...rest, ...(Object.keys(held).length > 0 ? { held } : {}), ...(Object.keys(images).length > 0 ? { images } : {}) };
}
