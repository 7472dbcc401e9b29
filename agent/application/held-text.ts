import type { HeldPrune } from '../manifest/inventory.ts';

/** Digits of the commit that a person is shown. */
export const SHOWN_DIGITS = 12;

/** That a prune waits, why, and what a person may do about it. */
export function heldText({ commit, objects, why }: HeldPrune, application: string): string {
  const approve = `lateen approve ${application}`;
  const count = objects.length === 1 ? '1 object' : `${objects.length} objects`;
  return `a prune of ${count} is held: ${why}; look at it with "${approve}", approve it with "${approve} ${commit.slice(0, SHOWN_DIGITS)}"`;
}
