import { expect, it } from 'vitest';
import { othersHoldReplicas, takeOver } from '#agent/cluster/take-over.ts';
import type { KubeObject, ManagedFieldsEntry } from '#api/kubernetes.ts';

const NOTHING = { leavesReplicas: false };
const git: KubeObject = { apiVersion: 'autoscaling/v1', kind: 'X', metadata: {}, spec: { maxReplicas: 3 } };

function entry(manager: string, apiVersion: string, ...fields: string[]): ManagedFieldsEntry {
  const spec = Object.fromEntries(fields.map((name) => [`f:${name}`, {}]));
  return { manager, operation: manager === 'lateen' ? 'Apply' : 'Update', apiVersion, fieldsV1: { 'f:spec': spec } };
}

function live(...managedFields: ManagedFieldsEntry[]): KubeObject {
  return { ...git, metadata: { resourceVersion: '7', managedFields } };
}

const ours = entry('lateen', 'autoscaling/v1', 'minReplicas');

it('hands an edit of our own version over, and removes nothing by itself', () => {
  const taken = takeOver(live(ours, entry('kubectl-edit', 'autoscaling/v1', 'extra')), git, NOTHING);
  expect(taken).toMatchObject({ apiVersion: 'autoscaling/v1', patch: { metadata: { resourceVersion: '7' } } });
  expect(taken).not.toHaveProperty('removal');
});

it('takes out what was written in another version, but nothing that Git or anybody else has', () => {
  const edit = entry('kubectl-edit', 'autoscaling/v2', 'maxReplicas', 'metrics', 'behavior');
  const controller = entry('controller', 'autoscaling/v2', 'behavior');
  expect(takeOver(live(ours, edit, controller), git, NOTHING)).toMatchObject({
    apiVersion: 'autoscaling/v2',
    removal: { spec: { metrics: null } },
  });
  const known = takeOver(live(ours, entry('kubectl-edit', 'autoscaling/v2', 'maxReplicas')), git, NOTHING);
  expect(known).toMatchObject({ apiVersion: 'autoscaling/v2' });
  expect(known).not.toHaveProperty('removal');
});

it('takes nothing where nobody has added anything', () => {
  expect(takeOver(live(ours), git, NOTHING)).toBeUndefined();
});

it('knows whether anybody else has set the replicas', () => {
  expect(othersHoldReplicas(live(ours, entry('kubectl-patch', 'v1', 'replicas')))).toBe(true);
  expect(othersHoldReplicas(live(entry('lateen', 'v1', 'replicas'), entry('kubectl-patch', 'v1', 'paused')))).toBe(false);
});
