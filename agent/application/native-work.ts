import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { referenceOf } from '#api/kubernetes.ts';
import { annotation, label } from '#api/names.ts';
import type { BuiltObject } from '../manifest/check.ts';
import { NO_BUDGET } from '../manifest/prune-budget.ts';
import { componentTypes, renderComponent, workloadHealth } from '../render/render.ts';
import type { Delivery, PruneRequest } from '../sync/delivery.ts';
import { type ComponentInput, type ComponentResult, type ComponentTools, type ComponentWork, ownerOf } from './component-loop.ts';

export function isNative(type: string): boolean {
  return componentTypes.includes(type);
}

interface Rendered {
  token: string;
  objects: BuiltObject[];
}

/** A component that the agent renders itself: webservice, worker. */
export class NativeWork implements ComponentWork {
  #rendered: Rendered | undefined;

  prune(input: ComponentInput): PruneRequest & { prune: boolean } {
    const approved = input.application.metadata.annotations?.[annotation.approvePrune];
    return { prune: true, budget: NO_BUDGET, approved, mentions: () => Promise.resolve(false) };
  }

  stop(): void {}

  async run(input: ComponentInput, { delivery, health }: ComponentTools, signal: AbortSignal): Promise<ComponentResult> {
    const { application, run } = input;
    const { objects } = this.#render(input);
    const owner = ownerOf(input, true);
    const { failure } = await delivery.apply({ objects, atomic: false, drift: 'correct', adopt: madeByVela(application) }, owner, signal);
    const workload = objects[0]?.object;
    const told = workloadHealth(workload && liveOf(workload, application.metadata.namespace, delivery), application);
    if (failure) return { state: 'failed', revision: run, message: told.message, healthy: false, applied: false, failure };
    const rest = delivery.health({ ...owner, exempt: (reference) => reference.kind === workload?.kind || owner.exempt(reference) });
    // KubeVela's word is what counts; why pods do not start is said behind it.
    const worst = told.healthy ? undefined : await health.of({ delivery, objects, exempt: owner.exempt }, signal);
    const message = worst?.byPods || worst?.state === 'Failed' ? `${told.message}; ${worst.message}` : told.message;
    return { state: 'settled', revision: run, message, healthy: told.healthy && rest.state === 'Current', applied: true };
  }

  /** Rendered once for a state of the Application: equal input gives the very same objects. */
  #render({ application, component, revision }: ComponentInput): Rendered {
    const { generation, labels, annotations } = application.metadata;
    const token = JSON.stringify([generation, labels, annotations, revision, component]);
    if (this.#rendered?.token === token) return this.#rendered;
    const origin = { file: `Application/${application.metadata.name}` };
    const objects = renderComponent({ application, component, revision }).map((object) => ({ object, origin }));
    this.#rendered = { token, objects };
    return this.#rendered;
  }
}

/** What vela-core made for this very Application is taken over with it (spec/kubevela.md §0 fact 2). */
function madeByVela({ metadata: { name, namespace } }: Application): (live: KubeObject) => boolean {
  return ({ metadata: { labels = {} } }) => labels[label.appName] === name && labels[label.appNamespace] === namespace;
}

function liveOf(object: KubeObject, namespace: string, delivery: Delivery): KubeObject | undefined {
  return delivery.live({ ...referenceOf(object), namespace });
}
