import { groupOf, type KubeObject, type ObjectReference, objectId, referenceOf } from '#api/kubernetes.ts';
import { ApiError } from '../cluster/client.ts';
import type { LiveObjects } from '../cluster/live-objects.ts';
import type { LiveObject } from '../cluster/projection.ts';
import type { WatchEvent } from '../cluster/watch.ts';
import type { Claims } from './claims.ts';
import { type Owner, ownerKey } from './owner-key.ts';

const AUTOSCALER = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' };

/** A HorizontalPodAutoscaler that Git has. */
interface Rendered {
  target: Partial<ObjectReference> | undefined;
  /** Git still has it. */
  stands: () => boolean;
}

/** Who scales what in the namespace. Watched only once somebody asks: replicas that differ from Git are rare. */
export class Autoscalers {
  readonly #live: LiveObjects;
  /** By ownerKey. */
  readonly #rendered = new Map<string, Rendered[]>();
  /** What was left to an autoscaler, by identity. */
  readonly #left = new Map<string, ObjectReference>();

  constructor(live: LiveObjects) {
    this.#live = live;
  }

  /**
   * What a component renders. An autoscaler that Git has counts while it is not in the cluster as well: one that was deleted
   * is put back after what it scales.
   */
  render(owner: Owner, objects: readonly KubeObject[], claims: Pick<Claims, 'rendering'>): void {
    const rendered = objects.filter(isAutoscaler).map((object) => {
      const id = objectId(referenceOf(object));
      return { target: targetOf(object), stands: () => claims.rendering(id).length > 0 };
    });
    if (rendered.length > 0) this.#rendered.set(ownerKey(owner), rendered);
    else this.forget(owner);
  }

  /** The component renders nothing any more, or nobody knows. */
  forget(owner: Owner): void {
    this.#rendered.delete(ownerKey(owner));
  }

  /** Whether a HorizontalPodAutoscaler targets the object. One that may not be read counts as none; throws where nobody can say. */
  async target(reference: ObjectReference): Promise<boolean> {
    for (const error of (await this.#live.need('autoscalers', [AUTOSCALER])).values()) if (!isForbidden(error)) throw error;
    const isTargeted = this.#targets(reference);
    if (isTargeted) this.#left.set(objectId(reference), reference);
    return isTargeted;
  }

  /** To be asked after each event of an autoscaler: what was left to one, and has none any longer. */
  released(): ObjectReference[] {
    if (this.#left.size === 0) return [];
    const targets = new Set(this.#live.all(AUTOSCALER).map((one) => keyOf(targetOf(one))));
    for (const { target, stands } of [...this.#rendered.values()].flat())
      if (!targets.has(keyOf(target)) && stands()) targets.add(keyOf(target));
    const released = [...this.#left].filter(([, reference]) => !targets.has(keyOf(reference)));
    for (const [id] of released) this.#left.delete(id);
    return released.map(([, reference]) => reference);
  }

  #targets({ kind, name }: ObjectReference): boolean {
    const key = keyOf({ kind, name });
    if (this.#live.all(AUTOSCALER).some((one) => keyOf(targetOf(one)) === key)) return true;
    return [...this.#rendered.values()].flat().some(({ target, stands }) => keyOf(target) === key && stands());
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403;
}

function keyOf(target: Partial<ObjectReference> | undefined): string {
  return `${target?.kind ?? ''}/${target?.name ?? ''}`;
}

/** Whether an event tells of an autoscaler that has let go of what it scaled: most tell of a status. */
export function letsGo({ type, object, previous }: WatchEvent): boolean {
  return isAutoscaler(object) && (type === 'deleted' || (previous !== undefined && keyOf(targetOf(previous)) !== keyOf(targetOf(object))));
}

export function isAutoscaler({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
  return kind === AUTOSCALER.kind && groupOf(apiVersion) === groupOf(AUTOSCALER.apiVersion);
}

function targetOf(autoscaler: KubeObject): Partial<ObjectReference> | undefined {
  return (autoscaler['spec'] as { scaleTargetRef?: Partial<ObjectReference> } | undefined)?.scaleTargetRef;
}

/**
 * The object as it is applied while an autoscaler works on it: without replicas, which stay with whoever has set them. Where
 * they are still ours, with those of the live object: what we gave up would fall back to a default.
 */
export function forAutoscaler(object: KubeObject, live: LiveObject): KubeObject {
  const { replicas, ...spec } = (object['spec'] ?? {}) as { replicas?: number };
  const current = (live['spec'] as { replicas?: number } | undefined)?.replicas;
  if (replicas === undefined || current === undefined) return object;
  const { fields, withReplicas } = live.ownership;
  const isOurs = fields !== '' && withReplicas === undefined;
  if (isOurs && current === replicas) return object;
  return { ...object, spec: isOurs ? { ...spec, replicas: current } : spec };
}

/**
 * The answer to what was sent for an object of Git, for the inventory: as if replicas that were left to an autoscaler were
 * ours. They are a difference then, and are put back once it is gone.
 */
export function asRecorded(answer: LiveObject, sent: KubeObject, git: { object: KubeObject }): LiveObject {
  const { withReplicas } = answer.ownership;
  if (withReplicas === undefined || hasReplicas(sent) || !hasReplicas(git.object)) return answer;
  return { ...answer, ownership: { ...answer.ownership, fields: withReplicas } };
}

function hasReplicas(object: KubeObject): boolean {
  return (object['spec'] as { replicas?: number } | undefined)?.replicas !== undefined;
}
