import { randomBytes } from 'node:crypto';
import { type ObjectReference, objectId } from '#api/kubernetes.ts';
import type { HeldPrune, InventoryEntry } from '../manifest/inventory.ts';
import { heldPrune, type PruneBudget } from '../manifest/prune-budget.ts';
import type { BuildPoint } from './claims.ts';
import type { DeliveryContext, DeliveryOwner } from './delivery.ts';
import type { InventoryStore } from './inventory-store.ts';
import { removeEntries } from './removal.ts';
import { sortStale, weightOf } from './stale.ts';

export interface PruneRequest {
  at?: BuildPoint;
  budget: PruneBudget;
  /** The commit that a person approved a held prune with. */
  approved: string | undefined;
  mentions: (path: string, reference: ObjectReference) => Promise<boolean>;
  /** The component has left the spec. */
  left?: true;
}

export interface Pruned {
  removed: ObjectReference[];
  kept: ObjectReference[];
  left: { entry: InventoryEntry; why: string }[];
  /** Another component is expected to take them. */
  waiting: ObjectReference[];
  held?: HeldPrune;
}

export interface Prune {
  request: PruneRequest;
  owner: DeliveryOwner;
  /** Identities of what Git has. */
  desired: ReadonlySet<string>;
  store: InventoryStore;
  context: DeliveryContext;
}

/** Removes what left Git, hands over what another component has by now, and holds what is too much (step 11 of spec/sync.md §6A). */
export async function pruneStale(prune: Prune, signal: AbortSignal): Promise<Pruned> {
  const { request, owner, store } = prune;
  const { claims, inventories, client, metrics } = prune.context;
  const entries = store.entries(owner.component);
  const spare = (entry: InventoryEntry): boolean => !owner.prune || owner.exempt(entry);
  const stale = staleOf(entries, prune.desired);
  const sorted = await sortStale(stale, { owner, claims, inventories, spare, at: request.at, mentions: request.mentions });
  const before = store.held(owner.component);
  // What another component may take: whether it does decides later, and the list that was shown stands until then.
  const open = sorted.waiting.filter((entry) => before?.objects.includes(objectId(entry)));
  const held = holds([...sorted.stale, ...open], entries, prune);
  await store.hold(owner.component, held ?? (open.length > 0 ? before : undefined));
  const context = { client, application: owner.application, signal };
  const nothing = { gone: [], left: [], failures: [] };
  const go = !held && sorted.stale.length > 0;
  const removal = go ? await metrics.timed('prune', () => removeEntries(sorted.stale, context)) : nothing;
  metrics.heldPrunes.set({ application: owner.application, component: owner.component }, held?.objects.length ?? 0);
  await store.forget(new Set([...removal.gone, ...removal.left.map(({ entry }) => entry), ...sorted.spared, ...sorted.handedOver]));
  if (removal.failures[0]) throw removal.failures[0];
  return { removed: removal.gone, kept: sorted.spared, left: removal.left, waiting: sorted.waiting, ...(held ? { held } : {}) };
}

/** Entries that are no longer desired; one object seen through two API groups is still the same object. */
function staleOf(entries: readonly InventoryEntry[], desired: ReadonlySet<string>): InventoryEntry[] {
  const uids = new Set(entries.filter((entry) => desired.has(objectId(entry))).map(({ uid }) => uid));
  return entries.filter((entry) => !desired.has(objectId(entry)) && (entry.uid === undefined || !uids.has(entry.uid)));
}

function holds(stale: InventoryEntry[], inventory: InventoryEntry[], { request, owner, store, context }: Prune): HeldPrune | undefined {
  if (stale.length === 0) return undefined;
  const { inventories, live } = context;
  return heldPrune({
    stale,
    inventory,
    budget: request.budget,
    weigh: (entry) => weightOf(entry, inventories, (reference) => live.get(reference)),
    left: request.left ?? false,
    token: request.at?.commit ?? randomBytes(20).toString('hex'),
    held: store.held(owner.component),
    approved: request.approved,
  });
}
