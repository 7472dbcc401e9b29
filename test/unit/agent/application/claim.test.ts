import { expect, it } from 'vitest';
import type { Application } from '#api/application.ts';
import { claimOf } from '#agent/application/claim.ts';

function application(type: string, metadata: Partial<Application['metadata']> = {}): Application {
  return {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: 'a', namespace: 'n', ...metadata },
    spec: { components: [{ name: 'c', type }] },
  };
}

const held = (value: string) => ({ annotations: { 'app.oam.dev/controller-version-require': value } });

it.each([
  ['an unclaimed Application', 'all', application('webservice'), 'claim'],
  ['our own', 'all', application('webservice', held('lateen')), 'ours'],
  ['one of another controller', 'all', application('kustomize', held('v1.10.0')), 'hands-off'],
  ['one with an empty claim', 'all', application('kustomize', held('')), 'hands-off'],
  ['a paused one', 'all', application('kustomize', { labels: { 'controller.core.oam.dev/pause': 'true' } }), 'hands-off'],
  [
    'a paused one of ours',
    'all',
    application('kustomize', { ...held('lateen'), labels: { 'controller.core.oam.dev/pause': 'true' } }),
    'hands-off',
  ],
  ['a kustomize one beside vela-core', 'gitops', application('kustomize'), 'claim'],
  ["vela-core's own", 'gitops', application('webservice'), 'hands-off'],
] as const)('%s in the mode %s', (_name, mode, app, verdict) => {
  expect(claimOf(app, mode).verdict).toBe(verdict);
});
