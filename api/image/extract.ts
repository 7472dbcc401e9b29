import type { Pattern, PatternMatch } from './pattern.ts';
import type { TextProblem } from './problem.ts';

/** A reference to a group, as `$name` or `${name}`; an all-digit name is a number. */
interface GroupReference {
  name: string;
  /** As it stands in the template. */
  written: string;
  at: number;
}

/** What is compared instead of the tag: a template over the groups of the pattern, by Go's rules of Regexp.Expand. */
export interface Extract {
  text: string;
  parts: readonly (string | GroupReference)[];
}

const NAME = /^[\p{L}\p{Nd}_]+/u;
const BRACED = /^\{([\p{L}\p{Nd}_]+)\}/u;

/** Reads a template (spec/image-automation.md §2.1). There is no wrong one: what is no reference is literal text. */
export function parseExtract(text: string): Extract {
  const parts: (string | GroupReference)[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    const reference = text[at] === '$' ? referenceAt(text, at) : undefined;
    if (typeof reference === 'object') {
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push(reference);
      at += reference.written.length;
    } else {
      literal += text[at];
      at += reference ?? 1;
    }
  }
  if (literal !== '') parts.push(literal);
  return { text, parts };
}

/** The reference at a `$`; 2 for `$$`; undefined where the `$` stands for itself. */
function referenceAt(text: string, at: number): GroupReference | 2 | undefined {
  if (text[at + 1] === '$') return 2;
  const rest = text.slice(at + 1);
  const braced = BRACED.exec(rest);
  if (braced) return { name: braced[1]!, written: `$${braced[0]}`, at };
  const bare = NAME.exec(rest);
  return bare ? { name: bare[0], written: `$${bare[0]}`, at } : undefined;
}

/**
 * What gives the key of a match, made once for thousands of tags. Unknown names and groups that took no part are empty; nothing
 * fails.
 */
export function expander({ parts }: Extract, pattern: Pick<Pattern, 'groups'>): (match: PatternMatch) => string {
  const resolved = parts.map((part) => (typeof part === 'string' ? part : numberOf(part.name, pattern)));
  return (match) => {
    let key = '';
    for (const part of resolved) key += typeof part === 'string' ? part : (match[part] ?? '');
    return key;
  };
}

/** The key of one match. */
export function expand(extract: Extract, match: PatternMatch, pattern: Pick<Pattern, 'groups'>): string {
  return expander(extract, pattern)(match);
}

/** Number of the group, or -1. A leading zero makes a name of what looks like a number. */
function numberOf(name: string, { groups }: Pick<Pattern, 'groups'>): number {
  return /^(0|[1-9]\d{0,8})$/.test(name) ? Number(name) : (groups.get(name) ?? -1);
}

/**
 * What is most likely a slip: a reference to a group that the pattern does not have (`$1x` for `${1}x`), or a template
 * that gives the same key for every tag. For warnings: such a template runs.
 */
export function extractProblems(extract: Extract, pattern: Pick<Pattern, 'groups' | 'groupCount'>): TextProblem[] {
  if (extract.text === '') return [];
  const problems: TextProblem[] = [];
  let known = 0;
  for (const part of extract.parts) {
    if (typeof part === 'string') continue;
    const number = numberOf(part.name, pattern);
    if (number >= 0 && number <= pattern.groupCount) known += 1;
    else problems.push(unknownGroup(part, pattern));
  }
  if (known === 0 && problems.length === 0)
    problems.push({ text: 'names no group of the pattern, so that all tags compare alike', remedy: `write ${example(pattern)}` });
  return problems;
}

function unknownGroup({ name, written, at }: GroupReference, pattern: Pick<Pattern, 'groups' | 'groupCount'>): TextProblem {
  const text = `names the group ${written}, which the pattern does not have: it is always empty`;
  const meant = longestPrefix(name, pattern);
  if (meant !== undefined && !written.startsWith('${'))
    return { text, at, remedy: `write \${${meant}}${name.slice(meant.length)} if the group ${meant} is meant` };
  return { text, at, remedy: `write ${example(pattern)}` };
}

function longestPrefix(name: string, pattern: Pick<Pattern, 'groups' | 'groupCount'>): string | undefined {
  for (let length = name.length - 1; length > 0; length--) {
    const prefix = name.slice(0, length);
    const number = numberOf(prefix, pattern);
    if (number >= 0 && number <= pattern.groupCount) return prefix;
  }
  return undefined;
}

function example({ groups, groupCount }: Pick<Pattern, 'groups' | 'groupCount'>): string {
  const [first] = groups.keys();
  if (first !== undefined) return `$${first}`;
  return groupCount > 0 ? '$1' : '$0 for what the pattern matched, or give the pattern a group';
}
