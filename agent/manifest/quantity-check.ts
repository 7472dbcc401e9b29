import type { Cause } from '#api/failure.ts';
import { groupOf, type KubeObject } from '#api/kubernetes.ts';
import { oneLine } from '#core/errors.ts';

type Finding = Pick<Cause, 'code' | 'path' | 'message' | 'remedy'>;

/** Groups of Kubernetes whose `resources` hold quantities; what custom kinds mean by the word nobody knows. */
const GROUPS = new Set(['', 'apps', 'batch']);
/** The rule that the API server quotes; of an empty text it shall judge itself. A number is one too. */
const QUANTITY = /^(([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*))?$/;

/**
 * Quantities in `resources` that are none: the API server refuses the object then, and does not say which field it speaks of.
 * `name` is how the object is shown.
 */
export function quantityFindings(object: KubeObject, name: string): Finding[] {
  if (!GROUPS.has(groupOf(object.apiVersion))) return [];
  return quantitiesIn(object['spec'], 'spec').flatMap(([path, value]) => {
    if (typeof value !== 'string' || QUANTITY.test(value.trim())) return [];
    const message = `${path} of ${name} is ${JSON.stringify(oneLine(value, 50))}, which is no quantity`;
    return [{ code: 'InvalidObject', path, message, remedy: 'write it like 500m or 1Gi' }];
  });
}

function quantitiesIn(value: unknown, path: string): [string, unknown][] {
  if (Array.isArray(value)) return value.flatMap((item, index) => quantitiesIn(item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'resources'
      ? ['limits', 'requests'].flatMap((list) => entriesOf(inner, list, `${path}.resources.${list}`))
      : quantitiesIn(inner, `${path}.${key}`),
  );
}

function entriesOf(resources: unknown, list: string, path: string): [string, unknown][] {
  const map: unknown = (resources as Record<string, unknown> | null)?.[list];
  if (typeof map !== 'object' || map === null || Array.isArray(map)) return [];
  return Object.entries(map).map(([key, value]) => [`${path}.${oneLine(key, 100)}`, value]);
}
