/**
 * How large the program of a pattern gets: RE2 writes out `x{1000}` a thousand times, so that a short text can cost seconds.
 * An estimate from the text alone, since it must be known before anything is compiled; never less than the truth by much.
 */

/** More repeats than a tag has characters match nothing more. */
export const MAX_SIZE = 5_000;

const COUNT = /^\{(\d{1,9})(?:,(\d{0,9}))?\}/;
// A class of Unicode letters is hundreds of ranges.
const UNICODE_CLASS = 50;

interface Reading {
  text: string;
  at: number;
  /** Sizes of the groups that are open, outermost first; the last one grows. */
  open: number[];
}

/** Steps of the program, about. */
export function patternSize(text: string): number {
  const reading: Reading = { text, at: 0, open: [0] };
  while (reading.at < text.length) {
    const size = nextAtom(reading);
    if (size === undefined) continue;
    const count = COUNT.exec(text.slice(reading.at, reading.at + 24));
    const times = count ? Math.max(1, Number(count[1]), Number(count[2] || 0)) : 1;
    if (count) reading.at += count[0].length;
    reading.open[reading.open.length - 1]! += size * times;
  }
  return reading.open.reduce((sum, size) => sum + size, 0);
}

/** Reads one atom and gives its size; undefined where a group opens. */
function nextAtom(reading: Reading): number | undefined {
  const { text, open } = reading;
  const sign = text[reading.at++]!;
  if (sign === '(') {
    open.push(1);
    return undefined;
  }
  if (sign === ')' && open.length > 1) return open.pop()!;
  if (sign === '[') return classSize(reading);
  if (sign !== '\\') return 1;
  const unicode = /^[pP](?:\{[^}]*\}|.)/.exec(text.slice(reading.at, reading.at + 64));
  reading.at += unicode ? unicode[0].length : 1;
  return unicode ? UNICODE_CLASS : 1;
}

function classSize(reading: Reading): number {
  const rest = reading.text.slice(reading.at);
  const whole = /^\^?\]?(?:\\[^]|\[:\^?\w+:\]|[^\]\\])*\]/.exec(rest)?.[0];
  if (whole === undefined) return 1;
  reading.at += whole.length;
  return /\\[pP]/.test(whole) ? UNICODE_CLASS : 1;
}
