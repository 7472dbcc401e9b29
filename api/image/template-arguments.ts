import { typeName, type Value } from './template-value.ts';

/** The arguments of one call, checked as they are taken. The messages follow the name of the function. */
export interface Arguments {
  all: readonly Value[];
  any(index: number): Value;
  text(index: number): string;
  whole(index: number): number;
  list(index: number): readonly Value[];
}

const MAX_WHOLE = 65_536;

export function argumentsOf(values: readonly Value[], least: number, most = least): Arguments {
  if (values.length < least || values.length > most) throw new Error(`takes ${countText(least, most)}, received ${values.length}`);
  return {
    all: values,
    any: (index) => values[index],
    text(index) {
      const value = values[index];
      if (typeof value === 'string') return value;
      throw new Error(`argument ${index + 1} must be a string, received ${typeName(value)}; toString makes one`);
    },
    whole(index) {
      const value = values[index];
      if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= MAX_WHOLE) return value;
      throw new Error(`argument ${index + 1} must be a whole number up to ${MAX_WHOLE}, received ${typeName(value)}`);
    },
    list(index) {
      const value = values[index];
      if (Array.isArray(value)) return value as readonly Value[];
      throw new Error(`argument ${index + 1} must be a list, received ${typeName(value)}`);
    },
  };
}

function countText(least: number, most: number): string {
  const values = least === 1 && most === 1 ? 'value' : 'values';
  if (least === most) return `${least} ${values}`;
  return most === Number.POSITIVE_INFINITY ? `at least ${least} value${least === 1 ? '' : 's'}` : `${least} to ${most} values`;
}
