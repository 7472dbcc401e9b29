import { randomInt } from 'node:crypto';
import type { Application } from '#api/application.ts';
import { annotation, CLAIM } from '#api/names.ts';
import { annotate } from './applications.ts';
import type { Cluster } from './cluster.ts';

/** Another controller that an Application belongs to: no agent of ours answers for it. */
export function foreignHolder({ metadata: { annotations = {} } }: Application): string | undefined {
  const holder = annotations[annotation.controllerVersionRequire];
  return holder === CLAIM ? undefined : holder;
}

/** Asks the agent to pull an Application now. Resolves to the token that its status shows once that is done. Throws an ApiError. */
export async function askToPull(cluster: Cluster, name: string, nowMs: number): Promise<string> {
  const token = freshToken(nowMs);
  await annotate(cluster, name, { [annotation.reconcileAt]: token });
  return token;
}

/** RFC 3339 with nanoseconds, the last six digits by chance: two calls in one millisecond differ. */
function freshToken(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('Z', `${String(randomInt(1_000_000)).padStart(6, '0')}Z`);
}
