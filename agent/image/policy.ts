import { parseRange, type PrereleaseRule } from '#api/image/semver-range.ts';
import type { Reason } from '#api/reasons.ts';
import { alphabetical } from './alphabetical.ts';
import { numerical } from './numerical.ts';
import { semver } from './semver.ts';

export type Order = 'asc' | 'desc';

/** Which tag is the latest, as an Application says it; where several are given the first of these counts. */
export interface PolicySpec {
  semver?: { range: string };
  alphabetical?: { order?: string };
  numerical?: { order?: string };
}

/** How keys are ordered. A rank is what a policy made of a key: it is read once, then compared often. */
export interface Policy<Rank = unknown> {
  /** `numerical:asc`, as the CLI takes it. */
  name: string;
  /** The rank of a key, or why it has none. */
  rank(key: string): { rank: Rank } | { reason: Reason; why: string };
  /** Positive where `a` is preferred. Never zero for different keys: ties are decided, whatever the order of the input. */
  compare(a: Ranked<Rank>, b: Ranked<Rank>): number;
}

export interface Ranked<Rank = unknown> {
  key: string;
  rank: Rank;
}

export interface PolicyProblem {
  reason: Reason;
  text: string;
  remedy?: string;
}

/** The policy of a spec, or why there is none. */
export function policyFrom(spec: PolicySpec, prereleases: PrereleaseRule = 'any'): { policy: Policy } | { problem: PolicyProblem } {
  if (spec.semver) return semverPolicy(spec.semver.range, prereleases);
  const chosen = spec.alphabetical ?? spec.numerical;
  if (!chosen) {
    return {
      problem: { reason: 'InvalidPolicy', text: 'there is no policy', remedy: 'write one of semver, alphabetical and numerical' },
    };
  }
  const order = orderOf(chosen.order);
  if (!order) {
    const text = `the order ${JSON.stringify(chosen.order)} is neither asc nor desc`;
    return { problem: { reason: 'InvalidOrder', text, remedy: 'write asc for the greatest, desc for the least' } };
  }
  return { policy: spec.alphabetical ? alphabetical(order) : numerical(order) };
}

function semverPolicy(text: string, prereleases: PrereleaseRule): { policy: Policy } | { problem: PolicyProblem } {
  const parsed = parseRange(text);
  if ('range' in parsed) return { policy: semver(parsed.range, prereleases) };
  const { problem } = parsed;
  const sentence = `the range ${JSON.stringify(text.slice(0, 80))} ${problem.text}`;
  return { problem: { reason: 'InvalidRange', text: sentence, ...(problem.remedy ? { remedy: problem.remedy } : {}) } };
}

/** Any case, and ascending where it is left out, as the evaluator of Flux has it (§3). */
function orderOf(text = 'asc'): Order | undefined {
  const lower = text.toLowerCase();
  if (lower === '') return 'asc';
  return lower === 'asc' || lower === 'desc' ? lower : undefined;
}
