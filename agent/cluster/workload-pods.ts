import { displayName, groupOf, type KubeObject } from '#api/kubernetes.ts';
import { oneLine } from '#core/errors.ts';
import { type Counters, GRACE_MS, type Health } from './health-rule.ts';
import { brokenContainer, CANNOT_START, CRASHES, unschedulableBy } from './pod-health.ts';

/** What pods of a kind of workload say about it while it is in progress. */
interface PodRule {
  /** Reasons of a waiting container. */
  reasons: ReadonlySet<string>;
  /** The scheduler's word counts: not where a node may be on its way and a deadline of the workload ends the wait. */
  unschedulable?: true;
  /** The label that tells pods of this rollout from those of the one before, which are on their way out. */
  rollout?: string;
}

/** Between two tries to pull an image it is ErrImagePull for a moment: to whoever looks now and then it is the same. */
const STUCK: ReadonlySet<string> = new Set([...CANNOT_START, 'ErrImagePull']);
const STUCK_OR_CRASHING: ReadonlySet<string> = new Set([...STUCK, CRASHES]);

/** By `group/Kind`. A Job counts crashes itself, and fails by its own limit. */
const RULES: Readonly<Record<string, PodRule>> = {
  'apps/Deployment': { reasons: STUCK_OR_CRASHING, rollout: 'pod-template-hash' },
  'apps/StatefulSet': { reasons: STUCK_OR_CRASHING },
  'apps/DaemonSet': { reasons: STUCK_OR_CRASHING, rollout: 'controller-revision-hash' },
  'apps/ReplicaSet': { reasons: STUCK_OR_CRASHING, unschedulable: true },
  'batch/Job': { reasons: STUCK },
};

/** Whether the object is a workload whose pods are what is waited for: its controller has seen it and wants some. */
export function waitsForPods(object: KubeObject): boolean {
  if (!ruleOf(object)) return false;
  const { replicas } = (object['spec'] ?? {}) as { replicas?: number };
  const { observedGeneration, desiredNumberScheduled } = statusOf(object);
  const seen = object.kind === 'Job' || observedGeneration === object.metadata.generation;
  return seen && replicas !== 0 && desiredNumberScheduled !== 0;
}

/** All that the workload counts, as one text: what stays the same has come no further. */
export function progressOf(workload: KubeObject): string {
  const counters = Object.entries(statusOf(workload)).filter(([, value]) => typeof value === 'number');
  return JSON.stringify([workload.metadata.generation, ...counters]);
}

/** The first of its pods that cannot start, in its own words; undefined where none says anything. */
export function podTrouble(workload: KubeObject, pods: readonly KubeObject[], nowMs: number): Health | undefined {
  const rule = ruleOf(workload);
  if (!rule) return undefined;
  for (const pod of ofRollout(
    rule,
    pods.filter((one) => counts(workload, one)),
  )) {
    const why = troubleOf(rule, statusOf(pod), nowMs);
    if (why === undefined) continue;
    const names = [workload, { kind: 'Pod', metadata: pod.metadata }].map(({ kind, metadata: { name = '' } }) =>
      displayName({ kind, name }),
    );
    return { state: 'Failed', message: oneLine(`${names.join(': ')}: ${why}`) };
  }
  return undefined;
}

function ruleOf({ apiVersion, kind }: KubeObject): PodRule | undefined {
  return RULES[`${groupOf(apiVersion)}/${kind}`];
}

function statusOf(object: KubeObject): Counters {
  return (object['status'] ?? {}) as Counters;
}

/** What is over, or on its way out, is replaced by the workload. What another one controls only bears the same labels. */
function counts(workload: KubeObject, { metadata, ...pod }: KubeObject): boolean {
  const { phase } = (pod['status'] ?? {}) as Counters;
  if (metadata.deletionTimestamp || phase === 'Succeeded' || phase === 'Failed') return false;
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  return workload.kind === 'Deployment' ? owner?.kind === 'ReplicaSet' : owner?.uid === workload.metadata.uid;
}

/** The youngest pod is of the current rollout. */
function ofRollout({ rollout }: PodRule, pods: readonly KubeObject[]): readonly KubeObject[] {
  if (rollout === undefined) return pods;
  const age = ({ metadata }: KubeObject): string => metadata.creationTimestamp ?? '';
  const youngest = pods.toSorted((a, b) => age(a).localeCompare(age(b))).at(-1);
  return pods.filter(({ metadata }) => metadata.labels?.[rollout] === youngest?.metadata.labels?.[rollout]);
}

function troubleOf({ reasons, unschedulable }: PodRule, status: Counters, nowMs: number): string | undefined {
  const broken = brokenContainer(status, reasons);
  const unscheduled = unschedulable && unschedulableBy(status);
  if (broken !== undefined || !unscheduled) return broken;
  const sinceMs = Date.parse(unscheduled.lastTransitionTime ?? '');
  return nowMs - sinceMs >= GRACE_MS ? unscheduled.message || 'no node can run it' : undefined;
}
