import { ApiError } from '#agent/cluster/client.ts';
import { Failure } from '#api/failure.ts';
import { messageOf, oneLine } from '#core/errors.ts';
import type { Clock } from '#core/clock.ts';
import type { Cluster } from './cluster.ts';

/** One thing that `lateen doctor` has looked at. */
export interface Checked {
  check: string;
  /** `skipped`: it could not be asked, and the message says why. */
  state: 'ok' | 'failed' | 'skipped';
  message: string;
  /** What to do, of a check that failed. */
  remedy?: string;
}

/** What every check may use. */
export interface Seat {
  cluster: Cluster;
  clock: Clock;
}

export type Check = (seat: Seat) => Promise<Checked[]>;

export const DEADLINE_MS = 15_000;

export const ok = (check: string, message: string): Checked => ({ check, state: 'ok', message });
export const skipped = (check: string, message: string): Checked => ({ check, state: 'skipped', message });
export const failed = (check: string, message: string, remedy: string): Checked => ({ check, state: 'failed', message, remedy });

/** A check that the API server refuses to this person is skipped; nothing that happens in one ends the others. */
export async function guarded(check: string, run: () => Promise<Checked[]>): Promise<Checked[]> {
  try {
    return await run();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal !== undefined) return [skipped(check, refusal)];
    const failure = error instanceof Failure ? error : undefined;
    return [failed(check, oneLine(failure?.message ?? messageOf(error), 400), failure?.remedy ?? 'look at the log of the API server')];
  }
}

/** `you may not get deployments.apps in the namespace team-a`; undefined where the error is another one. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof ApiError) || error.status !== 403) return undefined;
  const { verb, resource, group, namespace } = error.asked;
  const where = namespace ? ` in the namespace ${namespace}` : '';
  return `you may not ${verb} ${group === '' ? resource : `${resource}.${group}`}${where}`;
}
