import { displayName, groupOf, type KubeObject } from '#api/kubernetes.ts';
import type { ApplicationStatus } from '#api/application.ts';

export interface Health {
  state: 'Current' | 'InProgress' | 'Failed' | 'NotFound' | 'Terminating';
  /** One sentence; empty where all is well. */
  message: string;
}

const CURRENT: Health = { state: 'Current', message: '' };

interface StatusCondition {
  type?: string;
  status?: string;
  reason?: string;
  message?: string;
}

interface Counters {
  observedGeneration?: number;
  conditions?: StatusCondition[];
  phase?: string;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  currentReplicas?: number;
  currentRevision?: string;
  updateRevision?: string;
  desiredNumberScheduled?: number;
  currentNumberScheduled?: number;
  updatedNumberScheduled?: number;
  numberReady?: number;
  numberAvailable?: number;
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
}

interface ContainerStatus {
  name?: string;
  state?: { waiting?: { reason?: string; message?: string } };
}

interface Judged {
  name: string;
  spec: Record<string, unknown>;
  status: Counters;
  generation: number;
}

type Rule = (judged: Judged) => Health;

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

/** The rules of spec/sync.md §5.2, and that of a nested Application. */
export function assessHealth(object: KubeObject | undefined): Health {
  if (!object) return { state: 'NotFound', message: 'an object that was applied is not in the cluster' };
  const name = displayName({ kind: object.kind, name: object.metadata.name ?? '' });
  if (object.metadata.deletionTimestamp) return { state: 'Terminating', message: `${name} is being deleted` };
  const status = (object['status'] ?? {}) as Counters;
  const spec = (object['spec'] ?? {}) as Record<string, unknown>;
  const generation = object.metadata.generation ?? 0;
  if (status.observedGeneration !== undefined && status.observedGeneration < generation) {
    return progressing(name, 'its controller has not seen the change yet');
  }
  const marked = byMarks(name, status.conditions);
  if (marked) return marked;
  const judged = { name, spec, status, generation };
  const rule = RULES[`${groupOf(object.apiVersion)}/${object.kind}`];
  return rule ? rule(judged) : byReady(judged);
}

function progressing(name: string, why: string): Health {
  return { state: 'InProgress', message: `${name}: ${why}` };
}

function failed(name: string, why: string): Health {
  return { state: 'Failed', message: `${name}: ${why}` };
}

function find(conditions: StatusCondition[] | undefined, type: string): StatusCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
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

function number(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}

function deployment({ name, spec, status }: Judged): Health {
  const progress = find(status.conditions, 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') return failed(name, progress.message ?? 'the rollout exceeded its deadline');
  if (status.observedGeneration === undefined) return progressing(name, 'its controller has not seen it yet');
  const why = rollout(status, number(spec['replicas'], 1)) ?? unavailable(status.conditions);
  return why === undefined ? CURRENT : progressing(name, why);
}

/** What a Deployment's counters say is still to come. */
function rollout(status: Counters, wanted: number): string | undefined {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  const old = replicas - updatedReplicas;
  return (
    fewer(updatedReplicas, wanted, 'updated') ??
    (old > 0 ? `${old} old replicas are still running` : undefined) ??
    surplus(replicas, wanted) ??
    fewer(readyReplicas, wanted, 'ready') ??
    fewer(availableReplicas, wanted, 'available')
  );
}

function fewer(count: number, wanted: number, what: string): string | undefined {
  return count < wanted ? `${count} of ${wanted} replicas are ${what}` : undefined;
}

function surplus(count: number, wanted: number): string | undefined {
  return count > wanted ? `${count - wanted} replicas too many are still running` : undefined;
}

function unavailable(conditions: StatusCondition[] | undefined): string | undefined {
  const available = find(conditions, 'Available');
  return available?.status === 'True' ? undefined : available?.message || 'it is not available yet';
}

function statefulSet({ name, spec, status }: Judged): Health {
  const strategy = (spec['updateStrategy'] ?? {}) as { type?: string; rollingUpdate?: { partition?: number } };
  if (strategy.type === 'OnDelete') return CURRENT;
  if (status.observedGeneration === undefined) return progressing(name, 'its controller has not seen it yet');
  const wanted = number(spec['replicas'], 1);
  const { replicas = 0, readyReplicas = 0 } = status;
  const why =
    fewer(Math.min(replicas, readyReplicas), wanted, 'ready') ??
    surplus(replicas, wanted) ??
    notUpdated(status, wanted, strategy.rollingUpdate?.partition ?? 0);
  return why === undefined ? CURRENT : progressing(name, why);
}

/** Below the partition a StatefulSet keeps its old pods for good. */
function notUpdated(status: Counters, wanted: number, partition: number): string | undefined {
  const { updatedReplicas = 0, currentRevision, updateRevision } = status;
  if (partition > 0) return fewer(updatedReplicas, wanted - partition, 'updated');
  return currentRevision === updateRevision ? undefined : `${updatedReplicas} of ${wanted} replicas are updated`;
}

function daemonSet({ name, status }: Judged): Health {
  const { desiredNumberScheduled: wanted, updatedNumberScheduled = 0, numberReady = 0, numberAvailable = 0, observedGeneration } = status;
  if (observedGeneration === undefined || wanted === undefined) return progressing(name, 'its controller has not seen it yet');
  const least = Math.min(updatedNumberScheduled, numberReady, numberAvailable);
  return least >= wanted ? CURRENT : progressing(name, `${least} of ${wanted} pods are ready`);
}

function replicaSet({ name, spec, status }: Judged): Health {
  const wanted = number(spec['replicas'], 1);
  const broken = find(status.conditions, 'ReplicaFailure');
  if (broken?.status === 'True') return progressing(name, broken.message ?? 'pods cannot be created');
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  const why = fewer(Math.min(readyReplicas, availableReplicas), wanted, 'ready') ?? surplus(replicas, wanted);
  return why === undefined ? CURRENT : progressing(name, why);
}

function job({ name, spec, status }: Judged): Health {
  const broken = find(status.conditions, 'Failed');
  if (broken?.status === 'True') return failed(name, broken.message ?? 'the job failed');
  if (find(status.conditions, 'Complete')?.status === 'True' || spec['suspend'] === true) return CURRENT;
  return progressing(name, 'the job is not complete');
}

/** A LoadBalancer is not waited for: its address may come from outside the cluster, or never. */
function service({ name, spec }: Judged): Health {
  return spec['type'] === 'LoadBalancer' && !spec['clusterIP'] ? progressing(name, 'it has no address in the cluster yet') : CURRENT;
}

/** Reasons of a waiting container that no waiting mends. */
const BROKEN_CONTAINER = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
]);

function pod({ name, status }: Judged): Health {
  if (status.phase === 'Succeeded') return CURRENT;
  if (status.phase === 'Failed') return failed(name, 'the pod failed');
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const broken = containers.find(({ state }) => BROKEN_CONTAINER.has(state?.waiting?.reason ?? ''));
  if (broken) return failed(name, brokenContainer(broken));
  const ready = find(status.conditions, 'Ready')?.status === 'True';
  return status.phase === 'Running' && ready ? CURRENT : progressing(name, 'the pod is not ready');
}

function brokenContainer({ name, state }: ContainerStatus): string {
  const { reason, message } = state?.waiting ?? {};
  return `container ${name}: ${reason}${message ? `: ${message}` : ''}`;
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
