import type { SelectionSpec } from '#agent/image/selection.ts';
import type { Reason } from '#api/reasons.ts';

/** Vectors of spec/image-automation.md §3.5: id, how, tags, and the tag or the reason. */
export type Vector = [id: string, spec: SelectionSpec, tags: string, result: string | { reason: Reason }];

const num = (order?: string): SelectionSpec => ({ policy: { numerical: order === undefined ? {} : { order } } });
const alpha = (order?: string): SelectionSpec => ({ policy: { alphabetical: order === undefined ? {} : { order } } });
const range = (text: string): SelectionSpec => ({ policy: { semver: { range: text } } });
const strict = (text: string): SelectionSpec => ({ ...range(text), prereleases: 'strict' });
const filtered = (spec: SelectionSpec, pattern: string, extract?: string): SelectionSpec => ({
  ...spec,
  filterTags: { pattern, ...(extract === undefined ? {} : { extract }) },
});

const NAN: { reason: Reason } = { reason: 'NotANumber' };
const NONE: { reason: Reason } = { reason: 'NoMatch' };
const EMPTY: { reason: Reason } = { reason: 'NoTags' };
const RANGE: { reason: Reason } = { reason: 'InvalidRange' };

/** Where Flux gives up because of one tag that is no number, we leave that tag out (§8 item 9): `N6` and the like. */
export const numerical: Vector[] = [
  ['N1', num('asc'), '1 10 9', '10'],
  ['N2', num('desc'), '1 10 9', '1'],
  ['N3', num(), '1 10 9', '10'],
  ['N4', num('Desc'), '1 10 9', '1'],
  ['N5', num('up'), '1', { reason: 'InvalidOrder' }],
  ['N6, on purpose', num('asc'), '1 2 latest', '2'],
  ['N7', num('asc'), '', EMPTY],
  ['N8', num('asc'), '1.10 1.9 1.2', '1.9'],
  ['N9', num('asc'), '1e3 999 1001', '1001'],
  ['N10', num('asc'), '12e5 1234567 5', '1234567'],
  ['N11, on purpose', num('asc'), '0x10 15 017', '017'],
  ['N13', num('asc'), '1_000 999', '1_000'],
  ['N14', num('asc'), 'inf 100', 'inf'],
  ['N15', num('asc'), 'NaN 100', '100'],
  ['N16, on purpose', num('asc'), '1e400 1', '1'],
  ['N17, beyond 2^53', num('asc'), '9007199254740993 9007199254740992', '9007199254740993'],
  ['N18, beyond 2^53', num('asc'), '20240101120000123456 20240101120000123457', '20240101120000123457'],
  ['N19', num('asc'), '20240101120000 20240101120001', '20240101120001'],
  ['N21', num('asc'), '-5 -1', '-1'],
  ['N22', num('asc'), '.5 0.4', '.5'],
  ['N23, on purpose', num('asc'), '1.2.3 4', '4'],
  ['N24, on purpose', num('asc'), 'v5 4', '4'],
  ['no tag is a number', num('asc'), 'latest v5', NAN],
  ['hexadecimal', num('asc'), '0x1p4 15.5', '0x1p4'],
  ['a tie', num('asc'), '10 1e1 10.0', '10'],
];

export const alphabetical: Vector[] = [
  ['A1', alpha('asc'), 'a B Z', 'a'],
  ['A2', alpha('desc'), 'a B Z _x', 'B'],
  ['A3', alpha('asc'), 'v9 v10', 'v9'],
  ['A5', alpha('asc'), '2021 2020 latest', 'latest'],
  ['A6', alpha('asc'), '1.0.9 1.0.63', '1.0.9'],
  ['A7', alpha('asc'), '', EMPTY],
  ['P1', { policy: {} }, 'a', { reason: 'InvalidPolicy' }],
];

const SEED = '^master-[a-f0-9]+-(?P<ts>[0-9]+)';
const BUILDS = 'master-cba5605f-1632714412 master-aaaa111-1632714500 latest dev-1-99';

export const filters: Vector[] = [
  ['F1', filtered(num('asc'), SEED, '$ts'), BUILDS, 'master-aaaa111-1632714500'],
  ['F2', filtered(num('asc'), SEED, '${ts}'), BUILDS, 'master-aaaa111-1632714500'],
  ['F2', filtered(num('asc'), SEED, '$1'), BUILDS, 'master-aaaa111-1632714500'],
  ['F3', filtered(num('asc'), SEED), BUILDS, NAN],
  ['F4', filtered(num('asc'), '^v(\\d+)-(\\d+)$', '$1x'), 'v1-2 v3-4', NAN],
  ['F5', filtered(alpha('asc'), '^v(\\d+)-(\\d+)$', '$1x'), 'v1-2', 'v1-2'],
  ['F6', filtered(num('asc'), '^v(\\d+)-(\\d+)$', '${1}.$2'), 'v1-2 v3-4', 'v3-4'],
  ['F7', filtered(alpha('asc'), '^v(\\d+)-(\\d+)$', '$1_$2'), 'v1-2 v3-4', 'v3-4'],
  ['F9', filtered(alpha('asc'), '^v(\\d+)$', '$$1'), 'v1 v3', 'v1'],
  ...['a${1', 'a$', '$-1', '${ 1 }', '${}'].map((extract): Vector => ['F10', filtered(alpha('asc'), '^v(\\d+)$', extract), 'v1 v3', 'v1']),
  ['F11', filtered(alpha('asc'), '\\d+', '$0'), 'v1-rc v3-rc2', 'v3-rc2'],
  ['F13', filtered(alpha('asc'), '^v(?<a>\\d+)$', '$a'), 'v1 v3', 'v3'],
  ...['^(?!dev)', '^(a)\\1$', '['].map((pattern): Vector => ['F15', filtered(num('asc'), pattern), 'a', { reason: 'InvalidPattern' }]),
  ['F16', filtered(alpha('asc'), ''), 'v1 v3', 'v3'],
  ['F17', filtered(alpha('asc'), '', 'const'), 'v1 v2 v3', 'v1'],
  ['F19, never at random', filtered(num('asc'), '-(\\d+)$', '$1'), 'b-007 b-7 b-6', 'b-007'],
  ['F20', filtered(num('asc'), '^none$'), 'a-5', NONE],
  ['F22', filtered(range('^1.x-0'), '.*-rc.*'), '1.0.0 1.1.0-rc.1 1.1.0-rc.2 1.1.0-rc.10', '1.1.0-rc.10'],
  ['F24', filtered(num('asc'), '(?i)^MAIN-(\\d+)$', '$1'), 'main-1 Main-7', 'Main-7'],
  ['F25', filtered(range('>=1.0.0'), '^v(\\d+\\.\\d+)$', '$1.0'), 'v1.2 v1.10', 'v1.10'],
  ['F27', filtered(range('>=1.0.0'), '^(?P<v>\\d+\\.\\d+\\.\\d+)(-(amd64|arm64))?$', '$v'), '1.2.3-amd64 1.2.3-arm64 1.2.2', '1.2.3-amd64'],
];

const RC = '1.5.0 1.6.0-rc1 2.0.0-rc1';

export const semver: Vector[] = [
  ['S1', range('1.0.x'), '1.0.0 1.0.0.1 1.0.0p 1.0.1 1.2.0', '1.0.1'],
  ['S2', range('1.0.x'), 'v1.2.3 v1.0.0 v0.1.0', 'v1.0.0'],
  ['S3', range('1.0.x'), 'b1.0.0', NONE],
  ['S3', range('1.0.x'), 'V1.0.0 1.2.3_4', NONE],
  ['S4', range('>=1.0.0'), '1 1.1 latest', NONE],
  ['S5', range('>=1.0.0'), '1.0.0 1.1.0-rc.1 2.0.0-alpha', '1.0.0'],
  ['S6', range('>=1.0.0-0'), '1.0.0 1.1.0-rc.1 2.0.0-alpha', '2.0.0-alpha'],
  ['S7', range('*'), '1.0.0 2.0.0-rc.1', '1.0.0'],
  ['S8', range('*-0'), '1.0.0 2.0.0-rc.1', '2.0.0-rc.1'],
  ['S9', range(''), '1.0.0', RANGE],
  ['S10', range('1'), '1.2.9 1.9.9 1.3.0 2.0.0', '1.9.9'],
  ['S10', range('1.2'), '1.2.9 1.9.9 1.3.0 2.0.0', '1.2.9'],
  ['S10', range('=1.2'), '1.2.9 1.9.9 1.3.0 2.0.0', '1.2.9'],
  ['S11', range('1.2.3'), '1.2.3 1.2.4', '1.2.3'],
  ['S12', range('^0.2.3'), '0.2.9 0.3.0', '0.2.9'],
  ['S13', range('^0.0.3'), '0.0.3 0.0.4', '0.0.3'],
  ['S14', range('^0'), '0.0.3 0.9.4 1.0.0', '0.9.4'],
  ['S14', range('^0.0'), '0.0.3 0.1.0', '0.0.3'],
  ['S16', range('~0'), '0.0.3 0.1.0 5.0.0', '0.1.0'],
  ['S16', range('~0.0'), '0.0.3 0.1.0', '0.0.3'],
  ['S17', range('~1'), '1.9.0 2.0.0', '1.9.0'],
  ['S17', range('~1.2'), '1.2.3 1.3.0', '1.2.3'],
  ['S17', range('~1.2.3'), '1.2.9 1.3.0', '1.2.9'],
  ['S17', range('~>1.2.3'), '1.2.9 1.3.0', '1.2.9'],
  ['S18', range('>1'), '1.5.0', NONE],
  ['S19', range('>1.2'), '1.2.5 1.3.0', '1.3.0'],
  ['S20', range('<=1'), '1.5.0 2.0.0', '1.5.0'],
  ['S20', range('<=1.2'), '1.2.5 1.3.0', '1.2.5'],
  ['S21', range('>=1.0.0, <2.0.0'), '1.9.9 2.0.0', '1.9.9'],
  ['S22', range('>=1.2.3 ,<2'), '1.5.0', '1.5.0'],
  ['S23', range('>=1.0.0<2.0.0'), '1.9.9', RANGE],
  ['S25', range('1.0 - 2'), '1.9.9 2.5.0 3.0.0', '2.5.0'],
  ['S26', range('1.0.0-2.0.0'), '1.9.9 1.0.0-2.0.0', '1.0.0-2.0.0'],
  ['S27', range('<1.0.0||>=2.0.0'), '0.5.0 1.5.0 2.1.0', '2.1.0'],
  ['S28', range('1.x || 2.x-0'), '1.5.0-rc1 1.4.0 2.1.0-rc.1', '2.1.0-rc.1'],
  ['S29', range('>=1.0.0-0 <2.0.0'), RC, '2.0.0-rc1'],
  ['S29 strict', strict('>=1.0.0-0 <2.0.0'), RC, '1.5.0'],
  ['S30', range('>=1.0.0 <2.0.0-0'), RC, '1.6.0-rc1'],
  ['S30 strict', strict('>=1.0.0 <2.0.0-0'), RC, '1.5.0'],
  ['S32', range('~1.2.3-beta.2'), '1.2.3-beta.4 1.2.9-alpha 1.3.0-alpha', '1.2.9-alpha'],
  ['S34', range('=>1.0.0'), '1.0.0 1.2.9', '1.2.9'],
  ['S34', range('=<1.0.0'), '1.0.0 1.2.9', '1.0.0'],
  ...['latest', '1.0.0p', '*-*', '1x', '==1.0.0', '> = 1.0.0', '1.2.3 | 2.0.0', '1.2.3 || '].map(
    (text): Vector => ['S36', range(text), '1.0.0', RANGE],
  ),
  ['S38', range('>=1.0.0'), '01.02.03', '01.02.03'],
  ['S39', range('>=1.0.0'), 'v1.0.0 1.0.0', 'v1.0.0'],
  ['S40', range('>=1.0.0-0'), '1.0.0-1-g2f3a 1.0.0 1.0.0-beta', '1.0.0'],
  ['S41', range('>=1.0.0-0'), '1.0.0-01 1.0.0-1', '1.0.0-1'],
  ['S42', range('>=1.0.0-0'), '1.0.0-rc10 1.0.0-rc9', '1.0.0-rc9'],
  ['S44', range('*'), '99999999999999999.0.0 1.0.0', '99999999999999999.0.0'],
  ['S45', range('>=0.0.0-0'), '1.0.0-20240101120000123 1.0.0-20240101120000124', '1.0.0-20240101120000124'],
  ['S46', range('^1'), '1.2.3-alpine 1.2.2 2.0.0-alpine', '1.2.2'],
  ['S46', range('^1-0'), '1.2.3-alpine 1.2.2 2.0.0-alpine', '1.2.3-alpine'],
  ['S48', range('1.2.x, 1.3.x'), '1.2.3 1.3.0', NONE],
  ['S50', range('1.0.0 - 2.0.0-0'), '1.5.0-rc1 1.4.0', '1.5.0-rc1'],
  ['S50 strict', strict('1.0.0 - 2.0.0-0'), '1.5.0-rc1 1.4.0', '1.4.0'],
  ['S52', range('  >=1.0.0  '), '1.2.3', '1.2.3'],
  ['S53', range('>=0.0.0-0'), '1.2-rc.1', '1.2-rc.1'],
  ['S53', range('>=0.0.0-0'), '1-a.b.c', '1-a.b.c'],
  ['S55', range('1.x'), '1.0.0-x', NONE],
  // §3.3 and §3.4
  ['~0.0.0 takes everything', range('~0.0.0'), '0.0.1 5.0.0', '5.0.0'],
  ['^* takes 0.0.0 alone', range('^*'), '0.0.0 1.0.0', '0.0.0'],
  ['^* takes 0.0.0 alone', range('^*'), '0.0.1 1.0.0', NONE],
  ['>* takes what is above 0.0.0', range('>*'), '0.0.0 0.0.1', '0.0.1'],
  ['1.x.3 is 1.x', range('1.x.3'), '1.5.0 1.6.1', '1.6.1'],
  ['!=', range('!=1.2.3'), '1.2.3 1.2.2', '1.2.2'],
  ['!= of a minor', range('!=1.2'), '1.2.3 1.1.9', '1.1.9'],
  ['!= of a major', range('!=1.x'), '1.2.3 0.9.0', '0.9.0'],
  ['v before operands', range('>=v1.2.3 <v2'), '1.3.0 2.0.0', '1.3.0'],
  ['beyond 2^64', range('18446744073709551616.x'), '1.0.0', RANGE],
  ['too many groups', range(Array.from({ length: 33 }, () => '1').join('||')), '1.0.0', RANGE],
  ['too long', range(`>=1.0.0${' '.repeat(600)}`), '1.0.0', RANGE],
  ['two commas', range('>1,,<2'), '1.0.0', RANGE],
  ['a comma at the end', range('>1,'), '1.0.0', RANGE],
];
