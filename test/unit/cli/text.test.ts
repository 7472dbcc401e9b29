import { describe, expect, it } from 'vitest';
import { offlineScope } from '#cli/cluster-scoped-kinds.ts';
import { yamlText } from '#cli/output.ts';
import { tableText } from '#cli/table.ts';
import { ageText, goTime, inText } from '#cli/time-text.ts';

describe('tableText', () => {
  it('pads every cell, the last one too, and joins them by tabs', () => {
    expect(
      tableText([
        ['a', 'bbb'],
        ['cc', ''],
      ]),
    ).toBe('a \tbbb\ncc\t   ');
  });

  it('counts an emoji as two columns', () => {
    expect(
      tableText([
        ['✅', 'x'],
        ['abc', '├─'],
      ]),
    ).toBe('✅ \tx \nabc\t├─');
  });

  it('wraps between words at 60 columns and cuts a longer word', () => {
    const words = `${'a'.repeat(40)} ${'b'.repeat(30)} ${'c'.repeat(70)}`;
    expect(tableText([[words, 'x']]).split('\n')).toEqual([
      `${'a'.repeat(40).padEnd(60)}\tx`,
      `${'b'.repeat(30).padEnd(60)}\t `,
      `${'c'.repeat(57)}...\t `,
    ]);
  });
});

describe('goTime', () => {
  it.each([
    ['UTC', '2026-07-01 10:30:00 +0000 UTC'],
    ['Asia/Shanghai', '2026-07-01 18:30:00 +0800 CST'],
    ['America/New_York', '2026-07-01 06:30:00 -0400 EDT'],
    ['Asia/Kolkata', '2026-07-01 16:00:00 +0530 IST'],
    ['Europe/Berlin', '2026-07-01 12:30:00 +0200 CEST'],
    ['Asia/Dubai', '2026-07-01 14:30:00 +0400 +04'],
  ])('prints the time of %s with its abbreviation', (zone, text) => {
    expect(goTime('2026-07-01T10:30:00Z', zone)).toBe(text);
  });

  it('leaves alone what is not a time', () => {
    expect(goTime('soon', 'UTC')).toBe('soon');
  });
});

describe('ageText and inText', () => {
  const now = Date.parse('2026-11-24T12:00:00Z');
  it.each([
    ['2026-11-24T11:57:00Z', '3m ago'],
    ['2026-11-24T11:59:59.500Z', 'just now'],
    ['2026-11-22T10:00:00Z', '2d ago'],
    ['2024-11-22T10:00:00Z', '2y ago'],
    ['2026-11-24T12:05:00Z', 'just now'],
    ['nonsense', undefined],
  ])('%s is %s', (time, text) => expect(ageText(time, now)).toBe(text));

  it('rounds up to whole seconds', () => {
    expect(inText(now + 71_001, now)).toBe('in 1m12s');
    expect(inText(now - 1, now)).toBe('now');
  });
});

it('writes YAML that Go readers take for the same strings', async () => {
  expect(await yamlText({ b: 'on', a: 'yes', c: '1:30', d: '0755', e: '2026-01-01', f: 'plain', y: true })).toBe(
    'a: "yes"\nb: "on"\nc: "1:30"\nd: "0755"\ne: "2026-01-01"\nf: plain\n"y": true\n',
  );
});

it.each([
  ['v1', 'Namespace', false],
  ['v1', 'ConfigMap', true],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole', false],
  ['rbac.authorization.k8s.io/v1', 'Role', true],
  ['constructor/v1', 'Namespace', true],
])('%s %s is namespaced: %s', async (apiVersion, kind, namespaced) => {
  expect(await offlineScope(apiVersion, kind)).toEqual({ namespaced });
});
