import { TemplateError } from './template-nodes.ts';

/** A piece of a template: text to print, or the inside of one `{{…}}`. */
export type Segment = { kind: 'text'; text: string } | { kind: 'action'; tokens: Token[]; at: number };

export interface Token {
  kind: 'field' | 'dot' | 'variable' | 'identifier' | 'string' | 'number' | '(' | ')' | '|' | ':=' | '=' | ',';
  /** Name without its sign, value of a string, digits of a number. */
  text: string;
  at: number;
  /** No space before it: `.A.B` is one thing, `.A .B` are two. */
  glued: boolean;
}

/** Cuts a template into text and actions, and actions into tokens. Throws TemplateError. */
export function segmentsOf(source: string): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf('{{', at);
    const end = open < 0 ? source.length : open;
    const trimsLeft = open >= 0 && source[open + 2] === '-' && /\s/.test(source[open + 3] ?? '');
    let text = source.slice(at, end);
    if (trimNext) text = text.trimStart();
    if (trimsLeft) text = text.trimEnd();
    if (text !== '') segments.push({ kind: 'text', text });
    if (open < 0) return segments;
    const action = readAction(source, open, open + (trimsLeft ? 3 : 2));
    if (action.tokens) segments.push({ kind: 'action', tokens: action.tokens, at: open });
    [at, trimNext] = [action.end, action.trimsRight];
  }
}

interface Action {
  /** Absent for a comment. */
  tokens?: Token[];
  end: number;
  trimsRight: boolean;
}

function readAction(source: string, open: number, start: number): Action {
  const comment = /^\s*\/\*/.exec(source.slice(start, start + 64));
  if (comment) return readComment(source, open, start + comment[0].length);
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const gap = /^\s*/.exec(source.slice(at, at + 256))![0].length;
    at += gap;
    if (at >= source.length) throw new TemplateError('the action is not closed: }} is missing', open);
    const close = closing(source, at, gap > 0);
    if (close !== undefined) return { tokens, end: close, trimsRight: source[at] === '-' };
    const token = readToken(source, at, gap === 0 && tokens.length > 0);
    tokens.push(token.token);
    at = token.end;
  }
}

/** The end of `}}` or ` -}}` at `at`. */
function closing(source: string, at: number, spaceBefore: boolean): number | undefined {
  if (source.startsWith('}}', at)) return at + 2;
  return spaceBefore && source.startsWith('-}}', at) ? at + 3 : undefined;
}

function readComment(source: string, open: number, at: number): Action {
  const end = source.indexOf('*/', at);
  const close = end < 0 ? null : /^(?:\s+-)?\}\}/.exec(source.slice(end + 2, end + 64));
  if (!close) throw new TemplateError('the comment is not closed: */}} is missing', open);
  return { end: end + 2 + close[0].length, trimsRight: close[0].length > 2 };
}

const TOKENS: readonly (readonly [kind: Token['kind'], pattern: RegExp])[] = [
  ['field', /\.([\p{L}_][\p{L}\p{Nd}_]*)/uy],
  ['number', /([-+]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?))/y],
  ['dot', /(\.)/y],
  ['variable', /\$([\p{L}\p{Nd}_]*)/uy],
  ['identifier', /([\p{L}_][\p{L}\p{Nd}_]*)/uy],
  [':=', /(:=)/y],
  ['=', /(=)/y],
  ['|', /(\|)/y],
  ['(', /(\()/y],
  [')', /(\))/y],
  [',', /(,)/y],
];

function readToken(source: string, at: number, glued: boolean): { token: Token; end: number } {
  if (source[at] === '"' || source[at] === '`') {
    const { text, end } = readString(source, at);
    return { token: { kind: 'string', text, at, glued }, end };
  }
  for (const [kind, pattern] of TOKENS) {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match) return { token: { kind, text: match[1]!, at, glued }, end: at + match[0].length };
  }
  throw new TemplateError(`${JSON.stringify(source.slice(at, at + 1))} cannot stand here`, at);
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '"': '"',
  '\\': '\\',
  "'": "'",
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
};

function readString(source: string, at: number): { text: string; end: number } {
  if (source[at] === '`') {
    const end = source.indexOf('`', at + 1);
    if (end < 0) throw new TemplateError('the text is not closed: ` is missing', at);
    return { text: source.slice(at + 1, end), end: end + 1 };
  }
  let text = '';
  for (let index = at + 1; index < source.length; index++) {
    const letter = source[index]!;
    if (letter === '"') return { text, end: index + 1 };
    if (letter === '\n') break;
    if (letter !== '\\') {
      text += letter;
      continue;
    }
    const escape = readEscape(source, index);
    text += escape.text;
    index = escape.end - 1;
  }
  throw new TemplateError('the text is not closed: " is missing', at);
}

function readEscape(source: string, at: number): { text: string; end: number } {
  const simple = ESCAPES[source[at + 1] ?? ''];
  if (simple !== undefined) return { text: simple, end: at + 2 };
  const code = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(source.slice(at, at + 10));
  const value = code ? Number.parseInt(code[1] ?? code[2] ?? code[3]!, 16) : Number.NaN;
  if (!code || !(value <= 0x10ffff)) throw new TemplateError(`${JSON.stringify(source.slice(at, at + 2))} is no escape`, at);
  return { text: String.fromCodePoint(value), end: at + code[0].length };
}
