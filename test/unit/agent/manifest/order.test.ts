import fc from 'fast-check';
import { expect, it } from 'vitest';
import { reverseWaves, waves } from '#agent/manifest/order.ts';

const KINDS: [apiVersion: string, kind: string][] = [
  ['core.oam.dev/v1beta1', 'Application'],
  ['example.com/v1', 'Widget'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler'],
  ['apps/v1', 'Deployment'],
  ['batch/v1', 'Job'],
  ['v1', 'Service'],
  ['v1', 'ConfigMap'],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
  ['rbac.authorization.k8s.io/v1', 'Role'],
  ['v1', 'ServiceAccount'],
];

const built = KINDS.map(([apiVersion, kind]) => ({ object: { apiVersion, kind, metadata: { name: 'x' } }, origin: { file: 'f.yaml' } }));
const EXPECTED = [
  ['ServiceAccount', 'Role'],
  ['ConfigMap', 'RoleBinding'],
  ['Service'],
  ['Deployment', 'Job'],
  ['HorizontalPodAutoscaler', 'Ingress'],
  ['Widget'],
  ['Application'],
];

it('puts what others need first, custom kinds late, Applications last', () => {
  expect(waves(built).map((wave) => wave.map(({ object }) => object.kind))).toEqual(EXPECTED);
});

it('does not depend on the order that was given', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(built, { minLength: built.length }), (shuffled) => {
      expect(waves(shuffled)).toEqual(waves(built));
    }),
  );
});

it('deletes in the reverse order, and gives back the very references', () => {
  const references = KINDS.map(([apiVersion, kind]) => ({ apiVersion, kind, name: 'x' }));
  const reversed = reverseWaves(references);
  expect(reversed.map((wave) => wave.map(({ kind }) => kind))).toEqual(EXPECTED.toReversed());
  expect(reversed.flat().every((reference) => references.includes(reference))).toBe(true);
});

it('makes no wave of nothing', () => {
  expect([waves([]), reverseWaves([])]).toEqual([[], []]);
});
