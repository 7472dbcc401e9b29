/** Where kinds live today that old manifests write in other groups and versions. */
const HOME: ReadonlyMap<string, string> = new Map([
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].map((kind) => [kind, 'apps/v1'] as const),
  ...['Job', 'CronJob'].map((kind) => [kind, 'batch/v1'] as const),
  ...['Ingress', 'NetworkPolicy', 'IngressClass'].map((kind) => [kind, 'networking.k8s.io/v1'] as const),
  ...['Role', 'RoleBinding'].map((kind) => [kind, 'rbac.authorization.k8s.io/v1'] as const),
  ...['ConfigMap', 'Secret', 'Service', 'ServiceAccount', 'PersistentVolumeClaim', 'Pod'].map((kind) => [kind, 'v1'] as const),
  ['HorizontalPodAutoscaler', 'autoscaling/v2'],
  ['PodDisruptionBudget', 'policy/v1'],
  ['Lease', 'coordination.k8s.io/v1'],
  ['EndpointSlice', 'discovery.k8s.io/v1'],
  ['Application', 'core.oam.dev/v1beta1'],
]);

/** What to do about a kind that the API server does not know. */
export function unknownKindRemedy(apiVersion: string, kind: string): string {
  const spelling = [...HOME.keys()].find((known) => known.toLowerCase() === kind.toLowerCase());
  const home = spelling ? HOME.get(spelling) : undefined;
  if (spelling && home && (home !== apiVersion || spelling !== kind)) return `did you mean apiVersion: ${home}, kind: ${spelling}?`;
  return 'correct apiVersion and kind, or ask an administrator to install its CustomResourceDefinition';
}
