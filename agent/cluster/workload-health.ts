import {
  CURRENT,
  type Counters,
  failed,
  failedByTime,
  find,
  type Health,
  type Judged,
  progressing,
  type StatusCondition,
} from './health-rule.ts';

/** What `spec.progressDeadlineSeconds` is where there is no deadline. */
const NO_DEADLINE = 2 ** 31 - 1;

export function deployment(judged: Judged): Health {
  const { name, spec, status } = judged;
  const progress = find(status.conditions, 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') return failed(name, progress.message ?? 'the rollout exceeded its deadline');
  if (status.observedGeneration === undefined) return progressing(name, 'its controller has not seen it yet');
  const why = rollout(status, number(spec['replicas'], 1)) ?? unavailable(status.conditions) ?? unfinished(spec, progress);
  return why === undefined ? CURRENT : (withoutPods(judged) ?? progressing(name, why));
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

function number(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
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

/** Where there is a deadline the controller says when a rollout is over, also one of no replicas. It says nothing more of a paused one. */
function unfinished(spec: Record<string, unknown>, progress: StatusCondition | undefined): string | undefined {
  const hasDeadline = number(spec['progressDeadlineSeconds'], NO_DEADLINE) < NO_DEADLINE;
  if (!hasDeadline || spec['paused'] === true || progress?.reason === 'NewReplicaSetAvailable') return undefined;
  return progress?.message || 'the rollout is not over yet';
}

/** Pods that the API server refuses, most often since a quota is used up: in the status of what makes them. */
function withoutPods(judged: Judged): Health | undefined {
  const refused = find(judged.status.conditions, 'ReplicaFailure');
  return refused?.status === 'True' ? failedByTime(judged, refused, refused.message || 'pods cannot be created') : undefined;
}

export function statefulSet({ name, spec, status }: Judged): Health {
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
  const { updatedReplicas = 0, currentReplicas = 0, currentRevision, updateRevision } = status;
  if (partition > 0) return fewer(updatedReplicas, wanted - partition, 'updated');
  if (currentRevision !== updateRevision) return `${updatedReplicas} of ${wanted} replicas are updated`;
  return fewer(currentReplicas, wanted, 'current');
}

export function daemonSet({ name, status }: Judged): Health {
  const { desiredNumberScheduled: wanted, observedGeneration } = status;
  if (observedGeneration === undefined || wanted === undefined) return progressing(name, 'its controller has not seen it yet');
  const { currentNumberScheduled = 0, updatedNumberScheduled = 0, numberReady = 0, numberAvailable = 0 } = status;
  const least = Math.min(currentNumberScheduled, updatedNumberScheduled, numberReady, numberAvailable);
  return least >= wanted ? CURRENT : progressing(name, `${least} of ${wanted} pods are ready`);
}

export function replicaSet(judged: Judged): Health {
  const { name, spec, status } = judged;
  const wanted = number(spec['replicas'], 1);
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0, fullyLabeledReplicas = 0 } = status;
  const why =
    fewer(fullyLabeledReplicas, wanted, 'labelled') ??
    fewer(Math.min(readyReplicas, availableReplicas), wanted, 'ready') ??
    surplus(replicas, wanted);
  return withoutPods(judged) ?? (why === undefined ? CURRENT : progressing(name, why));
}

export function job({ name, spec, status }: Judged): Health {
  const broken = find(status.conditions, 'Failed');
  if (broken?.status === 'True') return failed(name, broken.message ?? 'the job failed');
  if (find(status.conditions, 'Complete')?.status === 'True' || spec['suspend'] === true) return CURRENT;
  return progressing(name, 'the job is not complete');
}
