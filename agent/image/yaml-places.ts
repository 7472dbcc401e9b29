import { isAlias, isMap, isScalar, isSeq, type ParsedNode, type Scalar } from 'yaml';
import type { ObjectIdentity } from '#api/image/message.ts';
import type { ParsedDocument } from './yaml-source.ts';

/** A node that ends somewhere: what a comment behind it may speak of. */
export interface Place {
  role: 'value' | 'item' | 'key' | 'alias' | 'root';
  node: ParsedNode;
  start: number;
  end: number;
  /** Of a value: the key of its field. */
  key?: string;
  /** The second of two equal keys: readers disagree on which counts. */
  duplicate?: true;
  object: ObjectIdentity;
  /** The document is a list, not an object. */
  inList?: true;
}

const NOBODY: ObjectIdentity = { apiVersion: '', kind: '', name: '', namespace: '' };

/** All scalars and aliases of a document, in the order of their ends. */
export function placesOf(document: ParsedDocument): Place[] {
  const places: Place[] = [];
  const root = document.contents;
  if (!root) return places;
  if (isScalar(root)) places.push(place('root', root, NOBODY));
  if (isSeq(root)) visit(root, NOBODY, places);
  if (isMap(root)) visitObject(root, places);
  if (isSeq(root)) for (const one of places) one.inList = true;
  return places.sort((a, b) => a.end - b.end);
}

/** The items of a List are objects of their own. */
function visitObject(root: ParsedNode, places: Place[]): void {
  const identity = identityOf(root);
  const items = identity.kind.endsWith('List') ? field(root, 'items') : undefined;
  visit(root, identity, places, items);
  if (isSeq(items)) for (const item of items.items) visit(item as ParsedNode, identityOf(item as ParsedNode), places);
}

/** Walks with a stack of its own: files may be deep. `without` is left out. */
function visit(from: ParsedNode, object: ObjectIdentity, places: Place[], without?: unknown): void {
  const open: ParsedNode[] = [from];
  while (open.length > 0) {
    const node = open.pop()!;
    if (isSeq(node)) for (const item of node.items) take(item as ParsedNode, 'item');
    if (!isMap(node)) continue;
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const name = textOf(key as ParsedNode);
      places.push(place('key', key as ParsedNode, object));
      if (value) take(value as ParsedNode, 'value', name, seen);
      if (name !== undefined) seen.add(name);
    }
  }

  function take(node: ParsedNode, role: 'value' | 'item', name?: string, seen?: ReadonlySet<string>): void {
    if (node === without) return;
    if (!isScalar(node) && !isAlias(node)) open.push(node);
    else {
      const found = place(isAlias(node) ? 'alias' : role, node, object);
      if (name !== undefined) found.key = name;
      if (name !== undefined && seen?.has(name)) found.duplicate = true;
      places.push(found);
    }
  }
}

function place(role: Place['role'], node: ParsedNode, object: ObjectIdentity): Place {
  return { role, node, start: node.range[0], end: node.range[1], object };
}

function identityOf(node: ParsedNode): ObjectIdentity {
  const text = (from: ParsedNode | undefined, name: string): string => textOf(field(from, name)) ?? '';
  const metadata = field(node, 'metadata');
  return {
    apiVersion: text(node, 'apiVersion'),
    kind: text(node, 'kind'),
    name: text(metadata, 'name'),
    namespace: text(metadata, 'namespace'),
  };
}

function field(node: ParsedNode | undefined, name: string): ParsedNode | undefined {
  if (!isMap(node)) return undefined;
  return (node.items.find(({ key }) => textOf(key as ParsedNode) === name)?.value ?? undefined) as ParsedNode | undefined;
}

function textOf(node: ParsedNode | undefined): string | undefined {
  return isScalar(node) && typeof (node as Scalar).value === 'string' ? ((node as Scalar).value as string) : undefined;
}
