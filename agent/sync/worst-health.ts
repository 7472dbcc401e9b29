import { displayName, type ObjectReference } from '#api/kubernetes.ts';
import { assessHealth, type Health } from '../cluster/health.ts';
import type { LiveObject } from '../cluster/projection.ts';

/** From the worst. */
const ORDER: readonly Health['state'][] = ['Failed', 'NotFound', 'Terminating', 'InProgress'];

export interface HealthOptions {
  /** The API server's clock. */
  nowMs?: number;
  /** Of an object that was applied and is not there: whether it was to go by itself. */
  isDone?: (reference: ObjectReference) => boolean;
}

/** An object that was applied, as it stands. */
export interface Assessed {
  live: LiveObject | undefined;
  health: Health;
}

type Live = (reference: ObjectReference) => LiveObject | undefined;

/** The health of each of some objects. */
export function healthOfEach(references: readonly ObjectReference[], live: Live, { nowMs, isDone }: HealthOptions = {}): Assessed[] {
  return references.map((reference) => {
    const object = live(reference);
    if (object) return { live: object, health: assessHealth(object, nowMs) };
    return { live: undefined, health: isDone?.(reference) ? { state: 'Current', message: '' } : missing(reference) };
  });
}

/** The worst of them: the first that is not well, and of those the one that is worst. */
export function worstOf(all: readonly Assessed[]): Health {
  for (const state of ORDER) {
    const found = all.find(({ health }) => health.state === state);
    if (found) return found.health;
  }
  return { state: 'Current', message: '' };
}

/** The worst health of some objects, and a sentence about the first that is not well. */
export function worstHealth(references: readonly ObjectReference[], live: Live): Health {
  return worstOf(healthOfEach(references, live));
}

function missing(reference: ObjectReference): Health {
  return { state: 'NotFound', message: `${displayName(reference)} was applied and is not in the cluster` };
}
