import { displayName, type ObjectReference } from '#api/kubernetes.ts';
import { assessHealth, type Health } from '../cluster/health.ts';
import type { LiveObject } from '../cluster/projection.ts';

/** From the worst. */
const ORDER: readonly Health['state'][] = ['Failed', 'NotFound', 'Terminating', 'InProgress'];

/** The worst health of some objects, and a sentence about the first that is not well. */
export function worstHealth(references: readonly ObjectReference[], live: (reference: ObjectReference) => LiveObject | undefined): Health {
  const all = references.map((reference) => {
    const object = live(reference);
    return object ? assessHealth(object) : missing(reference);
  });
  for (const state of ORDER) {
    const found = all.find((health) => health.state === state);
    if (found) return found;
  }
  return { state: 'Current', message: '' };
}

function missing(reference: ObjectReference): Health {
  return { state: 'NotFound', message: `${displayName(reference)} was applied and is not in the cluster` };
}
