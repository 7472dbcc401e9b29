import type { Application, Component } from '#api/application.ts';
import type { ObjectReference } from '#api/kubernetes.ts';
import { annotation } from '#api/names.ts';
import type { Log } from '#core/log.ts';
import { NO_BUDGET } from '../manifest/prune-budget.ts';
import type { DeliveryContext } from '../sync/delivery.ts';
import type { InventoryStore } from '../sync/inventory-store.ts';
import { pruneStale } from '../sync/pruner.ts';

export interface Left {
  application: Application;
  store: InventoryStore;
  /** Those that there are. */
  components: readonly Component[];
  exempt: (reference: ObjectReference) => boolean;
}

const RETRY_MS = 5_000;

/**
 * What components that are gone from the spec had applied is removed once the workflow has succeeded. Resolves to when to
 * come back, where something waits.
 */
export async function removeLeftovers(
  left: Left,
  context: DeliveryContext & { log: Log },
  signal: AbortSignal,
): Promise<number | undefined> {
  const { store, components } = left;
  // A component may be gone whose intention was written and never answered.
  await store.settle();
  const names = new Set(components.map(({ name }) => name));
  const gone = new Set(store.inventory.entries.map(({ component }) => component).filter((component) => !names.has(component)));
  let waiting = false;
  for (const component of gone) waiting = (await removeComponent(left, component, { context, signal })) || waiting;
  return waiting ? RETRY_MS : undefined;
}

/** True where others are about to take over what the component had, or a person has to say a word about its volumes. */
async function removeComponent(
  { application, store, exempt }: Left,
  component: string,
  { context, signal }: { context: DeliveryContext & { log: Log }; signal: AbortSignal },
): Promise<boolean> {
  const { name, annotations } = application.metadata;
  const owner = { application: name, component, prune: !store.inventory.keep.includes(component), exempt };
  const request = { budget: NO_BUDGET, approved: annotations?.[annotation.approvePrune], mentions: () => Promise.resolve(false) };
  const pruned = await pruneStale({ request, owner, desired: new Set(), store, context }, signal);
  if (pruned.held) context.log.warn('prune held', { component, why: pruned.held.why, objects: pruned.held.objects.length });
  return pruned.waiting.length > 0;
}
