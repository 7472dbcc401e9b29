import { expect, it } from 'vitest';
import { DriftFights } from '#agent/sync/drift-fights.ts';
import { objectId } from '#api/kubernetes.ts';

const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'a', name: 'one' };
const disputed = { id: objectId(reference), manifest: 'm', reference };
const difference = { path: 'data.a', manager: 'kubectl-edit', stood: true } as const;
const HOUR_MS = 3_600_000;

it('is lost after five times in ten minutes, and tried again after ten more, also where the clock was set back', () => {
  for (const [at, later] of [
    [HOUR_MS, HOUR_MS + 600_000],
    [2 * HOUR_MS, HOUR_MS],
  ] as const) {
    const fights = new DriftFights();
    for (let time = 1; time <= 5; time++) {
      expect(fights.lost(disputed, 'state', at)).toBeUndefined();
      fights.record(disputed, [difference], 'state', at);
    }
    expect(fights.lost(disputed, 'state', at + 1)?.reason).toBe('DriftFight');
    expect(fights.lost(disputed, 'state', later)).toBeUndefined();
  }
});

it('lets what is deleted each time rest, and counts nothing of a clock that was set back since', () => {
  const fights = new DriftFights();
  for (let time = 1; time <= 5; time++) fights.restored(disputed, 2 * HOUR_MS);
  expect(fights.mayNotRestore(disputed, 2 * HOUR_MS + 59_000)?.reason).toBe('DriftFight');
  expect(fights.mayNotRestore(disputed, HOUR_MS)).toBeUndefined();
});
