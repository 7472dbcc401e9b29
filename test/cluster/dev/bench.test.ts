import { inject, it, expect } from 'vitest';
import { openLaboratory } from '#dev/bench/laboratory.ts';
import { measure } from '#dev/bench/parts.ts';
import { growthExponent, tables } from '#dev/bench/report.ts';
import { benchSettings } from '#dev/bench/settings.ts';
import { readSettings } from '#core/settings.ts';

/** More than the agent has requests in flight: a crowd. */
const COMPONENTS = 100;
const OBJECTS = 4 * COMPONENTS;

/** It bundles the agent and starts a dozen programs one after the other: 48 s beside ten times as much work as there are cores. */
const DEADLINE_MS = 240_000;

it(
  'measures a cold start of a crowd beside the bare loop, and counts every request: seven for each Application, and some for all',
  async () => {
    const laboratory = await openLaboratory({ log: () => undefined, plane: inject('plane'), quietMs: 300 });
    try {
      const settings = readSettings(benchSettings, ['--part=a', `--n=${COMPONENTS}`, '--quick=true'], {});

      const [part] = await measure(laboratory, settings, { log: () => undefined, signal: new AbortController().signal });

      const row = part?.rows[0] as Record<string, number>;
      expect(row).toMatchObject({ Applications: COMPONENTS, objects: OBJECTS });
      for (const column of ['s applied', 's bare', 's bare again', 'CPU s', 'peak private MB'])
        expect(row[column], column).toBeGreaterThan(0);
      expect(row['peak RSS MB']).toBeGreaterThan(row['peak private MB']!);
      const [{ byVerb }] = part!.detail as [{ byVerb: Record<string, number> }];
      const applies = ['serviceaccounts', 'services', 'deployments', 'ingresses'].map((resource) => byVerb[`patch ${resource}`]);
      expect(applies).toEqual([COMPONENTS, COMPONENTS, COMPONENTS, COMPONENTS]);
      expect(byVerb['create applicationrevisions']).toBe(COMPONENTS);
      expect((byVerb['create configmaps'] ?? 0) + (byVerb['patch configmaps'] ?? 0)).toBeLessThan(COMPONENTS);
      expect(byVerb['patch applications/status']).toBeLessThan(1.5 * COMPONENTS);
      expect(byVerb['create events'] ?? 0).toBeLessThan(COMPONENTS / 4);
      expect(row['requests']).toBe(Object.values(byVerb).reduce((sum, count) => sum + count, 0));
      expect(tables([part!])).toContain('applied/bare');
    } finally {
      await laboratory.close();
    }
  },
  DEADLINE_MS,
);

it('fits the exponent of a growth', () => {
  const points = [100, 300, 1_000].map((x) => [x, 7 * x ** 1.25] as const);

  expect(growthExponent(points)).toBeCloseTo(1.25);
});
