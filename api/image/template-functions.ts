import { type Arguments, argumentsOf } from './template-arguments.ts';
import { formatPrintf } from './template-printf.ts';
import { TEXT_FUNCTIONS } from './template-text.ts';
import { isTrue, print, Struct, StructMap, typeName, type Value } from './template-value.ts';

/** What a template needs of whoever runs it. */
export interface Host {
  /** SHA-256 of the UTF-8 bytes, in hexadecimal. */
  sha256(text: string): string;
}

export type TemplateFunction = (args: readonly Value[], host: Host) => Value;

/** Functions that look at an argument only when they need it. */
export const LAZY: ReadonlyMap<string, (args: readonly (() => Value)[]) => Value> = new Map([
  ['and', (args: readonly (() => Value)[]) => firstWhere(args, (value) => !isTrue(value))],
  ['or', (args: readonly (() => Value)[]) => firstWhere(args, isTrue)],
]);

function firstWhere(args: readonly (() => Value)[], stops: (value: Value) => boolean): Value {
  let value: Value;
  for (const arg of args) {
    value = arg();
    if (stops(value)) return value;
  }
  return value;
}

/** Every function that a template may call (spec/image-automation.md §5). */
export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['and', () => undefined],
  ['or', () => undefined],
  ['not', (args) => !isTrue(one(args).any(0))],
  ['eq', equal],
  ['ne', (args) => !sameBasic(argumentsOf(args, 2).any(0), args[1])],
  ['lt', (args) => order(args) < 0],
  ['le', (args) => order(args) <= 0],
  ['gt', (args) => order(args) > 0],
  ['ge', (args) => order(args) >= 0],
  ['print', (args) => joined(args, (before, after) => typeof before !== 'string' && typeof after !== 'string')],
  ['println', (args) => `${joined(args, () => true)}\n`],
  ['printf', (args) => formatPrintf(argumentsOf(args, 1, Number.POSITIVE_INFINITY).text(0), args.slice(1))],
  ['len', (args) => lengthOf(one(args).any(0))],
  ['index', (args) => indexed(args)],
  ...Object.entries(TEXT_FUNCTIONS),
]);

function one(args: readonly Value[]): Arguments {
  return argumentsOf(args, 1);
}

/** As Go's Print and Println put values side by side. */
function joined(args: readonly Value[], spaced: (before: Value, after: Value) => boolean): string {
  let text = '';
  for (const [index, value] of args.entries()) {
    if (index > 0 && spaced(args[index - 1], value)) text += ' ';
    text += print(value);
    // Bounded again here: each part is, their sum is not yet.
    if (text.length > 65_536) return print(text);
  }
  return text;
}

function equal(args: readonly Value[]): boolean {
  const [first, ...others] = argumentsOf(args, 2, Number.POSITIVE_INFINITY).all;
  return others.map((other) => sameBasic(first, other)).includes(true);
}

function sameBasic(a: Value, b: Value): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (typeof a === 'object' || typeof b === 'object') throw new Error(`cannot compare ${typeName(typeof a === 'object' ? a : b)}`);
  if (typeof a !== typeof b) throw new Error(`cannot compare ${typeName(a)} with ${typeName(b)}`);
  return a === b;
}

function order(args: readonly Value[]): number {
  const [a, b] = argumentsOf(args, 2).all;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== 'string' || typeof b !== 'string') throw new Error(`cannot compare ${typeName(a)} with ${typeName(b)}`);
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return new TextEncoder().encode(value).length;
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  if (value instanceof StructMap) return value.entries.length;
  throw new Error(`${typeName(value)} has no length`);
}

function indexed(args: readonly Value[]): Value {
  let [value, ...keys] = argumentsOf(args, 1, Number.POSITIVE_INFINITY).all;
  for (const key of keys) value = itemOf(value, key);
  return value;
}

function itemOf(value: Value, key: Value): Value {
  if (Array.isArray(value)) {
    if (typeof key !== 'number' || !Number.isInteger(key)) throw new Error('a list is indexed by a whole number');
    if (key < 0 || key >= value.length) throw new Error(`there is no item ${key} in a list of ${value.length}`);
    return (value as readonly Value[])[key];
  }
  if (value instanceof Map && typeof key === 'string') return (value as ReadonlyMap<string, Value>).get(key);
  if (value instanceof StructMap && key instanceof Struct) return value.entries.find(([one]) => one.text === key.text)?.[1];
  throw new Error(`cannot index ${typeName(value)} with ${typeName(key)}`);
}
