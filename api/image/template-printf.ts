import { quoted } from './template-quote.ts';
import { BoundedText, print, type Value } from './template-value.ts';

const VERB = /%([-+0 #]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g;
const MAX_WIDTH = 1_000;

interface Verb {
  flags: string;
  width: number;
  precision: number | undefined;
  letter: string;
}

/** Go's Sprintf for the verbs that messages use: %v %s %q %d %x %t %f %e %g and %%, with flags, width and precision. */
export function formatPrintf(format: string, args: readonly Value[]): string {
  const out = new BoundedText();
  let next = 0;
  let at = 0;
  for (const match of format.matchAll(VERB)) {
    out.add(format.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[4] === '%') {
      out.add('%');
      continue;
    }
    const verb = verbOf(match);
    if (next >= args.length) out.add(`%!${verb.letter}(MISSING)`);
    else out.add(pad(one(verb, args[next]), verb));
    next += 1;
  }
  out.add(format.slice(at));
  if (next < args.length)
    out.add(
      `%!(EXTRA ${args
        .slice(next)
        .map((value) => `${goType(value)}=${print(value)}`)
        .join(', ')})`,
    );
  return out.text;
}

function verbOf([, flags = '', width, precision, letter = 'v']: RegExpMatchArray): Verb {
  const verb = { flags, width: Number(width ?? 0), precision: precision === undefined ? undefined : Number(precision), letter };
  if (verb.width > MAX_WIDTH || (verb.precision ?? 0) > MAX_WIDTH) throw new Error(`a width over ${MAX_WIDTH} is not allowed`);
  return verb;
}

function one(verb: Verb, value: Value): string {
  const { letter, precision } = verb;
  if (letter === 'v') return print(value);
  if (letter === 's' && typeof value !== 'number' && typeof value !== 'boolean') return clipped(print(value), precision);
  if (letter === 'q' && typeof value !== 'number' && typeof value !== 'boolean') return quoted(clipped(print(value), precision));
  if (letter === 't' && typeof value === 'boolean') return String(value);
  if (letter === 'x' && typeof value === 'string') return hexOf(value);
  if (typeof value === 'number') return numberOf(verb, value) ?? wrong(verb, value);
  return wrong(verb, value);
}

function clipped(text: string, precision: number | undefined): string {
  return precision === undefined ? text : Array.from(text).slice(0, precision).join('');
}

function hexOf(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function numberOf({ letter, precision, flags }: Verb, value: number): string | undefined {
  const text = numberText(letter, precision, value);
  return text !== undefined && flags.includes('+') && value >= 0 ? `+${text}` : text;
}

function numberText(letter: string, precision: number | undefined, value: number): string | undefined {
  if (letter === 'd' || letter === 'x') return Number.isInteger(value) ? value.toString(letter === 'd' ? 10 : 16) : undefined;
  const digits = Math.min(precision ?? 6, 100);
  if (letter === 'f') return value.toFixed(digits);
  if (letter === 'e') return value.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2');
  return letter === 'g' ? print(value) : undefined;
}

function wrong({ letter }: Verb, value: Value): string {
  return value === undefined ? `%!${letter}(<nil>)` : `%!${letter}(${goType(value)}=${print(value)})`;
}

function goType(value: Value): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'value';
}

function pad(text: string, { flags, width, letter }: Verb): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0') || !'dxfeg'.includes(letter)) return text.padStart(width);
  const sign = /^[-+]/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}
