import type { PrereleaseRule, SemverRange } from '#api/image/semver-range.ts';
import { compareVersions, parseTagVersion, type Version } from '#api/image/version.ts';
import { compareBytes } from './byte-order.ts';
import type { Policy } from './policy.ts';

/**
 * The highest version in the range (spec/image-automation.md §3.3). Of versions that differ in spelling or build metadata
 * alone, the last by bytes is taken, as Flux does: `v1.0.0` before `1.0.0`.
 */
export function semver(range: SemverRange, prereleases: PrereleaseRule): Policy {
  const policy: Policy<Version> = {
    name: `semver:${range.text}`,
    rank(key) {
      const version = parseTagVersion(key);
      if (!version) return { reason: 'NoMatch', why: `${JSON.stringify(key.slice(0, 80))} is not a version` };
      if (range.matches(version, prereleases)) return { rank: version };
      return { reason: 'NoMatch', why: whyOutside(range, version, prereleases) };
    },
    compare: (a, b) => compareVersions(a.rank, b.rank) || compareBytes(a.key, b.key),
  };
  return policy as Policy;
}

function whyOutside(range: SemverRange, version: Version, prereleases: PrereleaseRule): string {
  const release = { ...version, prerelease: [] };
  return version.prerelease.length > 0 && range.matches(release, prereleases)
    ? `it is a pre-release, which ${range.text} does not ask for`
    : `it is outside of ${range.text}`;
}
