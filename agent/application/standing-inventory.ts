import type { Component } from '#api/application.ts';
import { kustomizeProperties } from '#api/kustomize.ts';
import { backoffMs } from '#core/backoff.ts';
import type { Log } from '#core/log.ts';
import { failureFields, failureOf } from '../sync/failures.ts';
import type { InventoryStore } from '../sync/inventory-store.ts';
import { isNative } from './native-work.ts';

const RETRY = { firstMs: 5_000, maxMs: 300_000 };

/**
 * Has the inventory say what is to become of the objects once the Application is gone, though no component runs that would
 * write it: one is suspended, another cannot be pulled, and nobody can be asked any more then.
 */
export class StandingInventory {
  readonly #context: { log: Log; random: () => number };
  readonly #now: () => number;
  #failures = 0;
  /** When to try again what failed, on the monotonic clock. */
  #retryAtMs: number | undefined;

  constructor(context: { log: Log; random: () => number }, now: () => number = () => performance.now()) {
    this.#context = context;
    this.#now = now;
  }

  /** Never throws: an inventory that cannot be written keeps nothing else from being done. */
  async bringUpToDate(store: InventoryStore, components: readonly Component[]): Promise<void> {
    // Nothing outlives an Application that has applied nothing; its components try themselves to write what they are about to make.
    if (store.inventory.entries.length === 0) return;
    if (this.#retryAtMs !== undefined && this.#now() < this.#retryAtMs) return;
    try {
      for (const component of components) await store.keep(component.name, outlivesApplication(component));
      // An Application that has come back after its kind was away.
      await store.settle();
      this.#failures = 0;
      this.#retryAtMs = undefined;
    } catch (error) {
      const { log, random } = this.#context;
      log.warn('inventory not written', failureFields(failureOf(error, 'write the inventory')));
      this.#retryAtMs = this.#now() + backoffMs(this.#failures++, random(), RETRY);
    }
  }

  /** The next pass is due in so many milliseconds, or sooner where something is to be tried again. */
  soonest(otherMs: number | undefined): number | undefined {
    if (this.#retryAtMs === undefined) return otherMs;
    const retryInMs = Math.max(0, this.#retryAtMs - this.#now());
    return Math.min(retryInMs, otherMs ?? retryInMs);
  }
}

/** `prune: false`. */
function outlivesApplication(component: Component): boolean {
  return !isNative(component.type) && !kustomizeProperties(component).prune;
}
