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

// What needs no default is handed back as it is: whoever compares then sees at once that nothing changed.
function fillPart(part: Part, value: unknown, wanted: Wanted): unknown {
  if (!part.fills) return value;
  if (part.fields.length > 0 && isMap(value)) return fillFields(part.fields, value, wanted);
  const { item } = part;
  return item && Array.isArray(value) ? eachItem(value, (entry) => fillPart(item, entry, wanted)) : value;
}

/** A list with every item changed; the list itself where none is another one then. */
export function eachItem(list: readonly unknown[], change: (item: unknown) => unknown): readonly unknown[] {
  let changed: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const item = change(list[index]);
    if (item === list[index]) continue;
    changed ??= list.slice();
    changed[index] = item;
  }
  return changed ?? list;
}

function fillFields(fields: Part['fields'], value: Record<string, unknown>, wanted: Wanted): Record<string, unknown> {
  let filled: Record<string, unknown> | undefined;
  // Not taken apart in the head of the loop: that goes through an iterator for each of them.
  for (const entry of fields) {
    const key = entry[0];
    const part = entry[1];
    if (!part.fills) continue;
    const held = value[key];
    const wish = held === undefined ? part.default : fillPart(part, held, wanted);
    if (wish === held || !wanted(part)) continue;
    filled ??= { ...value };
    filled[key] = wish;
  }
  return filled ?? value;
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
