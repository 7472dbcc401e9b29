import { expect, it } from 'vitest';
import { withoutVelaCore } from '#agent/sync/without-vela-core.ts';
import type { KubeObject } from '#api/kubernetes.ts';

const origin = { file: 'app.yaml', line: 3 };

function nested(spec: object, annotations: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name: 'x', annotations }, spec };
}

function refusals(object: KubeObject): string[] {
  const { objects, causes } = withoutVelaCore([{ object, origin }], 'team-a');
  expect(objects).toHaveLength(causes.length === 0 ? 1 : 0);
  return causes.map(({ code, file, line, path, message }) => `${code} ${file}:${line} ${path} ${message}`);
}

const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'mine' } };
const privileged = { name: 'a', type: 'k8s-objects', properties: { objects: [binding] } };
const plain = { name: 'a', type: 'webservice', properties: { image: 'nginx' } };

it('refuses what only a vela-core could carry out, with file and line', () => {
  expect(refusals(nested({ components: [privileged] }))).toEqual([
    'UnknownComponentType app.yaml:3 spec.components[0].type Application/x: spec.components[0].type is a component type that this version does not know, received "k8s-objects"; it knows "kustomize", "webservice" and "worker"',
  ]);
  const more = {
    components: [{ ...plain, traits: [{ type: 'cluster-gateway' }] }],
    policies: [{ name: 'p', type: 'take-over' }],
    workflow: { steps: [{ name: 's', type: 'apply-object', properties: { value: binding } }] },
  };
  expect(refusals(nested(more)).map((text) => text.split(' ')[0])).toEqual(['UnknownTraitType', 'UnknownPolicyType', 'UnknownStepType']);
});

it('whoever the file gives it to', () => {
  for (const holder of ['lateen', 'v1.10.0']) {
    expect(refusals(nested({ components: [privileged] }, { 'app.oam.dev/controller-version-require': holder }))).toHaveLength(1);
  }
});

it.each(['app.oam.dev/service-account-name', 'app.oam.dev/username', 'app.oam.dev/group'])('refuses one that chooses %s', (key) => {
  expect(refusals(nested({ components: [plain] }, { [key]: 'x' }))).toEqual([
    `IdentityForbidden app.yaml:3 metadata.annotations[${key}] Application/x says in ${key} as whom a vela-core would apply it, which may do more than this agent`,
  ]);
});

it('leaves other mistakes to whoever reads the Application, and other objects alone', () => {
  expect(refusals(nested({ components: [{ ...plain, properties: { image: 5 } }] }))).toEqual([]);
  expect(refusals(nested({ components: 'none' }))).toEqual([]);
  expect(refusals({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } })).toEqual([]);
});
