import { groupOf, type KubeObject } from '#api/kubernetes.ts';

/** Kinds of which one may go by itself: what an object says about that is asked only of these. */
export function mayExpire({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
  return kind === 'Job' && groupOf(apiVersion) === 'batch';
}

/**
 * Whether the object, as Git has it, goes by itself once it is over: a Job with `ttlSecondsAfterFinished`. Applied and gone, it has
 * done its work; applied once more, it would do it once more. Nobody can tell whether it was a person who deleted it while it ran:
 * that counts as done too, until the manifest changes.
 */
export function expires(object: KubeObject): boolean {
  const spec = object['spec'] as { ttlSecondsAfterFinished?: unknown } | undefined;
  return mayExpire(object) && typeof spec?.ttlSecondsAfterFinished === 'number';
}
