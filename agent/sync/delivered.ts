import type { Cause, Failure } from '#api/failure.ts';
import type { ObjectReference } from '#api/kubernetes.ts';
import type { Outcome, Task } from './applier.ts';
import { objectsFailure } from './causes.ts';

/** What came of bringing the cluster to what Git has. */
export interface Delivered {
  /** Objects that were written and are not what they were. */
  changed: number;
  /** Objects that differ from Git and are left so: `drift: report`. */
  drifted: ObjectReference[];
  failure?: Failure;
}

/** `causes`: what kept objects from being tried at all. */
export function deliveredOf(outcomes: ReadonlyMap<{ task: Task }, Outcome>, causes: readonly Cause[]): Delivered {
  const drifted = [...outcomes].flatMap(([{ task }, outcome]) =>
    outcome.done === 'left' && outcome.drifted ? [task.desired.reference] : [],
  );
  const failures = [...outcomes.values()].flatMap((outcome) => (outcome.done === 'failed' ? [outcome.failure] : []));
  const changed = [...outcomes.values()].filter((outcome) => outcome.done === 'applied' && outcome.changed).length;
  const failure = objectsFailure(causes, failures);
  return { changed, drifted, ...(failure ? { failure } : {}) };
}
