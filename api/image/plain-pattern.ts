/** One character of a pattern, or a run of them. */
interface Atom {
  /** The characters, as code points of ASCII. */
  set: ReadonlySet<number>;
  /** May match runs of different lengths. */
  varies: boolean;
  /** May match nothing. */
  optional: boolean;
}

const WORD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_';
const DIGITS = '0123456789';
/** What a tag is made of; `.` of a pattern is any of them. */
const TAG = `${WORD}.-`;
const TAG_TEXT = /^[\w.-]{0,128}$/;

const OPEN = /\((?:\?P?<\w+>|\?:)?/y;
const QUANTIFIER = /[?*+]|\{(\d+)(?:(,)(\d*))?\}/y;
/** A class, a named class, any character, or one without a meaning of its own in any dialect. */
const ATOM = /\[(?:[A-Za-z0-9]-[A-Za-z0-9]|\\[dw.-]|[\w.])+-?\]|\\[dw.-]|[.\w-]/y;
const MEMBER = /[A-Za-z0-9]-[A-Za-z0-9]|\\?[\w.-]/g;

/**
 * The engine of JavaScript for a pattern that means the same to it as to RE2, and that it cannot be slow with: thirty times
 * as fast. Such a pattern is a row of characters and classes, in groups that are not repeated; where a run may end is
 * told by the next character alone, so nothing is ever tried twice from one place. Undefined for any other pattern, and
 * what it gives is undefined for texts that are no tags: RE2 is to be asked then.
 */
export function plainPattern(pattern: string): ((text: string) => RegExpExecArray | null | undefined) | undefined {
  const read = atomsOf(pattern);
  if (!read || !isDecided(read.atoms)) return undefined;
  const engine = new RegExp(read.source);
  return (text) => (TAG_TEXT.test(text) ? engine.exec(text) : undefined);
}

interface Reading {
  source: string;
  atoms: Atom[];
  depth: number;
}

/** The pattern without names of groups, and its atoms; undefined where it holds anything else. */
function atomsOf(pattern: string): Reading | undefined {
  const start = pattern.startsWith('^') ? 1 : 0;
  const end = pattern.endsWith('$') ? pattern.length - 1 : pattern.length;
  const reading: Reading = { source: pattern.slice(0, start), atoms: [], depth: 0 };
  for (let at = start; at < end; ) {
    const length = readPart(pattern, at, reading);
    if (length === undefined) return undefined;
    at += length;
  }
  reading.source += pattern.slice(end);
  return reading.depth === 0 ? reading : undefined;
}

/** Reads a parenthesis, or an atom with its quantifier; its length. */
function readPart(pattern: string, at: number, reading: Reading): number | undefined {
  const [open] = matchAt(OPEN, pattern, at) ?? [];
  if (open !== undefined) {
    reading.depth += 1;
    reading.source += open === '(?:' ? open : '(';
    return open.length;
  }
  if (pattern[at] === ')') {
    reading.depth -= 1;
    reading.source += ')';
    return reading.depth < 0 || matchAt(QUANTIFIER, pattern, at + 1) ? undefined : 1;
  }
  return readAtom(pattern, at, reading);
}

function readAtom(pattern: string, at: number, reading: Reading): number | undefined {
  const [atom] = matchAt(ATOM, pattern, at) ?? [];
  if (atom === undefined) return undefined;
  const quantifier = matchAt(QUANTIFIER, pattern, at + atom.length);
  const text = atom + (quantifier?.[0] ?? '');
  // A second sign makes a run lazy, or is a mistake.
  if (/[?*+{]/.test(pattern[at + text.length] ?? '')) return undefined;
  reading.source += text;
  reading.atoms.push({ set: setOf(atom), ...runOf(quantifier) });
  return text.length;
}

function matchAt(expression: RegExp, text: string, at: number): RegExpExecArray | null {
  expression.lastIndex = at;
  return expression.exec(text);
}

function runOf(quantifier: RegExpExecArray | null): { varies: boolean; optional: boolean } {
  if (!quantifier) return { varies: false, optional: false };
  const [sign, least, comma, most] = quantifier;
  if (least === undefined) return { varies: true, optional: sign !== '+' };
  return { varies: comma !== undefined && most !== least, optional: Number(least) === 0 };
}

function setOf(atom: string): ReadonlySet<number> {
  const members = atom.startsWith('[') ? atom.slice(1, -1).matchAll(MEMBER) : [[atom, atom]];
  return new Set(Array.from(members, ([member = '']) => Array.from(codesOf(member, atom === '.'))).flat());
}

/** Of a range, a named class or a character. */
function codesOf(member: string, isAny: boolean): readonly number[] {
  if (isAny) return codes(TAG);
  if (member === String.raw`\d`) return codes(DIGITS);
  if (member === String.raw`\w`) return codes(WORD);
  if (member.length < 3) return codes(member.slice(-1));
  const [first, last] = [member.charCodeAt(0), member.charCodeAt(2)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

function codes(text: string): readonly number[] {
  return Array.from(text, (sign) => sign.charCodeAt(0));
}

/** After every run of varying length, what may follow it has no character in common with it. */
function isDecided(atoms: readonly Atom[]): boolean {
  return atoms.every(({ set, varies }, index) => !varies || hasOtherFollowers(set, atoms.slice(index + 1)));
}

function hasOtherFollowers(set: ReadonlySet<number>, next: readonly Atom[]): boolean {
  const needed = next.findIndex(({ optional }) => !optional);
  const followers = needed < 0 ? next : next.slice(0, needed + 1);
  return followers.every((follower) => !Array.from(follower.set).some((code) => set.has(code)));
}
