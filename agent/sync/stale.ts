import { type ObjectReference, objectId } from '#api/kubernetes.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION, GROUP } from '#api/names.ts';
import { groupOf } from '#api/kubernetes.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import type { Weight } from '../manifest/prune-budget.ts';
import type { LiveObjects } from '../cluster/live-objects.ts';
import type { BuildPoint, Claims } from './claims.ts';
import type { Inventories } from './inventories.ts';
import { type Owner, ownerKey } from './owner-key.ts';
import { carriesLabels } from './verdict.ts';

/** What becomes of the entries that are no longer desired. */
export interface Sorted {
  /** Another component has them by now: only our entry goes. */
  handedOver: InventoryEntry[];
  /** Another component renders them and is about to take them, or may do so once it is built. */
  waiting: InventoryEntry[];
  /** Stay in the cluster: `prune: false`, or the Application itself. */
  spared: InventoryEntry[];
  stale: InventoryEntry[];
}

export interface SortContext {
  owner: Owner;
  claims: Claims;
  inventories: Inventories;
  spare: (entry: InventoryEntry) => boolean;
  live: Pick<LiveObjects, 'get'>;
  at: BuildPoint | undefined;
  /** Whether the folder of a component that could not be built speaks of an object. */
  mentions: (path: string, reference: ObjectReference) => Promise<boolean>;
}

/** Entries that are no longer desired; one object seen through two API groups is still the same object. */
export function staleOf(entries: readonly InventoryEntry[], desired: ReadonlySet<string>): InventoryEntry[] {
  const uids = new Set(entries.filter((entry) => desired.has(objectId(entry))).map(({ uid }) => uid));
  return entries.filter((entry) => !desired.has(objectId(entry)) && (entry.uid === undefined || !uids.has(entry.uid)));
}

/** Nothing that another component of this agent has in Git is ever deleted in between (a file that was moved, a component that was renamed). */
export async function sortStale(entries: readonly InventoryEntry[], context: SortContext): Promise<Sorted> {
  const { owner, claims, inventories, spare } = context;
  const sorted: Sorted = { handedOver: [], waiting: [], spared: [], stale: [] };
  for (const entry of entries) {
    const id = objectId(entry);
    const other = claims.otherRendering(owner, id);
    const taken =
      other &&
      inventories
        .find(other.application)
        ?.entries(other.component)
        // Recorded, not only intended: until then it may still come to nothing.
        .some((one) => one.uid && one.manifest && objectId(one) === id) &&
      !isStillLabelled(entry, context);
    if (taken) sorted.handedOver.push(entry);
    else if (other || isListedByOther(entry, context) || (await mayTurnUp(entry, context))) sorted.waiting.push(entry);
    else if (spare(entry)) sorted.spared.push(entry);
    else sorted.stale.push(entry);
  }
  return sorted;
}

/** Git has gone back on a hand-over: the former owner has never let go, and has not written its labels again either. */
function isStillLabelled(entry: InventoryEntry, { owner, live }: SortContext): boolean {
  const object = live.get(entry);
  return object !== undefined && carriesLabels(object, owner);
}

/**
 * A hand-over that did not come to its end leaves two with an entry, and Git may have gone back on it meanwhile: the other one
 * may have the object and cannot say so, as it is suspended, or its repository does not answer.
 */
function isListedByOther(entry: InventoryEntry, context: SortContext): boolean {
  const { owner, claims, inventories } = context;
  const id = objectId(entry);
  const isSame = ({ uid }: InventoryEntry): boolean => uid === undefined || entry.uid === undefined || uid === entry.uid;
  const holders = inventories.index.holdings(id).filter((holder) => ownerKey(holder) !== ownerKey(owner) && isSame(holder.entry));
  return holders.some((holder) => claims.mayRender(holder, id) || isPaused(holder, entry, context));
}

/** Its Application is there and nobody runs it: a person has paused it, or the agent has just started. */
function isPaused({ application: name }: Owner, { namespace = '' }: InventoryEntry, { claims, live }: SortContext): boolean {
  return !claims.knows(name) && live.get({ apiVersion: API_VERSION, kind: 'Application', namespace, name }) !== undefined;
}

/** A sibling of the same repository that has not been built at this commit may have the object. */
async function mayTurnUp(entry: InventoryEntry, { owner, claims, inventories, at, mentions }: SortContext): Promise<boolean> {
  if (claims.unheard(owner)) return true;
  // A component that has left the spec has no commit: whoever renders its Application may not be done with what takes its place.
  if (!at && inventories.index.holdings(idOf(owner, entry)).some((parent) => claims.isUnderWay(parent))) return true;
  for (const sibling of at ? claims.behind(owner, at) : []) {
    const unpulled = sibling.at.commit === '';
    // Not at this commit yet: it will be in a moment.
    if ((!unpulled && sibling.at.commit !== at?.commit) || sibling.nested === 'applying') return true;
    // Failed at it: its files are searched for the name; all files, where Applications that it renders are not there to say what they have.
    if (await mentions(sibling.nested ? '' : sibling.at.path, entry)) return true;
  }
  return false;
}

/** Of the Application of the owner. */
function idOf({ application }: Owner, { namespace = '' }: InventoryEntry): string {
  return objectId({ apiVersion: API_VERSION, kind: 'Application', namespace, name: application });
}

const MAX_NESTING = 5;

/** What goes with an entry: a nested Application takes along what it has applied (prune-budget.ts). */
export function weightOf(
  entry: InventoryEntry,
  inventories: Inventories,
  live: (reference: ObjectReference) => KubeObject | undefined,
): Weight {
  return weigh(entry, { inventories, live }, 0);
}

interface WeighContext {
  inventories: Inventories;
  live: (reference: ObjectReference) => KubeObject | undefined;
}

function weigh(entry: ObjectReference, context: WeighContext, depth: number): Weight {
  if (entry.kind === 'PersistentVolumeClaim' && groupOf(entry.apiVersion) === '') return { objects: 1, volumes: [entry.name] };
  if (entry.kind !== 'Application' || groupOf(entry.apiVersion) !== GROUP || depth >= MAX_NESTING) return { objects: 1, volumes: [] };
  const inner = nested(entry, context).map((one) => weigh(one, context, depth + 1));
  return {
    objects: inner.reduce((total, { objects }) => total + objects, 1),
    volumes: inner.flatMap(({ volumes }) => volumes),
  };
}

/** Of ours the inventory; of an Application that another controller runs its status. */
function nested(entry: ObjectReference, { inventories, live }: WeighContext): readonly ObjectReference[] {
  const entries = inventories.find(entry.name)?.inventory.entries;
  if (entries && entries.length > 0) return entries;
  const status = live(entry)?.['status'] as { appliedResources?: ObjectReference[] } | undefined;
  return status?.appliedResources ?? [];
}
