import type * as v from 'valibot';
import { isMap, own, partOf } from './schema.ts';
import type { Part } from './schema.ts';

/**
 * `value` with the defaults of the declaration where it has nothing, as a new value: only ever adds keys, goes only into
 * maps that are there, and leaves what does not fit the declaration as it is. Doing it twice changes nothing.
 */
export function fillDefaults(declaration: v.GenericSchema, value: unknown): unknown {
  return fillPart(partOf(declaration), value);
}

function fillPart(part: Part, value: unknown): unknown {
  const { entries, item } = part.schema;
  if (entries && isMap(value)) return fillEntries(entries, value);
  if (item && Array.isArray(value)) return value.map((entry: unknown) => fillDefaults(item, entry));
  return value;
}

function fillEntries(entries: Record<string, v.GenericSchema>, value: Record<string, unknown>): Record<string, unknown> {
  const filled = { ...value };
  for (const [key, schema] of Object.entries(entries)) {
    const part = partOf(schema);
    const held = own(value, key);
    if (held !== undefined) filled[key] = fillPart(part, held);
    else if (part.default !== undefined) filled[key] = part.default;
  }
  return filled;
}
