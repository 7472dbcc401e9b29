import type * as v from 'valibot';
import { isMap, own, partOf } from './schema.ts';
import type { Part } from './schema.ts';

/**
 * `value` with the defaults of the declaration where it has nothing, as a new value: only ever adds keys, goes only into
 * maps that are there, and leaves what does not fit the declaration as it is. Doing it twice changes nothing.
 */
export function fillDefaults(declaration: v.GenericSchema, value: unknown, wanted: Wanted = always): unknown {
  return fillPart(partOf(declaration), value, wanted);
}

/** Which parts of a declaration get their default. */
type Wanted = (part: Part) => boolean;
const always: Wanted = () => true;

function fillPart(part: Part, value: unknown, wanted: Wanted): unknown {
  const { entries, item } = part.schema;
  if (entries && isMap(value)) return fillEntries(entries, value, wanted);
  if (item && Array.isArray(value)) return value.map((entry: unknown) => fillDefaults(item, entry, wanted));
  return value;
}

function fillEntries(entries: Record<string, v.GenericSchema>, value: Record<string, unknown>, wanted: Wanted): Record<string, unknown> {
  const filled = { ...value };
  for (const [key, schema] of Object.entries(entries)) {
    const part = partOf(schema);
    const held = own(value, key);
    if (held !== undefined) filled[key] = wanted(part) ? fillPart(part, held, wanted) : held;
    else if (part.default !== undefined && wanted(part)) filled[key] = part.default;
  }
  return filled;
}

/** The reverse: `value` without the keys that hold their default, so that what is left is what the user decided. */
export function stripDefaults(declaration: v.GenericSchema, value: unknown): unknown {
  const { entries, item } = partOf(declaration).schema;
  if (item && Array.isArray(value)) return value.map((entry: unknown) => stripDefaults(item, entry));
  if (!entries || !isMap(value)) return value;
  const kept = Object.entries(value).filter(([key, held]) => {
    const schema = own(entries, key) as v.GenericSchema | undefined;
    return held !== undefined && (!schema || partOf(schema).required || partOf(schema).default !== held);
  });
  // fromEntries defines own keys: `__proto__` of a JSON text stays a key like any other.
  return Object.fromEntries(
    kept.map(([key, held]) => {
      const schema = own(entries, key) as v.GenericSchema | undefined;
      return [key, schema ? stripDefaults(schema, held) : held];
    }),
  );
}
