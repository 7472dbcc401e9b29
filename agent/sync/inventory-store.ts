import type { InventoryEntry, Inventory } from '../manifest/inventory.ts';
import { fromConfigMap, inventoryName, toConfigMap } from '../manifest/inventory.ts';
import type { Client } from '../cluster/client.ts';

/**
 * The inventory of one Application in the cluster: what its components applied. Written before the first object is
 * created (invariant I2 of spec/sync.md), by this agent alone; changes are made one after the other.
 */
export class InventoryStore {
  readonly #client: Client;
  readonly #namespace: string;
  #inventory: Inventory;
  #stored: boolean;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(client: Client, namespace: string, inventory: Inventory, stored: boolean) {
    this.#client = client;
    this.#namespace = namespace;
    this.#inventory = inventory;
    this.#stored = stored;
  }

  static async load(client: Client, owner: { namespace: string; name: string; uid: string }): Promise<InventoryStore> {
    const name = inventoryName(owner.name);
    const object = await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: owner.namespace, name });
    const empty: Inventory = { application: owner.name, uid: owner.uid, keep: [], entries: [] };
    // An Application of the same name that comes back keeps the objects: the entries stay, the uid is the new one.
    const inventory = object ? { ...fromConfigMap(object), uid: owner.uid } : empty;
    return new InventoryStore(client, owner.namespace, inventory, object !== undefined);
  }

  get inventory(): Inventory {
    return this.#inventory;
  }

  entries(component: string): InventoryEntry[] {
    return this.#inventory.entries.filter((entry) => entry.component === component);
  }

  /** Replaces the entries of one component and says whether its objects outlive it (`prune: false`). */
  setComponent(component: string, entries: InventoryEntry[], keep: boolean): Promise<void> {
    return this.#change((inventory) => ({
      ...inventory,
      keep: [...new Set([...inventory.keep.filter((name) => name !== component), ...(keep ? [component] : [])])].sort(),
      entries: [...inventory.entries.filter((entry) => entry.component !== component), ...entries],
    }));
  }

  /** Takes entries out, by identity; what is left of a component that is no longer there goes with its last entry. */
  forget(gone: ReadonlySet<InventoryEntry>): Promise<void> {
    return this.#change((inventory) => {
      const entries = inventory.entries.filter((entry) => !gone.has(entry));
      return { ...inventory, entries, keep: inventory.keep.filter((name) => entries.some((entry) => entry.component === name)) };
    });
  }

  async #change(update: (inventory: Inventory) => Inventory): Promise<void> {
    const next = this.#queue.then(async () => {
      const after = update(this.#inventory);
      const same = JSON.stringify(after) === JSON.stringify(this.#inventory);
      if (same && (this.#stored || after.entries.length === 0)) return;
      await this.#client.apply(toConfigMap(after, this.#namespace));
      this.#inventory = after;
      this.#stored = true;
    });
    this.#queue = next.catch(() => undefined);
    await next;
  }
}
