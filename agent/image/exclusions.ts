import { parsePattern } from '#api/image/pattern.ts';
import type { PolicyProblem } from './policy.ts';

/** What is pushed beside images and is none: signatures, attestations, bills of material, fallback tags of referrers. */
const OURS = /\.(?:sig|att|sbom)$|^sha256-[0-9a-f]{64}/;

/** A list of patterns that a tag must not match, any of them, anywhere (spec/image-automation.md §1.6). */
export function exclusionsFrom(patterns?: readonly string[]): { excludes: (tag: string) => boolean } | { problem: PolicyProblem } {
  // Our own patterns are known to be harmless, and every tag meets them: a tenth of the time of RE2.
  if (!patterns) return { excludes: (tag) => OURS.test(tag) };
  const compiled = patterns.map((text) => ({ text, parsed: parsePattern(text) }));
  for (const { text, parsed } of compiled) {
    if (!('problem' in parsed)) continue;
    const sentence = `the pattern ${JSON.stringify(text.slice(0, 80))} of the exclusion list ${parsed.problem.text}`;
    return { problem: { reason: 'InvalidPattern', text: sentence, ...(parsed.problem.remedy ? { remedy: parsed.problem.remedy } : {}) } };
  }
  const tests = compiled.flatMap(({ parsed }) => ('pattern' in parsed ? [parsed.pattern] : []));
  return { excludes: (tag) => tests.some((pattern) => pattern.test(tag)) };
}
