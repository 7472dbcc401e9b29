import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseAllDocuments, type YAMLError } from 'yaml';
import type { Cause } from '#api/failure.ts';
import { oneLine } from '#core/errors.ts';
import { limits } from './limits.ts';
import { convertDocument, keyText } from './yaml-convert.ts';

/** One document of a YAML file, with plain JSON values. */
export interface YamlDocument {
  value: unknown;
  /** Where its content begins, from 1. */
  line: number;
  /** Line of a field: of its key, or of the item of a list. The line of the nearest parent where it is not there. */
  lineOf(path: readonly (string | number)[]): number;
  /** The text of a scalar as it stands in the file, before it became a number or a boolean. */
  sourceOf(path: readonly (string | number)[]): string | undefined;
}

export interface YamlFile {
  documents: YamlDocument[];
  causes: Cause[];
}

/** Bytes that go-yaml refuses in any place. */
// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/**
 * Reads YAML as kubectl does (sigs.k8s.io/yaml over go-yaml v2): its table of scalars, merge keys, aliases. Stricter in
 * what would go wrong in silence: duplicate keys, unknown tags and integers beyond 2^53 are mistakes. Empty documents
 * are left out. All mistakes of the file are collected; documents without one are still returned.
 */
export function readYaml(content: Buffer | string, file: string): YamlFile {
  const mistake = (message: string, line?: number, remedy?: string): Cause => ({
    path: '',
    code: 'InvalidYAML',
    message,
    ...(remedy ? { remedy } : {}),
    file,
    ...(line === undefined ? {} : { line }),
  });
  const text = decode(content);
  if (typeof text !== 'string') return { documents: [], causes: [mistake(text.problem, undefined, 'save the file as UTF-8')] };
  const control = CONTROL.exec(text);
  if (control)
    return { documents: [], causes: [mistake('a control character is not allowed in YAML', lineAt(text, control.index), 'remove it')] };
  const marks = text.match(/^---/gm)?.length ?? 0;
  if (marks > limits.documents) {
    return {
      documents: [],
      causes: [
        { ...mistake(`the file has ${marks} documents, the limit is ${limits.documents}`, undefined, 'split it'), code: 'TooLarge' },
      ],
    };
  }
  const lines = new LineCounter();
  const result: YamlFile = { documents: [], causes: [] };
  for (const document of parse(text, lines)) {
    if (document instanceof Error) {
      result.causes.push(mistake('the values are nested too deep', undefined, 'make the structure flatter'));
      continue;
    }
    const { documents, causes } = readDocument(document, lines);
    result.documents.push(...documents);
    result.causes.push(...causes.map(({ message, line, remedy }) => withHint(mistake(message, line, remedy), text)));
  }
  return result;
}

type Problem = { message: string; line: number; remedy?: string };
type Parsed = Document.Parsed<ParsedNode>;

function parse(text: string, lineCounter: LineCounter): Parsed[] | [Error] {
  try {
    const documents = parseAllDocuments(text, {
      schema: 'failsafe',
      resolveKnownTags: false,
      merge: false,
      // Its own check is quadratic: 20 000 keys take 9 s. yaml-convert.ts checks with a Set.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
      lineCounter,
    });
    return Array.isArray(documents) ? documents : [];
  } catch (error) {
    return [error instanceof Error ? error : new Error('unreadable')];
  }
}

function readDocument(document: Parsed, lines: LineCounter): { documents: YamlDocument[]; causes: Problem[] } {
  const lineOfOffset = (offset: number): number => lines.linePos(offset).line;
  if (document.errors.length > 0) {
    const [first] = document.errors;
    return { documents: [], causes: first ? [syntaxProblem(first, lineOfOffset(first.pos[0]))] : [] };
  }
  const root = document.contents;
  if (!root) return { documents: [], causes: [] };
  const converted = convertDocument(root);
  if (converted.problems.length > 0) {
    return {
      documents: [],
      causes: converted.problems.map(({ message, remedy, offset }) => ({ message, remedy, line: lineOfOffset(offset) })),
    };
  }
  if (converted.value === null) return { documents: [], causes: [] };
  const at = (path: readonly (string | number)[]): number => lineOfOffset(offsetOf(root, path));
  const read = {
    value: converted.value,
    line: lineOfOffset(root.range[0]),
    lineOf: at,
    sourceOf: (path: readonly (string | number)[]) => sourceOf(root, path),
  };
  return { documents: [read], causes: [] };
}

function syntaxProblem(error: YAMLError, line: number): Problem {
  // The parser is recursive; it catches its own overflow.
  if (error.message.includes('call stack'))
    return { message: 'the values are nested too deep', line, remedy: 'make the structure flatter' };
  // What stands behind a colon repeats the file, which may hold secrets (spec/sync.md A24).
  const message = oneLine(error.message, 200).replace(/:.*$/, '');
  return { message: `not YAML: ${message}`, line };
}

function withHint(cause: Cause, text: string): Cause {
  if (cause.remedy || !text.includes('{{')) return cause;
  return { ...cause, remedy: 'this looks like a Helm template: render it first, or move it out of the path' };
}

function decode(content: Buffer | string): string | { problem: string } {
  if (typeof content === 'string') return content.replace(/^\uFEFF/, '');
  const [first, second] = content;
  if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)) return { problem: 'the file is UTF-16' };
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return { problem: 'the file is not UTF-8 text' };
  }
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** The offset of the key (or item) at `path`, or of the deepest parent that is there. */
function offsetOf(root: ParsedNode, path: readonly (string | number)[]): number {
  let node: ParsedNode | null = root;
  let offset = root.range[0];
  for (const part of path) {
    const step = child(node, part);
    if (!step) break;
    offset = step.offset;
    node = step.node;
  }
  return offset;
}

function sourceOf(root: ParsedNode, path: readonly (string | number)[]): string | undefined {
  let node: ParsedNode | null = root;
  for (const part of path) node = child(node, part)?.node ?? null;
  return isScalar(node) && typeof node.source === 'string' ? node.source : undefined;
}

function child(node: ParsedNode | null, part: string | number): { node: ParsedNode | null; offset: number } | undefined {
  if (isSeq(node) && typeof part === 'number') {
    const item = node.items[part] as ParsedNode | undefined;
    return item ? { node: item, offset: item.range[0] } : undefined;
  }
  if (!isMap(node) || isAlias(node)) return undefined;
  const pair = node.items.find(({ key }) => keyText(key as ParsedNode) === part);
  return pair ? { node: pair.value as ParsedNode | null, offset: (pair.key as ParsedNode).range[0] } : undefined;
}
