import type { Application, Component } from '#api/application.ts';
import { type ObjectReference, objectId } from '#api/kubernetes.ts';
import { kustomizeProperties } from '#api/kustomize.ts';
import { annotation } from '#api/names.ts';
import { oneLine } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import type { EventRecorder } from '../cluster/events.ts';
import { DEFAULT_BUDGET, NO_BUDGET } from '../manifest/prune-budget.ts';
import type { DeliveryContext } from '../sync/delivery.ts';
import type { InventoryStore } from '../sync/inventory-store.ts';
import { pruneStale } from '../sync/pruner.ts';
import { referenceTo } from './application-facts.ts';
import { ComponentJournal } from './component-journal.ts';
import { heldText } from './held-text.ts';
import { isNative } from './native-work.ts';
import { regarding } from './regarding.ts';

export interface Left {
  application: Application;
  store: InventoryStore;
  /** Those that there are. */
  components: readonly Component[];
  exempt: (reference: ObjectReference) => boolean;
}

type LeftContext = DeliveryContext & { log: Log; events: EventRecorder };

const RETRY_MS = 5_000;

/**
 * What components that are gone from the spec had applied is removed once the workflow has succeeded. Resolves to when to
 * come back: where something waits, and at once where the status has to tell what has changed here.
 */
export async function removeLeftovers(left: Left, context: LeftContext, signal: AbortSignal): Promise<number | undefined> {
  const { store, components } = left;
  // A component may be gone whose intention was written and never answered.
  await store.settle();
  const before = store.inventory;
  const names = new Set(components.map(({ name }) => name));
  const gone = new Set(store.inventory.entries.map(({ component }) => component).filter((component) => !names.has(component)));
  const heirs = gone.size > 0 ? components.filter((component) => mayTakeOver(component, store)) : [];
  if (heirs.length > 0) {
    const waitsFor = heirs.map(({ name }) => `component ${name}, which is suspended`).join(', ');
    context.log.info('what has left the spec keeps its objects for now', { components: [...gone].join(', '), waitsFor });
    // Once it goes on there is a pass.
    return undefined;
  }
  const times: number[] = [];
  for (const component of gone) times.push(...(await removeComponent(left, component, { context, signal })));
  if (gone.size > 0 && store.inventory !== before) return 0;
  return times.length > 0 ? Math.min(...times) : undefined;
}

/**
 * A component that was suspended before it applied anything may be one that was renamed: what it has in Git nobody knows, and
 * what it would take over must not go meanwhile.
 */
function mayTakeOver(component: Component, store: InventoryStore): boolean {
  const isSuspended = !isNative(component.type) && kustomizeProperties(component).suspend;
  return isSuspended && store.entries(component.name).length === 0;
}

/**
 * Resolves to when to come back: where others are about to take over what the component had, or something is being deleted.
 * What needs a person's word comes back with that.
 */
async function removeComponent(
  left: Left,
  component: string,
  { context, signal }: { context: LeftContext; signal: AbortSignal },
): Promise<number[]> {
  const { application, store, exempt } = left;
  const { name, annotations } = application.metadata;
  const owner = { application: name, component, prune: !store.inventory.keep.includes(component), exempt };
  const approved = annotations?.[annotation.approvePrune];
  // What a person takes out of a spec is meant; a commit may be a mistake.
  const isFromGit = context.inventories.index.holdings(objectId(referenceTo(application))).length > 0;
  const request = { budget: isFromGit ? DEFAULT_BUDGET : NO_BUDGET, approved, mentions: () => Promise.resolve(false), left: true as const };
  const before = store.held(component)?.commit;
  const { held, ...pruned } = await pruneStale({ request, owner, desired: new Set(), store, context }, signal);
  new ComponentJournal(context.log, context.events).pruned({ application, component: { name: component } }, pruned);
  if (held && held.commit !== before) {
    context.log.warn('prune held', { component, why: held.why, commit: held.commit, objects: held.objects.length });
    const message = oneLine(`component ${component}, which has left the spec: ${heldText(held, name)}`);
    context.events.record({ regarding: regarding(application), type: 'Warning', reason: 'PruneHeld', message });
  }
  const lookInMs = store.endings.nextInMs(store.entries(component));
  return [...(pruned.waiting.length > 0 ? [RETRY_MS] : []), ...(lookInMs === undefined ? [] : [lookInMs])];
}
