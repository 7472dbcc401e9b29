import type { Cause } from '#api/failure.ts';
import { groupOf, type KubeObject } from '#api/kubernetes.ts';
import { oneLine } from '#core/errors.ts';

type Finding = Pick<Cause, 'code' | 'path' | 'message' | 'remedy'>;

interface DataField {
  field: string;
  /** Values are bytes. */
  base64: boolean;
  /** Where plain text belongs. */
  plain: string;
}

const FIELDS: Record<string, readonly DataField[]> = {
  Secret: [
    { field: 'data', base64: true, plain: 'stringData' },
    { field: 'stringData', base64: false, plain: 'stringData' },
  ],
  ConfigMap: [
    { field: 'data', base64: false, plain: 'data' },
    { field: 'binaryData', base64: true, plain: 'data' },
  ],
};

/** The rule of the API server for keys of both kinds. */
const KEY = /^(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/;
/** Letters: 1.5 MiB is what etcd takes of an object. */
const MAX_BASE64 = 2 * 1024 * 1024;
/** As Go reads it: line breaks count for nothing. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * What the API server would refuse in the data of a Secret or ConfigMap, where it would quote the value, or not name the
 * field. `name` is how the object is shown. No value is ever in a message.
 */
export function dataFindings(object: KubeObject, name: string): Finding[] {
  if (groupOf(object.apiVersion) !== '') return [];
  return (FIELDS[object.kind] ?? []).flatMap((field) => ofField(object, field, name));
}

/**
 * The Secret with `stringData` in `data`, as the API server keeps it: it would go on counting what an apply said of stringData
 * as ours, so that neither a change of the value nor a key that has left Git could be seen. stringData wins. For what has no
 * finding.
 */
export function withoutStringData(object: KubeObject): KubeObject {
  const { stringData, ...rest } = object;
  if (object.kind !== 'Secret' || groupOf(object.apiVersion) !== '' || stringData === undefined) return object;
  const encoded = Object.entries((stringData ?? {}) as Record<string, string | null>).map(([key, value]) => [
    key,
    Buffer.from(value ?? '').toString('base64'),
  ]);
  return { ...rest, data: { ...(object['data'] as object | null), ...Object.fromEntries(encoded) } } as KubeObject;
}

function ofField(object: KubeObject, data: DataField, name: string): Finding[] {
  const { field } = data;
  const map = object[field];
  if (map === undefined || map === null) return [];
  if (typeof map !== 'object' || Array.isArray(map)) {
    return [found(field, `${field} of ${name} is ${kindName(map)} and must be a map`, 'write key: "value" lines')];
  }
  return Object.entries(map).flatMap(([key, value]) => {
    if (!KEY.test(key)) return [badKey(object.kind, { key, field, name })];
    return ofValue(value, { path: `${field}[${key}]`, name, data });
  });
}

/** A line of a file that lacks its `=` becomes a key: that of a Secret may be the secret itself. */
function badKey(kind: string, { key, field, name }: { key: string; field: string; name: string }): Finding {
  const shown = kind === 'Secret' ? 'a key' : `the key ${JSON.stringify(oneLine(key, 100))}`;
  return found(field, `${shown} in ${field} of ${name} is not allowed`, 'use letters, digits, -, _ and . in keys');
}

function ofValue(value: unknown, { path, name, data }: { path: string; name: string; data: DataField }): Finding[] {
  if (value === null) return [];
  if (typeof value !== 'string') {
    const isTree = typeof value === 'object';
    const remedy = isTree ? 'write it as one text, with | behind the key' : 'quote it';
    return [found(path, `${path} of ${name} is ${kindName(value)} and must be a text`, remedy)];
  }
  // What is larger than the API server takes is told as that, and would be too much for the expression.
  if (!data.base64 || value.length > MAX_BASE64 || BASE64.test(value.replace(/[\r\n]/g, ''))) return [];
  return [found(path, `${path} of ${name} is not base64`, `encode it, or write it into ${data.plain} as it is`)];
}

/** `a map`, `a number`. */
export function kindName(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

function found(path: string, message: string, remedy: string): Finding {
  return { code: 'InvalidObject', path, message, remedy };
}
