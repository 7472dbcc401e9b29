import type { TextProblem } from './problem.ts';
import { type Comparator, type Operator, satisfies } from './semver-comparator.ts';
import { type Version, versionOf } from './version.ts';

/**
 * Who lets pre-releases in: `any` (default): one comparator of a group that names a pre-release opens the whole group;
 * `strict`: every comparator of the group must name one.
 */
export type PrereleaseRule = 'any' | 'strict';

/** A range of versions: groups joined by `||`, comparators in a group joined by comma or space. */
export interface SemverRange {
  text: string;
  matches(version: Version, prereleases?: PrereleaseRule): boolean;
}

const MAX_BYTES = 512;
const MAX_GROUPS = 32;
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const PART = '(?:\\d+|[xX*])';
const OPERAND = `v?(${PART})(?:\\.(${PART}))?(?:\\.(${PART}))?(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?`;
const COMPARATOR = new RegExp(`^(=>|>=|=<|<=|!=|~>|[=><~^]?)\\s*${OPERAND}`);
const HYPHEN = new RegExp(`^([^\\s,]+)\\s+-\\s+([^\\s,]+)(?=[\\s,]|$)`);
const PARTIAL = ['all', 'minor', 'patch'] as const;
const ALIASES: Readonly<Record<string, Operator>> = { '': '=', '=>': '>=', '=<': '<=', '~>': '~' };

/** Reads a range (grammar and quirks: spec/image-automation.md §3.3). */
export function parseRange(text: string): { range: SemverRange } | { problem: TextProblem } {
  if (text.trim() === '') return { problem: { text: 'is empty', remedy: 'write a range such as >=1.0.0, or * for every release' } };
  if (text.length > MAX_BYTES) return { problem: { text: `has ${text.length} characters, at most ${MAX_BYTES} are allowed` } };
  const groups: Comparator[][] = [];
  let at = 0;
  for (const part of text.split('||')) {
    const group = parseGroup(part);
    if (!Array.isArray(group)) return { problem: { ...group, at: at + (group.at ?? 0) } };
    groups.push(group);
    at += part.length + 2;
  }
  if (groups.length > MAX_GROUPS) return { problem: { text: `has ${groups.length} alternatives, at most ${MAX_GROUPS} are allowed` } };
  return { range: { text, matches: (version, prereleases = 'any') => groups.some((group) => inGroup(group, version, prereleases)) } };
}

function inGroup(group: readonly Comparator[], version: Version, prereleases: PrereleaseRule): boolean {
  if (version.prerelease.length > 0) {
    const named = ({ version: { prerelease } }: Comparator): boolean => prerelease.length > 0;
    if (!(prereleases === 'strict' ? group.every(named) : group.some(named))) return false;
  }
  return group.every((comparator) => satisfies(version, comparator));
}

function parseGroup(text: string): Comparator[] | TextProblem {
  const comparators: Comparator[] = [];
  let at = text.length - text.trimStart().length;
  const end = text.trimEnd().length;
  if (at >= end) return { text: 'has an empty alternative beside ||', remedy: 'remove the ||, or write * for every release', at: 0 };
  while (at < end) {
    const read = readAt(text.slice(at, end));
    if ('text' in read) return { ...read, at };
    comparators.push(...read.comparators);
    at += read.length;
    const gap = /^[\s,]*/.exec(text.slice(at, end))![0];
    if (gap === '' && at < end) return { text: `is not a range: ${shown(text.slice(at, end))} follows without a space or comma`, at };
    if (gap.split(',').length > 2) return { text: 'is not a range: two commas follow each other', at };
    at += gap.length;
    if (at >= end && gap.includes(',')) return { text: 'is not a range: it ends with a comma', remedy: 'remove the comma', at };
  }
  return comparators;
}

type Read = { comparators: Comparator[]; length: number };

/** One comparator, or the two of `a - b`. */
function readAt(text: string): Read | TextProblem {
  const hyphen = HYPHEN.exec(text);
  if (hyphen) {
    const from = comparatorOf(`>=${hyphen[1]!}`, text);
    const to = comparatorOf(`<=${hyphen[2]!}`, text);
    if ('text' in from) return from;
    if ('text' in to) return to;
    return { comparators: [...from.comparators, ...to.comparators], length: hyphen[0].length };
  }
  return comparatorOf(text, text, false);
}

function comparatorOf(text: string, whole: string, entire = true): Read | TextProblem {
  const match = COMPARATOR.exec(text);
  if (!match || (entire && match[0].length !== text.length)) return notAComparator(whole);
  const [all, sign = '', major, minor, patch, prerelease] = match;
  const parts = [major, minor, patch].map((part) => (/^\d+$/.test(part ?? '') ? part! : undefined));
  const missing = parts.indexOf(undefined);
  const partial = missing < 0 ? 'none' : PARTIAL[missing]!;
  const known = parts.map((part, index) => (missing < 0 || index < missing ? part! : '0')) as [string, string, string];
  const version = versionOf(known, prerelease);
  if (!version)
    return {
      text: `is not a range: ${shown(all)} has a number beyond 2^64, or one with leading zeros in its pre-release`,
      remedy: 'correct the number',
    };
  return { comparators: [{ operator: ALIASES[sign] ?? (sign as Operator), version, partial }], length: all.length };
}

function notAComparator(text: string): TextProblem {
  return {
    text: `is not a range: ${shown(text)} is no version and no comparison`,
    remedy: 'write comparisons such as >=1.0.0 <2.0.0, 1.x, ~1.2 or ^1.2.3',
  };
}

function shown(text: string): string {
  const [word = ''] = /^\S*(?:\s+\S+)?/.exec(text) ?? [];
  return JSON.stringify(word.length > 40 ? `${word.slice(0, 39)}…` : word);
}
