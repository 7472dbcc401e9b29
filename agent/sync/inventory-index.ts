import { objectId } from '#api/kubernetes.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import { type Owner, ownerKey } from './owner-key.ts';

export interface Holding extends Owner {
  entry: InventoryEntry;
}

/** Who has which object in an inventory, over all Applications of the agent. */
export class InventoryIndex {
  /** Almost always one, so no Map of each object. */
  readonly #byObject = new Map<string, readonly Holding[]>();

  /** The entries of one Application, as they stand from now on. */
  update(application: string, before: readonly InventoryEntry[], after: readonly InventoryEntry[]): void {
    for (const entry of before) this.#remove(application, entry);
    for (const entry of after) this.#add(application, entry);
  }

  holdings(id: string): Holding[] {
    return [...(this.#byObject.get(id) ?? [])];
  }

  #add(application: string, entry: InventoryEntry): void {
    const id = objectId(entry);
    const owner = { application, component: entry.component };
    this.#byObject.set(id, [...this.#others(id, owner), { ...owner, entry }]);
  }

  #remove(application: string, entry: InventoryEntry): void {
    const id = objectId(entry);
    const others = this.#others(id, { application, component: entry.component });
    if (others.length > 0) this.#byObject.set(id, others);
    else this.#byObject.delete(id);
  }

  #others(id: string, owner: Owner): Holding[] {
    const key = ownerKey(owner);
    return this.holdings(id).filter((holding) => ownerKey(holding) !== key);
  }
}
