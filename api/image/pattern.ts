import { RE2JS } from 're2js';
import { plainPattern } from './plain-pattern.ts';
import type { TextProblem } from './problem.ts';

/** What matched: the whole at 0, then the groups; undefined for a group that took no part. */
export type PatternMatch = readonly (string | undefined)[];

/** A tenant's pattern in the dialect of RE2 (spec/image-automation.md §2.2): linear time, `(?P<name>…)`, no lookaround. */
export interface Pattern {
  text: string;
  groupCount: number;
  /** Named groups by their number. */
  groups: ReadonlyMap<string, number>;
  /** The first match, anywhere in `text`. */
  match(text: string): PatternMatch | undefined;
  test(text: string): boolean;
  /** Every match that holds at least one character, from left to right. */
  all(text: string): Iterable<{ index: number; match: PatternMatch & readonly [string] }>;
}

/** Longer ones only cost: what people write has 20 to 80 characters. */
const MAX_PATTERN = 1_024;

const REMEDIES: readonly (readonly [words: RegExp, remedy: string])[] = [
  [/\(\?[!=]|\(\?<[!=]/, 'RE2 has no lookaround: name what is wanted instead'],
  [/escape sequence: `\\[1-9]/, 'RE2 has no back-references'],
  [/escape sequence: `\\[uZ]/, 'write \\x{0041} for a code point, \\z for the end'],
  [/repetition operator/, 'RE2 has no possessive quantifiers: remove one of the two signs'],
  [/repeat count/, 'repeat at most 1000 times'],
  [/duplicate capture group/, 'give each group a name of its own'],
  [/named capture/, 'name a group with letters, digits and _ alone: (?P<name>…)'],
  [/missing closing \]/, 'close the [ with ], or write \\['],
  [/missing closing \)/, 'close the ( with ), or write \\('],
];

/** Compiles a pattern. Nothing that a user writes makes this throw. */
export function parsePattern(text: string): { pattern: Pattern } | { problem: TextProblem } {
  if (text.length > MAX_PATTERN)
    return { problem: { text: `has ${text.length} characters, at most ${MAX_PATTERN} are allowed`, remedy: 'make it shorter' } };
  try {
    return { pattern: toPattern(text, RE2JS.compile(text)) };
  } catch (error) {
    const words = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'not a regular expression';
    const remedy = REMEDIES.find(([pattern]) => pattern.test(words))?.[1] ?? 'write it in the syntax of RE2';
    return { problem: { text: `is not a pattern: ${words}`, remedy } };
  }
}

function toPattern(text: string, compiled: RE2JS): Pattern {
  const groupCount = compiled.groupCount();
  const plain = plainPattern(text);
  const groups = new Map(Object.entries(compiled.namedGroups() as Record<string, number>));
  const matchOf = (matcher: ReturnType<RE2JS['matcher']>): PatternMatch =>
    Array.from({ length: groupCount + 1 }, (_, group) => matcher.group(group) ?? undefined);
  return {
    text,
    groupCount,
    groups,
    match(subject) {
      const found = plain?.(subject);
      if (found !== undefined) return found ?? undefined;
      const matcher = compiled.matcher(subject);
      return matcher.find() ? matchOf(matcher) : undefined;
    },
    test: (subject) => {
      const found = plain?.(subject);
      return found === undefined ? compiled.matcher(subject).find() : found !== null;
    },
    *all(subject) {
      const matcher = compiled.matcher(subject);
      while (matcher.find()) {
        const match = matchOf(matcher);
        if (match[0]) yield { index: matcher.start(), match: match as PatternMatch & readonly [string] };
      }
    },
  };
}
