import type { Cause } from '#api/failure.ts';
import { displayName, objectId } from '#api/kubernetes.ts';
import { API_VERSION } from '#api/names.ts';
import type { LiveObject } from '../cluster/projection.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import type { Claims } from './claims.ts';
import type { Desired } from './desired.ts';
import type { Holding, InventoryIndex } from './inventory-index.ts';
import { type Owner, ownerKey, ownerText } from './owner-key.ts';
import { carriesLabels, isFromIntention } from './verdict.ts';

/** Whether a component may write an object. */
export type Title =
  /** It is ours, or nobody's and not there yet. `entry` is what is known of it. */
  { may: 'write'; entry: InventoryEntry | undefined; from: Holding | undefined } | { may: 'not'; cause: Cause; waiting: boolean };

export interface OwnershipContext {
  owner: Owner;
  index: InventoryIndex;
  claims: Claims;
  /** Objects that nobody owns may be taken: `adopt: true`, or by other signs (native components). */
  adopt: (live: LiveObject) => boolean;
}

/** Who has the object, by inventories and never by labels alone (spec/sync.md §3.6, A20, A21). */
export function titleTo(desired: Desired, live: LiveObject | undefined, context: OwnershipContext): Title {
  const { owner, index, claims } = context;
  const holdings = index.holdings(desired.id);
  const own = holdings.find((holding) => ownerKey(holding) === ownerKey(owner))?.entry;
  const ours = own && live ? ownEntry(own, owner, live) : own;
  const other = holdings.find((holding) => ownerKey(holding) !== ownerKey(owner) && isOf(holding.entry, live));
  // A hand-over that did not come to its end leaves both with an entry: whose labels it has keeps it while it renders it.
  const theirs = other !== undefined && claims.mayRender(other, desired.id) && !isLeaving(other, desired, context);
  if (ours && !(theirs && live && carriesLabels(live, other))) return { may: 'write', entry: ours, from: undefined };
  if (theirs) return { may: 'not', cause: conflict(desired, other), waiting: true };
  if (other) return { may: 'write', entry: { ...other.entry, component: owner.component }, from: other };
  if (live && !context.adopt(live)) return { may: 'not', cause: foreign(desired, own, live), waiting: false };
  return { may: 'write', entry: undefined, from: undefined };
}

/**
 * Whether the Application of a holder has left Git itself (a nested one that was renamed): it keeps its objects until it is
 * pruned, and it is pruned only once those who come after it are well.
 */
function isLeaving({ application }: Owner, { reference: { namespace = '' } }: Desired, { index, claims }: OwnershipContext): boolean {
  const id = objectId({ apiVersion: API_VERSION, kind: 'Application', namespace, name: application });
  const parents = index.holdings(id);
  return parents.length > 0 && parents.every((parent) => !claims.mayRender(parent, id));
}

/** The entry where it speaks of the live object; undefined where that is another object of the same name. */
function ownEntry(entry: InventoryEntry, owner: Owner, live: LiveObject): InventoryEntry | undefined {
  if (entry.uid !== undefined && entry.uid === live.metadata.uid) return entry;
  if (!isFromIntention(entry, owner, live)) return undefined;
  const { uid: _, ...made } = entry;
  return made;
}

function isOf(entry: InventoryEntry, live: LiveObject | undefined): boolean {
  return live === undefined || entry.uid === undefined || entry.uid === live.metadata.uid;
}

function conflict(desired: Desired, holder: Holding): Cause {
  const { file, line } = holder.entry;
  const place = file ? ` (${file}${line ? `:${line}` : ''})` : '';
  const message = `${displayName(desired.reference)} belongs to the ${ownerText(holder)}${place}`;
  return at(desired, { code: 'OwnershipConflict', message, remedy: 'remove it from one of the two' });
}

function foreign(desired: Desired, own: InventoryEntry | undefined, live: LiveObject): Cause {
  const again = own ? 'was made anew by somebody else' : 'is in the cluster already and was not made by this component';
  const message = `${displayName(desired.reference)} ${again} (UID ${live.metadata.uid ?? ''})`;
  return at(desired, { code: 'NotAdopted', message, remedy: 'set adopt: true in the properties to take it over, or delete it' });
}

function at({ reference, origin }: Desired, part: Pick<Cause, 'code' | 'message' | 'remedy'>): Cause {
  return { path: displayName(reference), ...part, file: origin.file, ...(origin.line ? { line: origin.line } : {}) };
}
