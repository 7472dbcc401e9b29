import { compareNumbers, compareVersions, type Version } from './version.ts';

export type Operator = '=' | '!=' | '>' | '<' | '>=' | '<=' | '~' | '^';

/** One comparison of a range. */
export interface Comparator {
  operator: Operator;
  /** Missing parts and wildcards are 0. */
  version: Version;
  /** From which part on the operand was left out or a wildcard: `1` and `1.x` from `minor` on, `*` as a whole. */
  partial: 'none' | 'patch' | 'minor' | 'all';
}

/** Whether a version passes one comparison. Pre-releases are judged by their order alone; the group lets them in. */
export function satisfies(version: Version, comparator: Comparator): boolean {
  return TESTS[comparator.operator](version, comparator);
}

type Test = (version: Version, comparator: Comparator) => boolean;

const TESTS: Readonly<Record<Operator, Test>> = {
  '=': (version, comparator) =>
    comparator.partial === 'none' ? compareVersions(version, comparator.version) === 0 : tilde(version, comparator),
  '!=': different,
  '>': above,
  '<': (version, { version: limit }) => compareVersions(version, limit) < 0,
  '>=': atLeast,
  '<=': atMost,
  '~': tilde,
  '^': caret,
};

function atLeast(version: Version, { version: limit }: Comparator): boolean {
  return compareVersions(version, limit) >= 0;
}

function same(version: Version, { version: limit }: Comparator, parts: number): boolean {
  return version.numbers.slice(0, parts).every((number, index) => number === limit.numbers[index]);
}

/** `!=1` is any other major, `!=1.2` any other minor. */
function different(version: Version, comparator: Comparator): boolean {
  if (comparator.partial === 'minor') return !same(version, comparator, 1);
  if (comparator.partial === 'patch') return !same(version, comparator, 2);
  if (comparator.partial === 'all') return !same(version, comparator, 3);
  return compareVersions(version, comparator.version) !== 0;
}

/** `>1` asks for a higher major, `>1.2` for a higher minor. */
function above(version: Version, comparator: Comparator): boolean {
  const { version: limit, partial } = comparator;
  const [major, minor] = [0, 1].map((index) => compareNumbers(version.numbers[index]!, limit.numbers[index]!)) as [number, number];
  if (partial === 'minor') return major > 0;
  if (partial === 'patch') return major > 0 || (major === 0 && minor > 0);
  return compareVersions(version, limit) > 0;
}

/** `<=1` takes all of 1.*, `<=1.2` all of 1.2.*. */
function atMost(version: Version, comparator: Comparator): boolean {
  const { version: limit, partial } = comparator;
  if (partial === 'none') return compareVersions(version, limit) <= 0;
  const major = compareNumbers(version.numbers[0], limit.numbers[0]);
  if (major !== 0 || partial === 'minor') return major <= 0;
  return compareNumbers(version.numbers[1], limit.numbers[1]) <= 0;
}

/** `~1` is one major, `~1.2` and `~1.2.3` one minor. `~0.0.0` and `*` take everything from their version on (§3.3). */
function tilde(version: Version, comparator: Comparator): boolean {
  if (!atLeast(version, comparator)) return false;
  const { partial, version: limit } = comparator;
  const whole = partial === 'none' || partial === 'all';
  if (whole && limit.numbers.every((number) => number === 0n)) return true;
  return same(version, comparator, partial === 'minor' ? 1 : 2);
}

/** The first part that is not 0 stays; `^*` is 0.0.0 alone (§3.3). */
function caret(version: Version, comparator: Comparator): boolean {
  if (!atLeast(version, comparator)) return false;
  const { version: limit, partial } = comparator;
  const [major, minor] = limit.numbers;
  if (major > 0n || partial === 'minor') return same(version, comparator, 1);
  if (minor > 0n || partial === 'patch') return same(version, comparator, 2);
  return same(version, comparator, 3);
}
