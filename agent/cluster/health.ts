import { displayName, groupOf, type KubeObject } from '#api/kubernetes.ts';
import type { ApplicationStatus } from '#api/application.ts';
import {
  CURRENT,
  type Counters,
  failed,
  find,
  type Health,
  type Judged,
  progressing,
  type Rule,
  type StatusCondition,
} from './health-rule.ts';
import { pod } from './pod-health.ts';
import { daemonSet, deployment, job, replicaSet, statefulSet } from './workload-health.ts';

export type { Health } from './health-rule.ts';

/** Kinds with a rule of their own; all others are judged by their conditions. By `group/Kind`. */
const RULES: Record<string, Rule> = {
  'apps/Deployment': deployment,
  'apps/StatefulSet': statefulSet,
  'apps/DaemonSet': daemonSet,
  'apps/ReplicaSet': replicaSet,
  'batch/Job': job,
  'batch/CronJob': () => CURRENT,
  '/ConfigMap': () => CURRENT,
  '/Secret': () => CURRENT,
  '/Service': service,
  '/Pod': pod,
  '/PersistentVolumeClaim': claim,
  'policy/PodDisruptionBudget': budget,
  'apiextensions.k8s.io/CustomResourceDefinition': definition,
  'core.oam.dev/Application': application,
  'core.oam.dev/ApplicationRevision': () => CURRENT,
};

/** Kinds whose health never depends on what they hold: metadata is enough. */
const ALWAYS_CURRENT = new Set([
  '/ConfigMap',
  '/Secret',
  '/ServiceAccount',
  '/LimitRange',
  '/ResourceQuota',
  'batch/CronJob',
  'rbac.authorization.k8s.io/Role',
  'rbac.authorization.k8s.io/RoleBinding',
  'networking.k8s.io/NetworkPolicy',
  'networking.k8s.io/Ingress',
]);

export function hasHealthRule(group: string, kind: string): boolean {
  return !ALWAYS_CURRENT.has(`${group}/${kind}`);
}

/**
 * The rules of spec/sync.md §5.2, and that of a nested Application. `nowMs`: the API server's clock, for what is a failure only
 * once it has lasted; without it that stays in progress.
 */
export function assessHealth(object: KubeObject | undefined, nowMs?: number): Health {
  if (!object) return { state: 'NotFound', message: 'an object that was applied is not in the cluster' };
  const name = displayName({ kind: object.kind, name: object.metadata.name ?? '' });
  if (object.metadata.deletionTimestamp) return { state: 'Terminating', message: `${name} is being deleted` };
  const status = (object['status'] ?? {}) as Counters;
  const spec = (object['spec'] ?? {}) as Record<string, unknown>;
  const { generation = status.observedGeneration ?? 0 } = object.metadata;
  // A restored object counts its generations anew: its status may be ahead.
  if (status.observedGeneration !== undefined && status.observedGeneration !== generation) {
    return progressing(name, 'its controller has not seen the change yet');
  }
  const marked = byMarks(name, status.conditions);
  if (marked) return marked;
  const judged = { name, spec, status, generation, nowMs };
  const rule = RULES[`${groupOf(object.apiVersion)}/${object.kind}`];
  return rule ? rule(judged) : byReady(judged);
}

function byMarks(name: string, conditions: StatusCondition[] | undefined): Health | undefined {
  const reconciling = find(conditions, 'Reconciling');
  if (reconciling?.status === 'True') return progressing(name, reconciling.message || 'it is being reconciled');
  const stalled = find(conditions, 'Stalled');
  return stalled?.status === 'True' ? failed(name, stalled.message || 'it is stalled') : undefined;
}

function byReady({ name, status }: Judged): Health {
  const ready = find(status.conditions, 'Ready');
  if (!ready || ready.status === 'True') return CURRENT;
  return progressing(name, ready.message || 'it is not ready');
}

/** A LoadBalancer is not waited for: its address may come from outside the cluster, or never. */
function service({ name, spec }: Judged): Health {
  return spec['type'] === 'LoadBalancer' && !spec['clusterIP'] ? progressing(name, 'it has no address in the cluster yet') : CURRENT;
}

function budget({ name, status }: Judged): Health {
  return status.observedGeneration === undefined ? progressing(name, 'its controller has not seen it yet') : CURRENT;
}

function definition({ name, status }: Judged): Health {
  const accepted = find(status.conditions, 'NamesAccepted');
  if (accepted?.status === 'False') return failed(name, accepted.message || 'its names are taken');
  const established = find(status.conditions, 'Established');
  if (established?.status === 'True') return CURRENT;
  if (!established || established.reason === 'Installing') return progressing(name, 'it is being installed');
  return failed(name, established.message || 'it cannot be established');
}

function claim({ name, status }: Judged): Health {
  return status.phase === 'Bound' ? CURRENT : progressing(name, `the volume is ${status.phase ?? 'not bound'}`);
}

/** A nested Application is well when it runs, at the generation that was applied. */
function application({ name, status, generation }: Judged): Health {
  const { status: phase, observedGeneration, services = [], conditions } = status as unknown as ApplicationStatus;
  if (observedGeneration === undefined || observedGeneration < generation) return progressing(name, 'it has not been reconciled yet');
  if (phase === 'running') return CURRENT;
  if (phase === 'workflowFailed' || phase === 'workflowTerminated') return failed(name, `it is ${phase}`);
  const sick = services.find(({ healthy }) => !healthy);
  const admitted = conditions?.find(({ type }) => type === 'Admitted');
  if (admitted?.status === 'False') return progressing(name, `it was not admitted: ${admitted.message ?? ''}`);
  return progressing(name, sick?.message ? `component ${sick.name}: ${sick.message}` : `it is ${phase ?? 'starting'}`);
}
