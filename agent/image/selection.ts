import type { PrereleaseRule } from '#api/image/semver-range.ts';
import type { Reason } from '#api/reasons.ts';
import { compareBytes } from './byte-order.ts';
import { type Filter, type FilterSpec, filterFrom } from './filter.ts';
import { type Policy, policyFrom, type PolicyProblem, type PolicySpec, type Ranked } from './policy.ts';

/** How the latest tag is chosen. */
export interface SelectionSpec {
  policy: PolicySpec;
  filterTags?: FilterSpec;
  prereleases?: PrereleaseRule;
}

export interface KeptTag {
  tag: string;
  /** What it was ordered by. */
  key: string;
}

export interface DroppedTag {
  tag: string;
  reason: Reason;
  why: string;
}

/** What became of every tag. */
export interface Selection {
  /** Tags that were looked at, each once. */
  seen: number;
  /** Best first. */
  kept: KeptTag[];
  dropped: DroppedTag[];
  /** Why there is no latest tag. */
  problem?: PolicyProblem;
}

/** Chooses among tags. Bad specs are found when it is made, so that choosing cannot fail. */
export interface Selector {
  select(tags: Iterable<string>): Selection;
  /** Positive where the first is preferred, zero where they are equal; undefined where one does not fit filter or policy. */
  compare(a: string, b: string): number | undefined;
}

export function selectorFrom(spec: SelectionSpec): { selector: Selector } | { problem: PolicyProblem } {
  const filtered = filterFrom(spec.filterTags ?? {});
  if ('problem' in filtered) return filtered;
  const chosen = policyFrom(spec.policy, spec.prereleases);
  if ('problem' in chosen) return chosen;
  const { filter } = filtered;
  const { policy } = chosen;
  return { selector: { select: (tags) => select(tags, filter, policy), compare: (a, b) => compare(a, b, filter, policy) } };
}

function compare(a: string, b: string, filter: Filter, policy: Policy): number | undefined {
  const [first, second] = [a, b].map((tag) => {
    const key = filter.keyOf(tag);
    const ranked = key === undefined ? undefined : policy.rank(key);
    return key !== undefined && ranked && 'rank' in ranked ? { key, rank: ranked.rank } : undefined;
  });
  if (!first || !second) return undefined;
  return first.key === second.key ? 0 : policy.compare(first, second);
}

/** The result does not depend on the order of the tags. */
function select(tags: Iterable<string>, filter: Filter, policy: Policy): Selection {
  const dropped: DroppedTag[] = [];
  const seen = new Set(tags);
  const byKey = new Map<string, Ranked & { tag: string }>();
  const refused = new Map<string, { reason: Reason; why: string }>();
  for (const tag of seen) {
    const key = filter.keyOf(tag);
    if (key === undefined) {
      dropped.push({ tag, reason: 'NoMatch', why: 'it does not match the pattern' });
      continue;
    }
    const same = byKey.get(key);
    if (same) {
      dropped.push(twin(same, tag));
      continue;
    }
    const ranked = refused.get(key) ?? policy.rank(key);
    if ('rank' in ranked) byKey.set(key, { key, rank: ranked.rank, tag });
    else dropped.push({ tag, ...ranked });
    if ('why' in ranked) refused.set(key, ranked);
  }
  const kept = [...byKey.values()].sort((a, b) => policy.compare(b, a)).map(({ tag, key }) => ({ tag, key }));
  const problem = kept.length === 0 ? nothingLeft(seen.size, dropped, policy) : undefined;
  return { seen: seen.size, kept, dropped, ...(problem ? { problem } : {}) };
}

/** Of tags with one key the first by bytes stays (§2 step 4). */
function twin(kept: { tag: string; key: string }, tag: string): DroppedTag {
  const loser = compareBytes(tag, kept.tag) < 0 ? kept.tag : tag;
  if (loser === kept.tag) kept.tag = tag;
  return { tag: loser, reason: 'Duplicate', why: `it has the same key ${JSON.stringify(kept.key)} as ${kept.tag}` };
}

function nothingLeft(seen: number, dropped: readonly DroppedTag[], policy: Policy): PolicyProblem {
  if (seen === 0) return { reason: 'NoTags', text: 'there are no tags', remedy: 'push an image, or correct the name of the image' };
  const matched = dropped.filter(({ why }) => why !== 'it does not match the pattern');
  if (matched.length === 0)
    return {
      reason: 'NoMatch',
      text: `none of ${seen} tags matches the pattern`,
      remedy: 'compare the pattern with the tags: lateen image latest --explain',
    };
  const [first] = matched;
  if (matched.every(({ reason }) => reason === 'NotANumber'))
    return {
      reason: 'NotANumber',
      text: `none of ${matched.length} tags is a number: ${first!.why}`,
      remedy: 'extract the number with filterTags.extract, or choose another policy',
    };
  return {
    reason: 'NoMatch',
    text: `none of ${matched.length} tags fits ${policy.name}`,
    remedy: 'compare the range with the tags: lateen image latest --explain',
  };
}
