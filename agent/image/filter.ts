import { type Extract, expander, parseExtract } from '#api/image/extract.ts';
import { type Pattern, parsePattern } from '#api/image/pattern.ts';
import type { PolicyProblem } from './policy.ts';

/** Which tags count, and what is compared of them. */
export interface FilterSpec {
  pattern?: string;
  extract?: string;
}

export interface Filter {
  /** What is compared instead of the tag; undefined where the tag does not match. */
  keyOf(tag: string): string | undefined;
}

/** The filter of a spec (spec/image-automation.md §2), or why there is none. An absent pattern lets everything pass. */
export function filterFrom({ pattern = '', extract = '' }: FilterSpec): { filter: Filter } | { problem: PolicyProblem } {
  const parsed = parsePattern(pattern);
  if ('pattern' in parsed) return { filter: filterOf(parsed.pattern, parseExtract(extract)) };
  const { problem } = parsed;
  const text = `the pattern ${JSON.stringify(pattern.slice(0, 80))} ${problem.text}`;
  return { problem: { reason: 'InvalidPattern', text, ...(problem.remedy ? { remedy: problem.remedy } : {}) } };
}

function filterOf(pattern: Pattern, extract: Extract): Filter {
  if (extract.text === '') return { keyOf: pattern.text === '' ? (tag) => tag : (tag) => (pattern.test(tag) ? tag : undefined) };
  const keyFrom = expander(extract, pattern);
  return {
    keyOf(tag) {
      const match = pattern.match(tag);
      return match && keyFrom(match);
    },
  };
}
