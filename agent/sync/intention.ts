import type { InventoryEntry } from '../manifest/inventory.ts';
import type { Task } from './applier.ts';

interface Made {
  component: string;
  /** RFC 3339. */
  since: string;
  joined?: true;
}

/**
 * What stands in the inventory until the answer is recorded. Without the digest of what was applied before: that may be
 * over by then, and Git may have gone back to it. With a time where an object is about to be made: it will have a UID
 * that nobody has seen yet. `made.joined`: something that has left Git is still there. `isTaken`: the entry was that of
 * another component.
 */
export function intention(task: Task, made: Made, isTaken: boolean): InventoryEntry {
  const { desired, verdict, live, mode } = task;
  const entry = task.entry && isTaken ? taken(task.entry, made) : task.entry;
  if (!entry) return { ...desired.reference, ...made, ...desired.origin };
  if (verdict.do === 'correct' || (verdict.do === 'restore' && mode !== 'correct')) return entry;
  const { manifest, ...rest } = entry;
  const since = live ? {} : { since: entry.since ?? made.since };
  return { ...rest, ...since, ...(verdict.do === 'restore' && manifest ? { manifest } : {}) };
}

/** It comes to this component like one that is made. */
function taken({ joined: _, ...entry }: InventoryEntry, { joined }: Made): InventoryEntry {
  return { ...entry, ...(joined ? { joined } : {}) };
}
