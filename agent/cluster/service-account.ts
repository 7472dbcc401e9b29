import { groupOf, type KubeObject } from '#api/kubernetes.ts';

const TEMPLATE = ['spec', 'template', 'spec'];

/** Where the pods of a kind are described, by group and kind. That of a Job cannot be changed. */
const POD_SPECS: Readonly<Record<string, readonly string[]>> = {
  'apps/Deployment': TEMPLATE,
  'apps/StatefulSet': TEMPLATE,
  'apps/DaemonSet': TEMPLATE,
  'apps/ReplicaSet': TEMPLATE,
  '/ReplicationController': TEMPLATE,
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

/** The name and its deprecated alias: the API server copies each into the other, in the name of nobody. */
const NAMES = ['serviceAccountName', 'serviceAccount'];

/**
 * The merge patch that takes the ServiceAccount out of a pod template where our apply has left it: one of the two names went
 * with it, the API server copied it back from the other one, and the pods kept their identity. Undefined where Git or anybody
 * else sets one of them.
 */
export function leftServiceAccount(answer: KubeObject, git: KubeObject): object | undefined {
  const path = POD_SPECS[`${groupOf(answer.apiVersion)}/${answer.kind}`];
  if (!path || !hasName(at(answer, path)) || hasName(at(git, path))) return undefined;
  const owned = path.map((name) => `f:${name}`);
  const isOwned = (answer.metadata.managedFields ?? []).some(({ fieldsV1 }) => hasName(at(fieldsV1, owned), 'f:'));
  if (isOwned) return undefined;
  return path.reduceRight<object>((inner, name) => ({ [name]: inner }), Object.fromEntries(NAMES.map((name) => [name, null])));
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value);
}

function hasName(value: unknown, prefix = ''): boolean {
  return NAMES.some((name) => (value as Record<string, unknown> | undefined)?.[`${prefix}${name}`] !== undefined);
}
