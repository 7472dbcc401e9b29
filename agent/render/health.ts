import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';

/** On the workload, and it comes there from the Application; whatever its value (spec/kubevela.md §3.8). */
const DISABLE_HEALTH_CHECK = 'app.oam.dev/disable-health-check';

interface Replicas {
  replicas?: number;
  readyReplicas?: number;
  updatedReplicas?: number;
  observedGeneration?: number;
}

/**
 * KubeVela's health of a Deployment (spec/kubevela.md §6.1): every replica is there, ready and new, and the controller has seen
 * the generation. `Ready:1/1` is its message. It is that of the live object, so a workload that is not there is not healthy.
 */
export function workloadHealth(live: KubeObject | undefined, application: Application): { healthy: boolean; message: string } {
  const spec = (live?.['spec'] ?? {}) as Replicas;
  const status = (live?.['status'] ?? {}) as Replicas;
  const wanted = spec.replicas ?? 1;
  const ready = status.readyReplicas ?? 0;
  const message = `Ready:${ready}/${wanted}`;
  if (!live) return { healthy: false, message };
  const checked = [live, application].every(({ metadata }) => metadata.annotations?.[DISABLE_HEALTH_CHECK] === undefined);
  if (!checked) return { healthy: true, message };
  const complete = [ready, status.updatedReplicas ?? 0, status.replicas ?? 0].every((count) => count === wanted);
  return { healthy: complete && (status.observedGeneration ?? 0) >= (live.metadata.generation ?? 0), message };
}
