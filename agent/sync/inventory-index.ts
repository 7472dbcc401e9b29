import { objectId } from '#api/kubernetes.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import { type Owner, ownerKey } from './owner-key.ts';

export interface Holding extends Owner {
  entry: InventoryEntry;
}

/** Who has which object in an inventory, over all Applications of the agent. */
export class InventoryIndex {
  readonly #byObject = new Map<string, Map<string, Holding>>();

  /** The entries of one Application, as they stand from now on. */
  update(application: string, before: readonly InventoryEntry[], after: readonly InventoryEntry[]): void {
    for (const entry of before) this.#remove(application, entry);
    for (const entry of after) this.#add(application, entry);
  }

  holdings(id: string): Holding[] {
    return [...(this.#byObject.get(id)?.values() ?? [])];
  }

  #add(application: string, entry: InventoryEntry): void {
    const id = objectId(entry);
    const holdings = this.#byObject.get(id) ?? new Map<string, Holding>();
    const owner = { application, component: entry.component };
    holdings.set(ownerKey(owner), { ...owner, entry });
    this.#byObject.set(id, holdings);
  }

  #remove(application: string, entry: InventoryEntry): void {
    const id = objectId(entry);
    const holdings = this.#byObject.get(id);
    holdings?.delete(ownerKey({ application, component: entry.component }));
    if (holdings?.size === 0) this.#byObject.delete(id);
  }
}
