import { displayName, groupOf, type KubeObject } from '#api/kubernetes.ts';
import { oneLine } from '#core/errors.ts';
import { type Counters, GRACE_MS, type Health } from './health-rule.ts';
import { brokenContainer, CANNOT_START, CRASHES, unschedulableBy } from './pod-health.ts';

/** What pods of a kind of workload say about it while it is in progress. */
interface PodRule {
  /** A pod that crashes, or that no node can run, fails the workload: it has no deadline or limit of its own for these. */
  failsBy?: { crashes: boolean; nodes: boolean };
  /** The label that tells pods of this rollout from those of the one before, which are on their way out. */
  rollout?: string;
}

/** Between two tries to pull an image it is ErrImagePull for a moment: to whoever looks now and then it is the same. */
const STUCK: ReadonlySet<string> = new Set([...CANNOT_START, 'ErrImagePull']);
const CRASHING: ReadonlySet<string> = new Set([CRASHES]);

/** By `group/Kind`. */
const RULES: Readonly<Record<string, PodRule>> = {
  'apps/Deployment': { rollout: 'pod-template-hash' },
  'apps/StatefulSet': { failsBy: { crashes: true, nodes: false } },
  'apps/DaemonSet': { rollout: 'controller-revision-hash' },
  'apps/ReplicaSet': { failsBy: { crashes: true, nodes: true } },
  'batch/Job': {},
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

/**
 * What its pods say, in their own words; undefined where none says anything. Failed where one cannot start; in progress, and why,
 * where that may mend itself: a crash while something else comes up, a node on its way.
 */
export function podTrouble(workload: KubeObject, pods: readonly KubeObject[], nowMs: number): Health | undefined {
  const rule = ruleOf(workload);
  if (!rule) return undefined;
  const own = pods.filter((pod) => counts(workload, pod));
  const troubles = ofRollout(rule, own).flatMap((pod) => {
    const trouble = troubleOf(rule, statusOf(pod), nowMs);
    return trouble ? [{ pod, ...trouble }] : [];
  });
  const worst = troubles.find(({ state }) => state === 'Failed') ?? troubles[0];
  if (!worst) return undefined;
  const names = [nameOf(workload.kind, workload), nameOf('Pod', worst.pod)];
  return { state: worst.state, message: oneLine(`${names.join(': ')}: ${worst.why}`) };
}

function nameOf(kind: string, { metadata: { name = '' } }: KubeObject): string {
  return displayName({ kind, name });
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

interface Trouble {
  state: 'Failed' | 'InProgress';
  why: string;
}

function troubleOf({ failsBy }: PodRule, status: Counters, nowMs: number): Trouble | undefined {
  const stuck = brokenContainer(status, STUCK);
  if (stuck !== undefined) return { state: 'Failed', why: stuck };
  const crashing = brokenContainer(status, CRASHING);
  if (crashing !== undefined) return { state: failsBy?.crashes ? 'Failed' : 'InProgress', why: crashing };
  const unschedulable = unschedulableBy(status);
  if (!unschedulable || nowMs - Date.parse(unschedulable.lastTransitionTime ?? '') < GRACE_MS) return undefined;
  return { state: failsBy?.nodes ? 'Failed' : 'InProgress', why: unschedulable.message || 'no node can run it' };
}
