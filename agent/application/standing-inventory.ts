import type { Component } from '#api/application.ts';
import { kustomizeProperties } from '#api/kustomize.ts';
import type { InventoryStore } from '../sync/inventory-store.ts';
import { isNative } from './native-work.ts';

/**
 * Has the inventory say what is to become of the objects once the Application is gone, though no component runs that would
 * write it: one is suspended, another cannot be pulled, and nobody can be asked any more then.
 */
export async function bringUpToDate(store: InventoryStore, components: readonly Component[]): Promise<void> {
  for (const component of components) await store.keep(component.name, outlivesApplication(component));
  // An Application that has come back after its kind was away.
  await store.settle();
}

/** `prune: false`. */
function outlivesApplication(component: Component): boolean {
  return !isNative(component.type) && !kustomizeProperties(component).prune;
}
