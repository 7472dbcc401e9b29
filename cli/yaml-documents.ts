import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import type { Cause } from '#api/failure.ts';

/** One document of a YAML file. */
export interface YamlDocument {
  value: unknown;
  /** Line of a field path such as `spec.components[0].type`, or of the nearest thing above it that is there. */
  lineOf(path: string): number;
}

/** More aliases than this in one file are an attack, not a manifest (spec/dependencies.md §3.2). */
const MAX_ALIASES = 1_000;

/** The documents of a file that are not empty, and what is wrong with its YAML. JSON is YAML too. */
export function yamlDocuments(text: string, file: string): { documents: YamlDocument[]; causes: Cause[] } {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    version: '1.1',
    merge: true,
    lineCounter: lines,
    prettyErrors: false,
    customTags: (tags) => tags.filter(isNotTime),
  });
  const documents: YamlDocument[] = [];
  const causes: Cause[] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const problem = document.errors[0];
    if (problem) {
      causes.push(invalid(file, problem.message, lines.linePos(problem.pos[0]).line));
      continue;
    }
    try {
      const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
      if (value !== null && value !== undefined) documents.push({ value, lineOf: (path) => lineOf(document, keysOf(path), lines) });
    } catch (error) {
      causes.push(invalid(file, (error as Error).message, 1));
    }
  }
  return { documents, causes };
}

/** Dates and 1:30 are strings for kubectl. */
function isNotTime(tag: unknown): boolean {
  const { tag: name = '', format = '' } = (typeof tag === 'object' ? tag : {}) as { tag?: string; format?: string };
  return !name.endsWith(':timestamp') && format !== 'TIME' && tag !== 'timestamp' && tag !== 'intTime' && tag !== 'floatTime';
}

function invalid(file: string, message: string, line: number): Cause {
  return { path: '', code: 'InvalidYAML', message: `not YAML: ${message}`, remedy: 'correct the syntax', file, line };
}

const STEP = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\.?([^.[\]]+)/gy;

/** `spec.components[0].name` -> spec, components, 0, name. */
function keysOf(path: string): (string | number)[] {
  return [...path.matchAll(STEP)].map(([, index, quoted, plain]) => (index === undefined ? (quoted ?? plain ?? '') : Number(index)));
}

function lineOf(document: Document, keys: readonly (string | number)[], lines: LineCounter): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? start(node) : 0;
  for (const key of keys) {
    const next = child(isAlias(node) ? node.resolve(document) : node, key);
    if (!next) break;
    offset = next.offset;
    node = next.node;
  }
  return lines.linePos(offset).line;
}

/** A field counts from its key, an item of a list from its own begin. */
function child(node: unknown, key: string | number): { node: unknown; offset: number } | undefined {
  if (isSeq(node) && typeof key === 'number') {
    const item = node.items[key];
    return isNode(item) ? { node: item, offset: start(item) } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((one) => isScalar(one.key) && String(one.key.value) === String(key));
  return pair && isNode(pair.key) ? { node: pair.value, offset: start(pair.key) } : undefined;
}

function start(node: Node): number {
  return node.range?.[0] ?? 0;
}
