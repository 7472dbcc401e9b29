import { expand, parseExtract } from './extract.ts';
import { parsePattern } from './pattern.ts';
import { argumentsOf } from './template-arguments.ts';
import type { TemplateFunction } from './template-functions.ts';
import { quoted } from './template-quote.ts';
import {
  BoundedText,
  compareText,
  entriesOf,
  isTrue,
  MAX_DEPTH,
  MAX_TEXT,
  print,
  Struct,
  StructMap,
  type Value,
  ValueTooLarge,
} from './template-value.ts';

/** The functions of the Sprig set that commit messages use, with Sprig's order of arguments: the subject comes last. */
export const TEXT_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  upper: (args) => argumentsOf(args, 1).text(0).toUpperCase(),
  lower: (args) => argumentsOf(args, 1).text(0).toLowerCase(),
  trim: (args) => argumentsOf(args, 1).text(0).trim(),
  trimPrefix: (args) => withTwo(args, (prefix, text) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  trimSuffix: (args) => withTwo(args, (suffix, text) => (suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text)),
  hasPrefix: (args) => withTwo(args, (prefix, text) => text.startsWith(prefix)),
  hasSuffix: (args) => withTwo(args, (suffix, text) => text.endsWith(suffix)),
  contains: (args) => withTwo(args, (part, text) => text.includes(part)),
  trunc: truncated,
  substr: (args) => {
    const taken = argumentsOf(args, 3);
    const [start, end, text] = [taken.whole(0), taken.whole(1), taken.text(2)];
    return start < 0 ? text.slice(0, Math.max(0, end)) : text.slice(start, end < 0 ? undefined : end);
  },
  replace: (args) => {
    const taken = argumentsOf(args, 3);
    return joinTexts(taken.text(2).split(taken.text(0)), taken.text(1));
  },
  repeat: (args) => {
    const taken = argumentsOf(args, 2);
    const [count, text] = [Math.max(0, taken.whole(0)), taken.text(1)];
    return joinTexts(
      Array.from({ length: text === '' ? 0 : Math.min(count, MAX_TEXT + 1) }, () => text),
      '',
    );
  },
  indent: (args) => indented(argumentsOf(args, 2).whole(0), argumentsOf(args, 2).text(1)),
  nindent: (args) => `\n${indented(argumentsOf(args, 2).whole(0), argumentsOf(args, 2).text(1))}`,
  quote: (args) =>
    args
      .filter((value) => value !== undefined)
      .map((value) => quoted(print(value)))
      .join(' '),
  squote: (args) =>
    args
      .filter((value) => value !== undefined)
      .map((value) => `'${print(value)}'`)
      .join(' '),
  toString: (args: readonly Value[]) => print(argumentsOf(args, 1).any(0)),
  toJson: (args) => jsonOf(argumentsOf(args, 1).any(0)),
  sha256sum: (args, host) => host.sha256(argumentsOf(args, 1).text(0)),
  regexReplaceAll: replacedByPattern,
  regexMatch: (args) => withTwo(args, (pattern, text) => patternOf(pattern).test(text)),
  split: (args) => withTwo(args, (separator, text) => new Map(text.split(separator).map((part, index) => [`_${index}`, part]))),
  splitList: (args) => withTwo(args, (separator, text) => text.split(separator)),
  join: (args) => {
    const taken = argumentsOf(args, 2);
    const list = Array.isArray(taken.any(1)) ? taken.list(1) : [taken.any(1)];
    return joinTexts(list.filter((value) => value !== undefined).map(print), taken.text(0));
  },
  default: (args) => {
    const taken = argumentsOf(args, 1, 2);
    return taken.all.length === 2 && isTrue(taken.any(1)) ? taken.any(1) : taken.any(0);
  },
  coalesce: (args) => args.find((value) => isTrue(value)),
  empty: (args) => !isTrue(argumentsOf(args, 1).any(0)),
  ternary: (args) => (argumentsOf(args, 3).any(2) === true ? args[0] : args[1]),
  list: (args) => [...args],
  dict: (args) => {
    const pairs = Array.from(
      { length: Math.ceil(args.length / 2) },
      (_, index) => [print(args[2 * index]), args[2 * index + 1] ?? ''] as const,
    );
    return new Map(pairs);
  },
  first: (args) => argumentsOf(args, 1).list(0)[0],
  last: (args) => argumentsOf(args, 1).list(0).at(-1),
  uniq: (args) => {
    const list = argumentsOf(args, 1).list(0);
    return [...new Map(list.map((value) => [print(value), value])).values()];
  },
  sortAlpha: (args) => argumentsOf(args, 1).list(0).map(print).sort(compareText),
};

function withTwo<Result extends Value>(args: readonly Value[], work: (first: string, second: string) => Result): Result {
  const taken = argumentsOf(args, 2);
  return work(taken.text(0), taken.text(1));
}

/** `trunc 5 "hello world"`; a negative number counts from the end. */
function truncated(args: readonly Value[]): string {
  const taken = argumentsOf(args, 2);
  const [length, text] = [taken.whole(0), taken.text(1)];
  return length < 0 ? text.slice(length) : text.slice(0, length);
}

function joinTexts(parts: readonly string[], separator: string): string {
  const out = new BoundedText();
  for (const [index, part] of parts.entries()) {
    if (index > 0) out.add(separator);
    out.add(part);
  }
  return out.text;
}

function indented(spaces: number, text: string): string {
  const margin = ' '.repeat(Math.max(0, Math.min(spaces, 1_000)));
  return margin + joinTexts(text.split('\n'), `\n${margin}`);
}

function patternOf(text: string): Extract<ReturnType<typeof parsePattern>, { pattern: unknown }>['pattern'] {
  const parsed = parsePattern(text);
  if ('problem' in parsed) throw new Error(`the pattern ${parsed.problem.text}`);
  return parsed.pattern;
}

/** `regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W"`. */
function replacedByPattern(args: readonly Value[]): string {
  const taken = argumentsOf(args, 3);
  const pattern = patternOf(taken.text(0));
  const replacement = parseExtract(taken.text(2));
  const out = new BoundedText();
  const subject = taken.text(1);
  let at = 0;
  for (const { index, match } of pattern.all(subject)) {
    out.add(subject.slice(at, index) + expand(replacement, match, pattern));
    at = index + match[0]!.length;
  }
  out.add(subject.slice(at));
  return out.text;
}

function jsonOf(value: Value): string {
  const out = new BoundedText();
  writeJson(out, value, 0);
  return out.text;
}

function writeJson(out: BoundedText, value: Value, depth: number): void {
  if (depth > MAX_DEPTH) throw new ValueTooLarge(`the value is nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) {
    out.add('[');
    for (const [index, item] of (value as readonly Value[]).entries()) {
      if (index > 0) out.add(',');
      writeJson(out, item, depth + 1);
    }
    return out.add(']');
  }
  const entries =
    value instanceof Map || value instanceof StructMap ? entriesOf(value) : value instanceof Struct ? [...value.fields] : undefined;
  if (!entries) return out.add(JSON.stringify(value ?? null));
  out.add('{');
  for (const [index, [key, item]] of entries.entries()) {
    out.add(`${index > 0 ? ',' : ''}${JSON.stringify(print(key))}:`);
    writeJson(out, item, depth + 1);
  }
  out.add('}');
}
