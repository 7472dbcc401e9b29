import { assessHealth, type Health } from '../cluster/health.ts';
import type { LiveObject } from '../cluster/projection.ts';

/** From the worst. */
const ORDER: readonly Health['state'][] = ['Failed', 'NotFound', 'Terminating', 'InProgress'];

/** The worst health of some objects, undefined where one is not there, and a sentence about the first that is not well. */
export function worstHealth(objects: readonly (LiveObject | undefined)[]): Health {
  const all = objects.map((object) => assessHealth(object));
  for (const state of ORDER) {
    const found = all.find((health) => health.state === state);
    if (found) return found;
  }
  return { state: 'Current', message: '' };
}
