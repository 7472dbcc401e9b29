import type { ObjectReference } from '#api/kubernetes.ts';
import type { Health } from '../cluster/health.ts';
import type { BuiltObject } from '../manifest/check.ts';
import type { Delivery } from './delivery.ts';
import { expires, mayExpire } from './expiring.ts';
import { PodTroubles, type PodTroublesContext } from './pod-troubles.ts';
import { type Assessed, healthOfEach, worstOf } from './worst-health.ts';

/** Whose health is asked for. */
export interface HealthQuestion {
  delivery: Pick<Delivery, 'desired' | 'live'>;
  /** As Git has them. */
  objects: readonly BuiltObject[];
  /** What is applied but not waited for. */
  exempt: (reference: ObjectReference) => boolean;
}

/** The health, and whether it is pods that say so. */
export interface ComponentVerdict extends Health {
  byPods: boolean;
}

/** A clock that tells whole seconds is asked again a little later rather than at once. */
const LEAST_MS = 1_000;

/** The health of what one component has applied; where a workload comes no further, with what its pods say. */
export class ComponentHealth {
  readonly #troubles: PodTroubles;
  readonly #nowMs: () => number;
  #changesAtMs: number | undefined;
  /** By build, the names of Jobs that go by themselves: an object of a build may not say its namespace. */
  readonly #expiring = new WeakMap<readonly BuiltObject[], ReadonlySet<string>>();

  constructor(context: PodTroublesContext) {
    this.#troubles = new PodTroubles(context);
    this.#nowMs = () => context.client.transport.serverNow();
  }

  /** By what the watches tell, without a request. */
  atOnce(question: HealthQuestion): Health {
    return worstOf(this.#assess(question));
  }

  /** The same, and of workloads that have come no further for a while what keeps their pods from starting. */
  async of(question: HealthQuestion, signal: AbortSignal): Promise<ComponentVerdict> {
    const all = this.#assess(question);
    const worst = worstOf(all);
    const times = all.map(({ health }) => health.changesAtMs);
    // What has failed by its own word needs no other.
    const inProgress =
      worst.state === 'Failed' ? [] : all.flatMap(({ live, health }) => (live && health.state === 'InProgress' ? [live] : []));
    const { trouble, nextMs } = await this.#troubles.of(inProgress, signal);
    this.#changesAtMs = earliest([...times, nextMs]);
    const byPods = trouble?.state === 'Failed' || worst.state === 'InProgress' ? trouble : undefined;
    return { ...(byPods ?? worst), byPods: byPods !== undefined };
  }

  /** In how many milliseconds it may be another one although nothing tells; undefined: never. Of the last run alone. */
  takeNextInMs(): number | undefined {
    const atMs = this.#changesAtMs;
    this.#changesAtMs = undefined;
    return atMs === undefined ? undefined : Math.max(LEAST_MS, atMs - this.#nowMs());
  }

  #assess({ delivery, objects, exempt }: HealthQuestion): Assessed[] {
    const judged = delivery.desired.filter((reference) => !exempt(reference));
    const isDone = (reference: ObjectReference): boolean => mayExpire(reference) && this.#expiringOf(objects).has(reference.name);
    return healthOfEach(judged, (reference) => delivery.live(reference), { nowMs: this.#nowMs(), isDone });
  }

  /** Found once for a build, and only where a Job is missing: each object is parsed for it. */
  #expiringOf(objects: readonly BuiltObject[]): ReadonlySet<string> {
    const known = this.#expiring.get(objects);
    const names = known ?? new Set(objects.flatMap(({ object }) => (expires(object) ? [object.metadata.name ?? ''] : [])));
    if (!known) this.#expiring.set(objects, names);
    return names;
  }
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}
