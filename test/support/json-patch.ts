/** JSON Patch (RFC 6902), the operations that the webhook may send, written down independently of the library that makes them. */

export interface Operation {
  op: 'add' | 'replace';
  path: string;
  value: unknown;
}

/** The document after a patch, as a new one. Throws where a path leads nowhere. */
export function patched(document: unknown, operations: readonly Operation[]): unknown {
  const result = structuredClone(document);
  for (const { op, path, value } of operations) {
    const keys = path
      .slice(1)
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop()!;
    let at = result as Record<string, unknown>;
    for (const key of keys) at = at[key] as Record<string, unknown>;
    if (typeof at !== 'object' || at === null) throw new Error(`${path} leads nowhere`);
    if (op === 'replace' && !(last in at)) throw new Error(`${path} is not there`);
    at[last] = value;
  }
  return result;
}
