/** What a template works with. Nothing of JavaScript is reachable from it: no prototype, no function, no getter. */
export type Value = string | number | boolean | undefined | readonly Value[] | ReadonlyMap<string, Value> | Struct | StructMap;

/** A thing with fixed fields: an unknown one is a mistake, not an empty text. Prints as `text`. */
export class Struct {
  readonly name: string;
  readonly fields: ReadonlyMap<string, Value>;
  readonly text: string;

  constructor(name: string, fields: Readonly<Record<string, Value>>, text: string) {
    this.name = name;
    this.fields = new Map(Object.entries(fields));
    this.text = text;
  }
}

/** A map whose keys are things: `range $object, $changes := .Changed.Objects` gives `$object.Kind`. */
export class StructMap {
  readonly entries: readonly (readonly [key: Struct, value: Value])[];

  constructor(entries: readonly (readonly [key: Struct, value: Value])[]) {
    this.entries = [...entries].sort(([a], [b]) => compareText(a.text, b.text));
  }
}

/** Byte order, as Go sorts the keys of a map. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const points = (text: string): number[] => Array.from(text, (letter) => letter.codePointAt(0)!);
  const [left, right] = [points(a), points(b)];
  const differs = left.findIndex((point, index) => point !== right[index]);
  if (differs < 0) return left.length - right.length;
  return left[differs]! - (right[differs] ?? -1);
}

/** JSON as a template sees it. `null` is no value. */
export function valueOfJson(json: unknown, depth = 0): Value {
  if (depth > MAX_DEPTH) throw new ValueTooLarge(`the data is nested deeper than ${MAX_DEPTH} levels`);
  if (typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean') return json;
  if (Array.isArray(json)) return json.map((item) => valueOfJson(item, depth + 1));
  if (typeof json !== 'object' || json === null) return undefined;
  return new Map(Object.entries(json).map(([key, value]) => [key, valueOfJson(value, depth + 1)]));
}

export const MAX_DEPTH = 100;
/** Of one text, in UTF-16 units. */
export const MAX_TEXT = 65_536;

export class ValueTooLarge extends Error {}

/** Text that grows no further than the limit. */
export class BoundedText {
  #text = '';

  add(part: string): void {
    if (this.#text.length + part.length > MAX_TEXT) throw new ValueTooLarge(`the text is longer than ${MAX_TEXT} characters`);
    this.#text += part;
  }

  get text(): string {
    return this.#text;
  }
}

export function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  if (value instanceof StructMap) return value.entries.length > 0;
  return typeof value === 'object' ? true : Boolean(value);
}

/** As Go's fmt prints it with %v: `[a b]`, `map[k:v]`, `<nil>`. */
export function print(value: Value): string {
  const out = new BoundedText();
  printInto(out, value, 0);
  return out.text;
}

function printInto(out: BoundedText, value: Value, depth: number): void {
  if (depth > MAX_DEPTH) throw new ValueTooLarge(`the value is nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return printList(out, value, depth);
  if (value instanceof Map || value instanceof StructMap) return printMap(out, entriesOf(value), depth);
  out.add(scalarText(value as string | number | boolean | undefined | Struct));
}

function printList(out: BoundedText, list: readonly Value[], depth: number): void {
  out.add('[');
  for (const [index, item] of list.entries()) {
    if (index > 0) out.add(' ');
    printInto(out, item, depth + 1);
  }
  out.add(']');
}

function printMap(out: BoundedText, entries: readonly (readonly [Value, Value])[], depth: number): void {
  out.add('map[');
  for (const [index, [key, item]] of entries.entries()) {
    if (index > 0) out.add(' ');
    printInto(out, key, depth + 1);
    out.add(':');
    printInto(out, item, depth + 1);
  }
  out.add(']');
}

/** Entries by key, in the order in which Go ranges over them. */
export function entriesOf(map: ReadonlyMap<string, Value> | StructMap): readonly (readonly [Value, Value])[] {
  if (map instanceof StructMap) return map.entries;
  return [...map].sort(([a], [b]) => compareText(a, b));
}

function scalarText(value: string | number | boolean | undefined | Struct): string {
  if (value === undefined) return '<nil>';
  if (value instanceof Struct) return value.text;
  return typeof value === 'number' ? numberText(value) : String(value);
}

/** Go's %v: an exponent below 1e-4 and from 1e21 on, of two digits at least. */
function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  const text = Math.abs(value) < 1e-4 ? value.toExponential() : String(value);
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** The type in Go's words, for messages. */
export function typeName(value: Value): string {
  if (value === undefined) return 'nil';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map || value instanceof StructMap) return 'a map';
  if (value instanceof Struct) return value.name;
  return `a ${typeof value}`;
}
