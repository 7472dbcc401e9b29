import type { Cause, Failure } from '#api/failure.ts';
import type { Applier, Task } from './applier.ts';
import { objectsFailure } from './causes.ts';
import type { Pace } from './pace.ts';

/**
 * `atomic: true`: why nothing may be written, as dry runs of everything tell. A dry run makes nothing, so that what is
 * refused for the want of an object that would be made before it (a RoleBinding for its Role) says nothing.
 */
export async function refusalOf(
  open: readonly { task: Task }[],
  causes: readonly Cause[],
  { applier, pace, signal }: { applier: Applier; pace: Pace; signal: AbortSignal },
): Promise<Failure | undefined> {
  if (causes.length > 0) return objectsFailure(causes, []);
  const tried = await Promise.all(open.map(({ task }) => pace.run(() => applier.dryRun(task, signal))));
  const made = new Set(open.flatMap(({ task }) => (task.live ? [] : [task.desired.reference.name])));
  const failures = tried.filter((failure) => failure !== undefined).filter((failure) => !misses(made, failure));
  return objectsFailure([], failures);
}

/** Whether the API server misses one of these names, in its words for what is not there. */
function misses(names: ReadonlySet<string>, { message }: Failure): boolean {
  return [...message.matchAll(/"([^"]+)" not found/g)].some(([, name = '']) => names.has(name));
}
