import { isAlias, isMap, isScalar, isSeq, type ParsedNode, type Scalar, type YAMLMap } from 'yaml';
import { annotation } from '#api/names.ts';
import { oneLine } from '#core/errors.ts';
import { limits } from './limits.ts';
import { resolvePlain, resolveTagged } from './yaml-scalar.ts';

export interface ValueProblem {
  message: string;
  remedy: string;
  /** Into the text of the file. */
  offset: number;
}

interface Converted {
  value: unknown;
  /** Values in it, aliases written out. */
  size: number;
  /** Levels below it. */
  height: number;
}

interface State {
  anchors: Map<string, Converted>;
  aliases: number;
  /** It was said that they are too many: whatever is built on them would only say it again. */
  tooManyAliases: boolean;
  problems: ValueProblem[];
}

/** Further mistakes of one document are left out: they are mostly the same one. */
const MAX_PROBLEMS = 20;
const COLLECTION_TAGS = new Set([undefined, 'tag:yaml.org,2002:map', 'tag:yaml.org,2002:seq']);

/** Plain values of one document. All its mistakes are collected. */
export function convertDocument(root: ParsedNode): { value: unknown; problems: ValueProblem[] } {
  const state: State = { anchors: new Map(), aliases: 0, tooManyAliases: false, problems: [] };
  const { value } = convert(root, 0, state);
  return { value, problems: state.problems };
}

/** A key as the field of a JSON object (`y: 1` is `"true": 1` in Go); undefined where it cannot be one. */
export function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  const scalar = scalarOf(key as Scalar);
  if ('problem' in scalar || scalar.value === null) return undefined;
  if (typeof scalar.value === 'number' && !Number.isInteger(scalar.value)) return undefined;
  return String(scalar.value);
}

const NOTHING: Converted = { value: null, size: 1, height: 0 };

function convert(node: ParsedNode | null, depth: number, state: State): Converted {
  if (!node) return NOTHING;
  if (isAlias(node)) return aliased(node, depth, state);
  if (depth > limits.depth)
    return problem(state, node, `the values are nested deeper than ${limits.depth} levels`, 'make the structure flatter');
  const converted = isScalar(node) ? scalar(node, state) : collection(node, depth, state);
  const kept = converted.size > limits.values ? tooLarge(node, state) : converted;
  if (node.anchor) state.anchors.set(node.anchor, kept);
  return kept;
}

function collection(node: ParsedNode, depth: number, state: State): Converted {
  if (!COLLECTION_TAGS.has(node.tag)) return problem(state, node, `the tag ${node.tag ?? ''} is not known`, 'remove the tag');
  if (isMap(node)) return map(node as YAMLMap<ParsedNode, ParsedNode | null>, depth, state);
  if (!isSeq(node)) return NOTHING;
  const items = node.items.map((item) => convert(item as ParsedNode, depth + 1, state));
  return { value: items.map(({ value }) => value), ...extent(items) };
}

function map(node: YAMLMap<ParsedNode, ParsedNode | null>, depth: number, state: State): Converted {
  const result: Record<string, unknown> = {};
  const seen = new Set<string>();
  const parts: Converted[] = [];
  for (const { key, value } of node.items) {
    const merge = isMergeKey(key);
    const name = isAlias(key) ? undefined : keyText(key);
    if (!merge && name === undefined) {
      problem(state, key, 'this key is no text', 'quote it');
      continue;
    }
    const converted = name === annotation.publishVersion ? version(value, depth + 1, state) : convert(value, depth + 1, state);
    parts.push(converted);
    if (merge) {
      mergeInto(result, converted.value, () => problem(state, key, '<< takes a map or a list of maps', 'name an anchor of a map'));
    } else if (name !== undefined) {
      if (seen.has(name)) problem(state, key, `the key ${oneLine(name, 100)} is there twice`, 'remove one of the two');
      seen.add(name);
      set(result, name, converted.value);
    }
  }
  return { value: result, ...extent(parts) };
}

/** A version of many digits is no number that would be rounded: it is the text that stands in the file. */
function version(node: ParsedNode | null, depth: number, state: State): Converted {
  if (!isScalar(node) || node.anchor || !('problem' in scalarOf(node))) return convert(node, depth, state);
  return { value: node.source ?? '', size: 1, height: 0 };
}

function isMergeKey(key: ParsedNode): boolean {
  return isScalar(key) && key.source === '<<' && (key.type === 'PLAIN' ? key.tag === undefined : key.tag === 'tag:yaml.org,2002:merge');
}

/** As go-yaml v2 does it: in the place where it stands, the first map of a list winning. */
function mergeInto(target: Record<string, unknown>, value: unknown, refuse: () => void): void {
  const maps: unknown[] = Array.isArray(value) ? value.toReversed() : [value];
  for (const one of maps) {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) refuse();
    else for (const [name, field] of Object.entries(one)) set(target, name, field);
  }
}

/** Never by assignment: `__proto__` is an ordinary key here. */
function set(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}

function aliased(node: ParsedNode & { source: string }, depth: number, state: State): Converted {
  state.aliases += 1;
  const target = state.anchors.get(node.source);
  if (!target) return problem(state, node, `the alias *${oneLine(node.source, 100)} has no anchor before it`, 'define the anchor first');
  const tooMany = state.aliases > limits.aliases || depth + target.height > limits.depth;
  return tooMany ? expanding(node, state) : target;
}

function tooLarge(node: ParsedNode, state: State): Converted {
  if (state.aliases > 0) return expanding(node, state);
  return problem(state, node, `the document has more than ${limits.values} values`, 'split it');
}

/** Few bytes that stand for very much: an alias bomb, which doubles itself some twenty times, or a mistake like one. */
function expanding(node: ParsedNode, state: State): Converted {
  if (state.tooManyAliases) return NOTHING;
  state.tooManyAliases = true;
  return problem(state, node, 'the aliases of this document expand to too much, as those of an alias bomb do', 'write the values out');
}

function scalar(node: Scalar & ParsedNode, state: State): Converted {
  const resolved = scalarOf(node);
  if ('problem' in resolved) return problem(state, node, resolved.problem, resolved.remedy);
  return { value: resolved.value, size: 1, height: 0 };
}

function scalarOf(node: Scalar): ReturnType<typeof resolvePlain> {
  const text = typeof node.value === 'string' ? node.value : (node.source ?? '');
  if (node.tag) return resolveTagged(node.tag, text);
  return node.type === 'PLAIN' ? resolvePlain(text) : { value: text };
}

function extent(parts: readonly Converted[]): { size: number; height: number } {
  let size = 1;
  let height = 0;
  for (const part of parts) {
    size += part.size;
    if (part.height > height) height = part.height;
  }
  return { size, height: height + 1 };
}

function problem(state: State, node: ParsedNode, message: string, remedy: string): Converted {
  if (state.problems.length < MAX_PROBLEMS) state.problems.push({ message, remedy, offset: node.range[0] });
  return NOTHING;
}
