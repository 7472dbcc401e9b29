import type { KubeObject } from '#api/kubernetes.ts';
import { referenceOf } from '#api/kubernetes.ts';
import { componentTypes, renderComponent, workloadHealth } from '../render/render.ts';
import type { Delivery } from '../sync/delivery.ts';
import { type ComponentInput, type ComponentResult, type ComponentWork, ownerOf } from './component-loop.ts';

export function isNative(type: string): boolean {
  return componentTypes.includes(type);
}

/** A component that the agent renders itself: webservice, worker. */
export class NativeWork implements ComponentWork {
  prune(): boolean {
    return true;
  }

  stop(): void {}

  async run(input: ComponentInput, delivery: Delivery, signal: AbortSignal): Promise<ComponentResult> {
    const { application, component, revision } = input;
    const objects = renderComponent({ application, component, revision });
    const owner = ownerOf(input, true);
    const origin = { file: `Application/${application.metadata.name}` };
    await delivery.apply(
      objects.map((object) => ({ object, origin })),
      owner,
      signal,
    );
    const workload = objects[0];
    const health = workloadHealth(workload && liveOf(workload, application.metadata.namespace, delivery), application);
    const rest = delivery.health({ ...owner, exempt: (reference) => reference.kind === workload?.kind || owner.exempt(reference) });
    const healthy = health.healthy && rest.state === 'Current';
    return { state: 'settled', revision: revision.name, healthy, applied: true, message: health.message };
  }
}

function liveOf(object: KubeObject, namespace: string, delivery: Delivery): KubeObject | undefined {
  return delivery.live({ ...referenceOf(object), namespace });
}
