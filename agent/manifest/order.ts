import { groupOf, type ObjectReference, objectId, referenceOf } from '#api/kubernetes.ts';
import { GROUP } from '#api/names.ts';
import type { BuiltObject } from './types.ts';

/**
 * Kinds in the order of their waves. What others need comes first: a RoleBinding is refused while its Role is not there,
 * a Pod starts late without its ConfigMap (spec/sync.md §3.2). Definitions and namespaces never get here: they are
 * cluster-scoped.
 */
const WAVES: readonly (readonly string[])[] = [
  ['/ResourceQuota', '/LimitRange', '/ServiceAccount', 'rbac.authorization.k8s.io/Role'],
  ['rbac.authorization.k8s.io/RoleBinding', '/ConfigMap', '/Secret', '/PersistentVolumeClaim', 'networking.k8s.io/NetworkPolicy'],
  ['/Service'],
  [
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/DaemonSet',
    'apps/ReplicaSet',
    'batch/Job',
    'batch/CronJob',
    '/Pod',
    '/ReplicationController',
    '/PodTemplate',
  ],
];
/** Of the groups of Kubernetes itself, what no wave names: HorizontalPodAutoscaler, PodDisruptionBudget, Ingress and so on. */
const REST = WAVES.length;
const CUSTOM = REST + 1;
const APPLICATIONS = REST + 2;

const RANKS = new Map(WAVES.flatMap((kinds, rank) => kinds.map((kind) => [kind, rank] as const)));

/** Objects in waves: each may be applied in parallel once those before it are there. Custom kinds come late, Applications last. */
export function waves(objects: readonly BuiltObject[]): BuiltObject[][] {
  return wavesBy(objects, ({ object }) => referenceOf(object));
}

/** The same waves for deletion: last applied, first removed. The very objects that were given come back. */
export function reverseWaves<Reference extends ObjectReference>(references: readonly Reference[]): Reference[][] {
  return wavesBy(references, (reference) => reference).reverse();
}

/** Anything that has a reference, in the waves of the objects. */
export function wavesBy<Item>(items: readonly Item[], reference: (item: Item) => ObjectReference): Item[][] {
  const byRank = new Map<number, { id: string; item: Item }[]>();
  for (const item of items) {
    const rank = rankOf(reference(item));
    const wave = byRank.get(rank) ?? [];
    wave.push({ id: objectId(reference(item)), item });
    byRank.set(rank, wave);
  }
  return [...byRank.keys()]
    .sort((a, b) => a - b)
    .map((rank) => (byRank.get(rank) ?? []).sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)).map(({ item }) => item));
}

function rankOf({ apiVersion, kind }: ObjectReference): number {
  const group = groupOf(apiVersion);
  if (group === GROUP) return APPLICATIONS;
  return RANKS.get(`${group}/${kind}`) ?? (isBuiltIn(group) ? REST : CUSTOM);
}

/** Groups without a dot, and those of k8s.io that the API server serves itself. */
function isBuiltIn(group: string): boolean {
  return (
    !group.includes('.') ||
    /^(networking|rbac\.authorization|autoscaling|policy|coordination|discovery|events|storage|resource)\.k8s\.io$/.test(group)
  );
}
