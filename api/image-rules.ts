import { extractProblems, parseExtract } from './image/extract.ts';
import { messageProblem } from './image/message.ts';
import { parsePattern } from './image/pattern.ts';
import { MAX_SIZE, patternSize } from './pattern-size.ts';
import type { TextProblem } from './image/problem.ts';
import { parseImage } from './image/reference.ts';
import { parseRange } from './image/semver-range.ts';
import type { Reason } from './reasons.ts';
import { isMap, own } from './schema.ts';
import type { Finding, Rule, Site } from './schema.ts';
import { listText, quote, shorten } from './wording.ts';

/** The rules of `imageRepository` (spec/image-automation.md §1.1, §2, §3): the parsers judge, this names the reason. */

export const imageRule: Rule<string> = (text) => findingsOf('InvalidImage', text, parseImage(text));

export const rangeRule: Rule<string> = (text) => findingsOf('InvalidRange', text, parseRange(text));

/** RE2, not too long, and of characters that a tag can have. */
export const patternRule: Rule<string> = (text, { context }) => {
  const size = patternSize(text);
  if (size > MAX_SIZE) {
    const problem = { text: 'repeats more than a tag of 128 characters can', remedy: 'write smaller counts, or + and *' };
    return findingsOf('InvalidPattern', text, { problem });
  }
  if (!context.afford(size)) return [tooMany('InvalidPattern', text)];
  const parsed = lastPattern(text);
  if ('problem' in parsed) return findingsOf('InvalidPattern', text, parsed);
  const needed = impossibleIn(text);
  if (needed === undefined) return [];
  const problem = { text: `needs ${quote(needed)}, which no tag may hold`, remedy: 'write a pattern for the tag alone, without the image' };
  return findingsOf('InvalidPattern', text, { problem });
};

/** As many as Flux takes: every tag meets each of them. */
const MAX_EXCLUSIONS = 25;

export const exclusionsRule: Rule<string[]> = ({ length }) => {
  if (length <= MAX_EXCLUSIONS) return [];
  const text = `has ${length} patterns, at most ${MAX_EXCLUSIONS} are allowed`;
  return [{ code: 'InvalidValue', text, remedy: 'join some of them with |' }];
};

/** Every group that `extract` names must be one of the pattern's. */
export const extractRule: Rule<string> = (text, { parent }) => {
  const pattern = own(parent, 'pattern') ?? '';
  // One that was not judged is not compiled here either.
  if (typeof pattern !== 'string' || (pattern !== '' && last?.text !== pattern)) return [];
  const parsed = lastPattern(pattern);
  if ('problem' in parsed) return [];
  const { groups, groupCount } = parsed.pattern;
  const names = [...groups.keys().map((name) => `$${name}`), ...Array.from({ length: groupCount + 1 }, (_, group) => `$${group}`)];
  // A template that only makes all tags alike is no mistake, but suspicious: api/suspicions.ts.
  const unknown = extractProblems(parseExtract(text), parsed.pattern).filter(({ at }) => at !== undefined);
  return unknown.map((problem) => ({
    ...toFinding('InvalidExtract', text, problem),
    text: `${problem.text.replace(/: it is always empty$/, '')}, received ${quote(text)}; it has ${listText(names)}`,
  }));
};

/** A commitMessage must parse and name only fields that are there. */
export const templateRule: Rule<string> = (text, { context }) => {
  if (!context.afford(text.length / 10)) return [tooMany('InvalidTemplate', text)];
  const problem = messageProblem(text);
  if (!problem) return [];
  const says = `is no template that can be filled: line ${problem.line}, column ${problem.column}: ${shorten(problem.text)}`;
  const remedy = 'write it in the syntax of Go templates; docs/reference.md lists the fields';
  return [{ code: 'InvalidTemplate', text: says, value: shorten(text), remedy }];
};

/** New tags are committed to a branch: nothing else can be followed then. */
export const imageRepositoryRule: Rule<object> = (_, { parent, path }: Site) => {
  const git = own(parent, 'git');
  if (!isMap(git)) return [];
  const fixed = ['commit', 'name', 'semver', 'tag'].filter((key) => own(git, key) !== undefined);
  return fixed.map((key) => ({
    code: 'InvalidRef',
    text: 'excludes imageRepository, which commits new tags to a branch',
    remedy: 'name a branch in git.branch, or remove imageRepository',
    path: [...path.slice(0, -1), 'git', key],
  }));
};

const POLICIES = ['alphabetical', 'numerical', 'semver'];

export const policyRule: Rule<object> = (policy) => {
  if (POLICIES.some((key) => isMap(policy) && own(policy, key) !== undefined)) return [];
  return [{ code: 'Required', text: `must have one of ${listText(POLICIES)}`, remedy: 'add numerical: {order: asc} or the like' }];
};

function tooMany(code: Reason, text: string): Finding {
  const says = 'is not judged: the Application has too many patterns and templates';
  return { code, text: says, value: shorten(text), remedy: 'divide its components among several Applications' };
}

// pattern and extract of one component are judged one after the other: a pattern is compiled once.
let last: { text: string; parsed: ReturnType<typeof parsePattern> } | undefined;

function lastPattern(text: string): ReturnType<typeof parsePattern> {
  if (last?.text !== text) last = { text, parsed: parsePattern(text) };
  return last.parsed;
}

function findingsOf(code: Reason, received: string, parsed: object): Finding[] {
  const problem = (parsed as { problem?: TextProblem }).problem;
  return problem ? [toFinding(code, received, problem)] : [];
}

function toFinding(code: Reason, received: string, { text, remedy }: TextProblem): Finding {
  const shown = text.includes(quote(received)) || received === '' ? text : `${text}, received ${quote(received)}`;
  return { code, text: shown, value: shorten(received), remedy };
}

const QUANTIFIED = /^(?:[?*]|\{0,?\d*\})/;

/**
 * A character outside of `[A-Za-z0-9_.-]` that every match of the pattern must have, if there is one that is easily seen:
 * written plainly, outside of groups and classes, and not optional.
 */
function impossibleIn(pattern: string): string | undefined {
  if (/\\Q|\(\?[a-z]*[ix]/.test(pattern)) return undefined;
  const plain = withoutGroups(
    pattern.replace(/\\[pPx]\{[^}]*\}|\\x[0-9A-Fa-f]{2}|\\[pP][A-Z]/g, '.').replace(/\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]/g, '.'),
  );
  if (plain === undefined || plain.includes('|')) return undefined;
  for (let at = 0; at < plain.length; at++) {
    const escaped = plain[at] === '\\';
    if (escaped) at += 1;
    const sign = plain[at] ?? '';
    const literal = escaped ? !/[A-Za-z0-9]/.test(sign) : !/[.^$*+?{}()[\]|]/.test(sign);
    if (literal && !/[A-Za-z0-9_.-]/.test(sign) && !/\d|,/.test(sign) && !QUANTIFIED.test(plain.slice(at + 1))) return sign;
  }
  return undefined;
}

/** The pattern without its groups and without repeat counts; undefined where the parentheses are not plain. */
function withoutGroups(pattern: string): string | undefined {
  let depth = 0;
  let outside = '';
  for (let at = 0; at < pattern.length; at++) {
    const sign = pattern[at]!;
    if (sign === '\\') {
      if (depth === 0) outside += pattern.slice(at, at + 2);
      at += 1;
    } else if (sign === '(') depth += 1;
    else if (sign === ')') depth -= 1;
    else if (depth === 0) outside += sign;
  }
  // What stands in a group may be optional, and a quantifier of the group must not count for what stands before it.
  return depth === 0 ? outside : undefined;
}
