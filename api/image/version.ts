/** A semantic version as tags spell them (spec/image-automation.md §3.3): numbers up to 2^64-1, so BigInt. */
export interface Version {
  numbers: readonly [major: bigint, minor: bigint, patch: bigint];
  /** Identifiers of the pre-release; numeric ones as BigInt. */
  prerelease: readonly (bigint | string)[];
}

const MAX_BYTES = 256;
const MAX_NUMBER = 2n ** 64n - 1n;
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const LOOSE = new RegExp(`^v?(\\d+)(?:\\.(\\d+))?(?:\\.(\\d+))?(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?$`);

/**
 * A tag as a version, undefined where it is none. Two dots are asked for anywhere in it, which lets `1.2-rc.1` pass and
 * keeps `1.1` and `20240101` out; leading zeros are allowed in the three numbers.
 */
export function parseTagVersion(tag: string): Version | undefined {
  if (tag.length > MAX_BYTES || tag.split('.').length < 3) return undefined;
  const match = LOOSE.exec(tag);
  if (!match) return undefined;
  const [, major = '0', minor = '0', patch = '0', prerelease] = match;
  return versionOf([major, minor, patch], prerelease);
}

/** Undefined where a number is beyond 64 bits, or a numeric identifier of the pre-release has leading zeros. */
export function versionOf(numbers: readonly [string, string, string], prerelease: string | undefined): Version | undefined {
  const [major, minor, patch] = numbers.map(BigInt) as [bigint, bigint, bigint];
  if (major > MAX_NUMBER || minor > MAX_NUMBER || patch > MAX_NUMBER) return undefined;
  const identifiers = prerelease === undefined ? [] : prerelease.split('.');
  if (identifiers.some((text) => /^0\d+$/.test(text))) return undefined;
  return { numbers: [major, minor, patch], prerelease: identifiers.map(identifierOf) };
}

/** Numbers beyond 64 bits are ordered as text, as a reader with 64 bits would have it. */
function identifierOf(text: string): bigint | string {
  if (!/^\d+$/.test(text)) return text;
  const value = BigInt(text);
  return value > MAX_NUMBER ? text : value;
}

/** Negative, zero or positive; build metadata does not count (semver.org 2.0.0 §11). */
export function compareVersions(a: Version, b: Version): number {
  for (const index of [0, 1, 2] as const) {
    const order = compareNumbers(a.numbers[index], b.numbers[index]);
    if (order !== 0) return order;
  }
  return comparePrereleases(a.prerelease, b.prerelease);
}

export function compareNumbers(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function comparePrereleases(a: Version['prerelease'], b: Version['prerelease']): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length === 0 ? 0 : a.length === 0 ? 1 : -1;
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return 1;
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
  return a.length < b.length ? -1 : 0;
}

function compareIdentifiers(a: bigint | string, b: bigint | string): number {
  if (typeof a === 'bigint' && typeof b === 'bigint') return compareNumbers(a, b);
  if (typeof a !== typeof b) return typeof a === 'bigint' ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
