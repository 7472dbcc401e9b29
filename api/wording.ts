/** How paths and values are written in a cause. One place, so that a secret has no second way out. */

export type Path = readonly (string | number)[];

const MAX_SHOWN = 80;
const PLAIN_KEY = /^[A-Za-z_][\w-]*$/;
// Candidates tried for one did-you-mean: a bound, so that 10,000 mistakes stay cheap.
const MAX_CANDIDATES = 200;

/** At most 80 characters, control characters made visible. */
export function shorten(text: string): string {
  const head = text.slice(0, MAX_SHOWN + 1);
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  const visible = head.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return visible.length > MAX_SHOWN ? `${visible.slice(0, MAX_SHOWN - 1)}…` : visible;
}

/** `['spec', 'components', 0, 'name']` -> `spec.components[0].name`. */
export function pathText(path: Path): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (!PLAIN_KEY.test(key)) text += `[${quote(key)}]`;
    else text += text === '' ? shorten(key) : `.${shorten(key)}`;
  }
  return text;
}

/** A string as the user would write it in quotes, shortened. */
export function quote(text: string): string {
  return `"${shorten(text)}"`;
}

/** A scalar as text for `Cause.value`; nothing for lists and maps, which may hold anything. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return shorten(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === null ? 'null' : undefined;
}

/** `the string "5"`, `a list`: what was received, in words. `secret` leaves the value out. */
export function received(value: unknown, secret: boolean): string {
  if (value === null) return 'nothing (null)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (secret || (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')) return `a ${typeof value}`;
  return typeof value === 'string' ? `the string ${quote(value)}` : `the ${typeof value} ${value}`;
}

/** `"a", "b" and "c"`. */
export function listText(words: readonly string[]): string {
  const quoted = words.map(quote);
  const last = quoted.pop();
  if (last === undefined) return 'none';
  return quoted.length === 0 ? last : `${quoted.join(', ')} and ${last}`;
}

/** `closest` for one check: after so many questions it answers nothing, so that many mistakes cost no more than few. */
export function boundedGuess(questions = 300): (word: string, candidates: readonly string[]) => string | undefined {
  let left = questions;
  return (word, candidates) => (left-- > 0 ? closest(word, candidates) : undefined);
}

/** The candidate that `word` was most likely meant to be, or undefined. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  // One slip for every three letters, as spelling checkers of compilers allow.
  const limit = lower.length < 3 ? 0 : Math.floor(lower.length / 3);
  let best: { name: string; distance: number } | undefined;
  for (const name of candidates.slice(0, MAX_CANDIDATES)) {
    if (Math.abs(name.length - lower.length) > limit || name.length > 64) continue;
    const distance = editDistance(lower, name.toLowerCase());
    if (distance <= limit && (!best || distance < best.distance)) best = { name, distance };
  }
  return best?.name ?? containing(lower, candidates);
}

/** `interval` -> `pullInterval`: the one candidate that holds the word, where it is long enough to mean something. */
function containing(word: string, candidates: readonly string[]): string | undefined {
  if (word.length < 4) return undefined;
  const found = candidates.slice(0, MAX_CANDIDATES).filter((name) => name.toLowerCase().includes(word));
  return found.length === 1 ? found[0] : undefined;
}

/** Letters to change, add, drop or swap (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min(last[column]! + 1, line[column - 1]! + 1, last[column - 1]! + same);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, beforeLast[column - 2]! + 1);
      line.push(cost);
    }
    beforeLast = last;
    last = line;
  }
  return last[b.length]!;
}
