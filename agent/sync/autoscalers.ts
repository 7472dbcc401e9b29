import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import type { LiveObjects } from '../cluster/live-objects.ts';

const AUTOSCALER = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' };

/** Who scales what in the namespace. Watched only once somebody asks: replicas that differ from Git are rare. */
export class Autoscalers {
  readonly #live: LiveObjects;

  constructor(live: LiveObjects) {
    this.#live = live;
  }

  /** Whether a HorizontalPodAutoscaler targets the object. One that may not be read counts as none. */
  async target(reference: ObjectReference): Promise<boolean> {
    const refused = await this.#live.need('autoscalers', [AUTOSCALER]);
    if (refused.size > 0) return false;
    return this.#live.all(AUTOSCALER).some((autoscaler) => {
      const target = (autoscaler['spec'] as { scaleTargetRef?: Partial<ObjectReference> } | undefined)?.scaleTargetRef;
      return target?.kind === reference.kind && target.name === reference.name;
    });
  }
}

/** The object with the replicas that the autoscaler has set: theirs are not ours to change. */
export function withReplicasOf(object: KubeObject, live: KubeObject | undefined): KubeObject {
  const replicas = (live?.['spec'] as { replicas?: number } | undefined)?.replicas;
  if (replicas === undefined || !hasReplicas(object)) return object;
  return { ...object, spec: { ...(object['spec'] as object), replicas } };
}

export function hasReplicas(object: KubeObject): boolean {
  return (object['spec'] as { replicas?: number } | undefined)?.replicas !== undefined;
}
