import { objectId } from '#api/kubernetes.ts';
import type { HeldPrune, InventoryEntry } from './inventory.ts';

/** The most that one prune may remove without a person's word. */
export interface PruneBudget {
  /** Objects. */
  count: number;
  /** Share of what was there before the change, where that is at least five objects. */
  percent: number;
}

export const DEFAULT_BUDGET: PruneBudget = { count: 10, percent: 50 };
/** For what follows from a spec that a person wrote: only the data of volumes waits for a word. */
export const NO_BUDGET: PruneBudget = { count: Number.POSITIVE_INFINITY, percent: 100 };

const SMALL_INVENTORY = 5;

/** What goes with an entry: itself, and for a nested Application what that has applied. */
export interface Weight {
  objects: number;
  /** Names of PersistentVolumeClaims among them. */
  volumes: string[];
}

export interface PrunePlan {
  stale: readonly InventoryEntry[];
  /** What the component had before, the stale entries included. */
  inventory: readonly InventoryEntry[];
  budget: PruneBudget;
  weigh: (entry: InventoryEntry) => Weight;
  /** Commit that the component is at, where it is at one. */
  commit: string | undefined;
  /** Something that was never shown before. */
  fresh: string;
  /** The component has left the spec. */
  left: boolean;
  held: HeldPrune | undefined;
  /** The commit that a person has approved, as written: seven digits or more. */
  approved: string | undefined;
}

/** Undefined: go ahead. Else the prune waits, with this record of it. */
export function heldPrune(plan: PrunePlan): HeldPrune | undefined {
  const why = reasonToHold(plan);
  if (why === undefined) return undefined;
  const objects = plan.stale.map(objectId).toSorted();
  const { held, approved } = plan;
  const listed = new Set(held?.objects);
  // The same list or a part of it stays the list that was shown, at whatever commit it is by now.
  const shown = held?.commit && objects.every((id) => listed.has(id)) ? held : undefined;
  if (shown && approved !== undefined && approved.length >= 7 && shown.commit.startsWith(approved)) return undefined;
  // What has come back to Git is no longer on it: should it leave again, that is another list.
  return { commit: shown?.commit ?? tokenFor(plan), objects, why, ...(plan.left ? { left: true } : {}) };
}

/** What names a new list: the commit, unless that has named another one, for which a word may have been given, or may be on its way. */
function tokenFor({ commit, fresh, held, approved = '' }: PrunePlan): string {
  const isUsed = commit === undefined || commit === held?.commit || (approved !== '' && commit.startsWith(approved));
  return isUsed ? fresh : commit;
}

function reasonToHold({ stale, inventory, budget, weigh }: PrunePlan): string | undefined {
  const weights = stale.map(weigh);
  const volumes = weights.flatMap((weight) => weight.volumes);
  if (volumes.length > 0) return `it would remove the data of PersistentVolumeClaim ${volumes.slice(0, 3).join(', ')}`;
  const objects = sum(weights);
  if (objects > budget.count) return `it would remove ${objects} objects, the budget is ${budget.count}`;
  const total = sum(inventory.map(weigh));
  const percent = Math.round((100 * objects) / total);
  if (total >= SMALL_INVENTORY && (100 * objects) / total > budget.percent) {
    return `it would remove ${objects} of ${total} objects (${percent} %), the budget is ${budget.percent} %`;
  }
  return undefined;
}

function sum(weights: readonly Weight[]): number {
  return weights.reduce((total, { objects }) => total + objects, 0);
}
