import { expect, it } from 'vitest';
import type { InventoryEntry } from '#agent/manifest/inventory.ts';
import { type Desired, desiredOf } from '#agent/sync/desired.ts';
import { verdictOn } from '#agent/sync/verdict.ts';
import type { KubeObject } from '#api/kubernetes.ts';

function desired(object: Partial<KubeObject>): Desired {
  const whole = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate', namespace: 'team' }, ...object };
  return desiredOf([{ object: whole, origin: { file: 'job.yaml' } }], { application: 'app', component: 'a' })[0]!;
}

const EXPIRING = desired({ spec: { ttlSecondsAfterFinished: 0 } });

/** What `one` was applied as. */
function entry(one: Desired, more: Partial<InventoryEntry> = {}): InventoryEntry {
  return { component: 'a', ...one.reference, uid: 'u1', manifest: one.manifest, ...more };
}

it('a Job that goes by itself is left alone once it has gone, until its manifest changes', () => {
  expect(verdictOn(EXPIRING, entry(EXPIRING), undefined)).toEqual({ do: 'leave' });
  expect(verdictOn(EXPIRING, entry(EXPIRING, { manifest: 'other' }), undefined)).toEqual({ do: 'apply' });
});

it('one that was never made, or that we deleted ourselves, is applied', () => {
  const { uid: _, ...intended } = entry(EXPIRING);
  expect(verdictOn(EXPIRING, intended, undefined)).toEqual({ do: 'apply' });
  expect(verdictOn(EXPIRING, entry(EXPIRING, { ending: '2026-01-01T00:00:00Z' }), undefined)).toEqual({ do: 'apply' });
});

it.each([
  desired({ spec: {} }),
  desired({}),
  desired({ apiVersion: 'example.com/v1', spec: { ttlSecondsAfterFinished: 5 } }),
  desired({ kind: 'CronJob', spec: { ttlSecondsAfterFinished: 5 } }),
])('any other object that is gone is put back', (one) => {
  expect(verdictOn(one, entry(one), undefined)).toEqual({ do: 'restore' });
});
