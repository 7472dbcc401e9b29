import type { KubeObject } from '#api/kubernetes.ts';
import { label } from '#api/names.ts';
import type { LiveObject } from '../cluster/projection.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import type { Desired } from './desired.ts';
import { expires, mayExpire } from './expiring.ts';
import type { Owner } from './owner-key.ts';

/** What is to be done about one object. Everything but `leave` costs requests. */
export type Verdict =
  | { do: 'leave' }
  /** It is not there yet, or the manifest has changed. */
  | { do: 'apply' }
  /** Somebody has deleted it. */
  | { do: 'restore' }
  /** Somebody has changed it. `replicas`: nothing but spec.replicas, which may be an autoscaler's work. */
  | { do: 'correct'; replicas: boolean };

const LEAVE: Verdict = { do: 'leave' };

/** `entry` is that of the inventory, and the object of its uid is ours; `live` is what the watch last told. */
export function verdictOn(desired: Desired, entry: InventoryEntry, live: LiveObject | undefined): Verdict {
  // Whatever Git has by now: it comes back as a new object once it is gone.
  if (live?.metadata.deletionTimestamp) return LEAVE;
  if (!entry.uid || entry.manifest !== desired.manifest) return { do: 'apply' };
  if (!live) return onMissing(desired, entry);
  const { fields, withReplicas, additions } = live.ownership;
  const isScaled = withReplicas !== undefined && withReplicas === entry.fields;
  if (additions) return { do: 'correct', replicas: additions.replicas === true && (isScaled || fields === entry.fields) };
  if (fields === entry.fields) return isLabelledAs(desired, live) ? LEAVE : { do: 'apply' };
  return { do: 'correct', replicas: isScaled };
}

function onMissing(desired: Desired, entry: InventoryEntry): Verdict {
  // What we deleted ourselves and Git has again is no drift.
  if (entry.ending) return { do: 'apply' };
  return mayExpire(desired.reference) && expires(desired.object) ? LEAVE : { do: 'restore' };
}

/** Another component may have had it meanwhile, and given it other values in the same fields. */
function isLabelledAs({ owner }: Desired, live: LiveObject): boolean {
  return carriesLabels(live, owner);
}

/**
 * An entry with a time: the agent stopped, or the answer was lost, between intending and recording. The object is ours
 * when it carries our labels and was made after the intention was written; a label alone would not do.
 */
export function isFromIntention(entry: InventoryEntry, owner: Owner, live: KubeObject): boolean {
  if (!carriesLabels(live, owner) || entry.since === undefined) return false;
  return Date.parse(live.metadata.creationTimestamp ?? '') >= Date.parse(entry.since);
}

/** Whether the object says that it belongs to the component. Necessary, never sufficient. */
export function carriesLabels({ metadata: { labels = {} } }: KubeObject, owner: Owner): boolean {
  return labels[label.application] === owner.application && labels[label.component] === owner.component;
}
