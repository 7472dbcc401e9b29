import { randomBytes } from 'node:crypto';
import { type ObjectReference, objectId } from '#api/kubernetes.ts';
import type { LiveObject } from '../cluster/projection.ts';
import type { HeldPrune, InventoryEntry } from '../manifest/inventory.ts';
import { heldPrune, type PruneBudget } from '../manifest/prune-budget.ts';
import type { BuildPoint } from './claims.ts';
import type { DeliveryContext, DeliveryOwner } from './delivery.ts';
import { type Ending, isEnding } from './endings.ts';
import type { InventoryStore } from './inventory-store.ts';
import { existence, recordRemoval, type Removal, type RemovalContext, removeEntries } from './removal.ts';
import { type Sorted, sortStale, staleOf, weightOf } from './stale.ts';

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
  /** Deleted, and something still holds them. */
  ending: Ending[];
  /** Those of them that were deleted just now. */
  begun: Ending[];
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
  const { claims, inventories, client, live, metrics } = prune.context;
  const spare = (entry: InventoryEntry): boolean => !owner.prune || owner.exempt(entry);
  const sorted = await sortStale(staleOf(store.entries(owner.component), prune.desired), {
    owner,
    claims,
    inventories,
    spare,
    live,
    at: request.at,
    mentions: request.mentions,
  });
  const context = { client, application: owner.application, signal };
  sorted.stale = await forgetNeverMade(sorted.stale, store, context);
  // What is being deleted is decided, and counts no more.
  const stale = sorted.stale.filter((entry) => !isEnding(entry));
  const held = await hold(stale, sorted, prune);
  // No watch is kept for a component that has left.
  const watched = (entry: InventoryEntry): LiveObject | undefined => (request.left ? undefined : live.get(entry));
  const open = await store.lettingGo(store.endings.open(held ? sorted.stale.filter(isEnding) : sorted.stale, watched));
  const nothing = { gone: [], left: [], ending: [], failures: [] };
  const removal = open.length > 0 ? await metrics.timed('prune', () => removeEntries(open, context)) : nothing;
  const labels = { application: owner.application, component: owner.component };
  // Nobody clears the series of a component that has left the spec.
  if (held || !request.left) metrics.heldPrunes.set(labels, held?.objects.length ?? 0);
  else metrics.heldPrunes.clear(labels);
  const others = [...sorted.spared, ...sorted.handedOver];
  const begun = await recordRemoval(removal, store, { others, settled: settledBy([...removal.gone, ...others], removal, prune) });
  if (removal.failures[0]) throw removal.failures[0];
  const rest = staleOf(store.entries(owner.component), prune.desired);
  // Others may have taken meanwhile what was held.
  if (!held || rest.length === 0) await settleHold(rest, prune);
  if (request.left && rest.length === 0) metrics.heldPrunes.clear(labels);
  return {
    removed: removal.gone,
    kept: sorted.spared,
    left: removal.left,
    waiting: sorted.waiting,
    ...(held ? { held } : {}),
    ending: store.endings.of(owner.component, rest),
    begun,
  };
}

/** Entries without a UID whose objects are there all the same: they are not asked for at each run while their prune waits. */
const standing = new WeakSet<InventoryEntry>();

/** What was meant to be made and never was, such as by a commit that the API server refused, is no prune. Resolves to the others. */
async function forgetNeverMade(stale: InventoryEntry[], store: InventoryStore, context: RemovalContext): Promise<InventoryEntry[]> {
  const unknown = stale.filter((entry) => entry.uid === undefined && !standing.has(entry));
  const gone = new Set<InventoryEntry>();
  for (const [entry, exists] of await existence(unknown, context)) (exists ? standing : gone).add(entry);
  await store.forget(gone);
  return stale.filter((entry) => !gone.has(entry));
}

/** Whether the prune has to wait for a person. */
async function hold(stale: readonly InventoryEntry[], { waiting }: Sorted, prune: Prune): Promise<HeldPrune | undefined> {
  const { store, owner } = prune;
  const before = store.held(owner.component);
  // What another component may take: whether it does decides later, and the list that was shown stands until then.
  const open = waiting.filter((entry) => before?.objects.includes(objectId(entry)));
  const held = holds([...stale, ...open], prune);
  if (held) await store.hold(owner.component, held);
  return held;
}

/** Whoever has joined belongs to it from now on where nothing that has left Git is there any more, or is being deleted at least. */
function settledBy(going: InventoryEntry[], { left, ending }: Removal, { store, owner, desired }: Prune): InventoryEntry[] {
  const entries = store.entries(owner.component);
  const decided = new Set([...going, ...left.map(({ entry }) => entry), ...ending.map(({ was }) => was)]);
  const isOpen = staleOf(entries, desired).some((entry) => !isEnding(entry) && !decided.has(entry));
  return isOpen ? [] : entries.filter(({ joined }) => joined);
}

/** The list that was shown stands until all of it is gone: a word that was given is good for what a death or an error has left. */
async function settleHold(rest: readonly InventoryEntry[], { store, owner }: Prune): Promise<void> {
  const listed = new Set(store.held(owner.component)?.objects);
  if (!rest.some((entry) => !isEnding(entry) && listed.has(objectId(entry)))) await store.hold(owner.component, undefined);
}

function holds(stale: InventoryEntry[], { request, owner, desired, store, context }: Prune): HeldPrune | undefined {
  if (stale.length === 0) return undefined;
  const { inventories, live } = context;
  return heldPrune({
    stale,
    // Of a component that has left the spec everything goes: what counts is its share of the Application.
    // What came in the place of something counts as little as what is on its way out.
    inventory: (request.left ? store.inventory.entries : store.entries(owner.component)).filter(
      (entry) => !isEnding(entry) && !(entry.joined && desired.has(objectId(entry))),
    ),
    budget: request.budget,
    weigh: (entry) => weightOf(entry, inventories, (reference) => live.get(reference)),
    left: request.left ?? false,
    commit: request.at?.commit,
    fresh: randomBytes(20).toString('hex'),
    held: store.held(owner.component),
    approved: request.approved,
  });
}
