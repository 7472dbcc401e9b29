import { groupOf, type KubeObject } from '#api/kubernetes.ts';
import { isMap } from '#api/schema.ts';
import { withoutStringData } from './data-check.ts';

/** Written by the API server; they stand in manifests that were taken from `kubectl get -o yaml`, and say nothing there. */
const SERVER_METADATA = ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'managedFields', 'selfLink'];
/** Maps that others add to. */
const SHARED_MAPS = ['labels', 'annotations'];
const DATA = ['data', 'binaryData'];

/**
 * The object as it is applied, in its namespace: without `status`, without what only the API server writes, and without empty
 * maps that others add to. An apply of such a map owns it as a whole, and the first key of somebody else would take it away.
 */
export function cleaned(object: KubeObject, namespace: string): KubeObject {
  const { status: _, ...rest } = withoutStringData(object);
  const { apiVersion, kind } = object;
  const metadata = Object.fromEntries(Object.entries(object.metadata).filter(([name]) => !SERVER_METADATA.includes(name)));
  const holdsData = groupOf(apiVersion) === '' && (kind === 'Secret' || kind === 'ConfigMap');
  const spare = holdsData ? without(rest, DATA) : rest;
  return withoutEmptyMaps({ ...spare, apiVersion, kind, metadata: { ...metadata, namespace } }) as KubeObject;
}

/** In the metadata of the object, and of what it is a template of. */
function withoutEmptyMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyMaps);
  if (!isMap(value)) return value;
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => [
    name,
    name === 'metadata' && isMap(field) ? without(field, SHARED_MAPS) : withoutEmptyMaps(field),
  ]);
  return Object.fromEntries(fields);
}

function without(map: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  const isEmpty = (field: unknown): boolean => field === null || (isMap(field) && Object.keys(field).length === 0);
  return Object.fromEntries(Object.entries(map).filter(([name, field]) => !names.includes(name) || !isEmpty(field)));
}
