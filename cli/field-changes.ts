import { sameJson } from '#api/json.ts';
import { isMap } from '#api/schema.ts';

/** A field that two objects do not have in common; undefined: it is not there. */
export interface FieldChange {
  /** `spec.template.spec.containers[name=web].image` */
  path: string;
  before?: unknown;
  after?: unknown;
}

/** Where two values differ, in the order of the keys. Items of lists are told apart by their name where all have one. */
export function fieldChanges(before: unknown, after: unknown, path = ''): FieldChange[] {
  if (sameJson(before, after)) return [];
  if (isMap(before) && isMap(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => fieldChanges(before[key], after[key], joined(path, key)));
  }
  if (Array.isArray(before) && Array.isArray(after)) return itemChanges(before, after, path);
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

function itemChanges(before: readonly unknown[], after: readonly unknown[], path: string): FieldChange[] {
  const [named, others] = [byName(before), byName(after)];
  if (named && others) {
    const names = [...new Set([...named.keys(), ...others.keys()])];
    const changes = names.flatMap((name) => fieldChanges(named.get(name), others.get(name), `${path}[name=${name}]`));
    // The same items in another order, which counts for containers and init containers.
    return changes.length > 0 ? changes : [{ path, before: [...named.keys()], after: [...others.keys()] }];
  }
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, index) => fieldChanges(before[index], after[index], `${path}[${index}]`)).flat();
}

/** The items by their name; undefined where one has none, or two have the same. */
function byName(items: readonly unknown[]): Map<string, unknown> | undefined {
  const named = new Map<string, unknown>();
  for (const item of items) {
    const name = isMap(item) ? item['name'] : undefined;
    if (typeof name !== 'string' || named.has(name)) return undefined;
    named.set(name, item);
  }
  return named;
}

const PLAIN_KEY = /^[\w-]+$/;

function joined(path: string, key: string): string {
  if (!PLAIN_KEY.test(key)) return `${path}["${key}"]`;
  return path === '' ? key : `${path}.${key}`;
}
