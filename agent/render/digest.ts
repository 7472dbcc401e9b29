import { createHash } from 'node:crypto';

const DIGITS = 16;

/** A copy with all keys in alphabetical order, as `kubectl get -o yaml` prints them: equal values give equal bytes. */
export function sortKeys<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value, inOrder)) as Value;
}

function inOrder(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/**
 * 16 hex digits that are the same for equal values, whatever the order of their keys. KubeVela's own digests are over
 * Go structs and cannot be made elsewhere (spec/kubevela.md §3.3).
 */
export function digest(value: object): string {
  return createHash('sha256').update(JSON.stringify(value, inOrder)).digest('hex').slice(0, DIGITS);
}
