import { describe, expect, it } from 'vitest';
import { guard } from '#agent/manifest/guard.ts';
import type { KubeObject } from '#api/kubernetes.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';

function of(
  apiVersion: string,
  kind: string,
  rest: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): string | undefined {
  const object = { apiVersion, kind, metadata: { name: 'x', ...metadata }, ...rest } as KubeObject;
  const found = guard(object, 'team-a', `${kind}/${String(object.metadata.name)}`);
  return found && `${found.code} ${found.message}; ${found.remedy}`;
}

describe('what belongs to the agent', () => {
  it.each([
    ['v1', 'ServiceAccount', 'lateen-agent'],
    [RBAC, 'Role', 'lateen-agent'],
    [RBAC, 'RoleBinding', 'lateen-agent'],
    ['apps/v1', 'Deployment', 'lateen-agent'],
    ['coordination.k8s.io/v1', 'Lease', 'lateen-agent'],
    ['v1', 'Secret', 'lateen-agent'],
    ['v1', 'Secret', 'lateen-agent-token-x'],
    ['v1', 'PersistentVolumeClaim', 'lateen-agent-cache'],
    ['networking.k8s.io/v1', 'NetworkPolicy', 'lateen-agent'],
    ['v1', 'ConfigMap', 'lateen-infra'],
  ])('%s %s %s is not written', (apiVersion, kind, name) => {
    expect(of(apiVersion, kind, {}, { name })).toBe(
      `AgentProtected ${kind}/${name} has a name that belongs to the agent itself; give it another name`,
    );
  });

  it.each([
    ['v1', 'ConfigMap', 'lateen'],
    ['v1', 'ConfigMap', 'my-lateen-infra'],
    ['v1', 'Service', 'lateen-agent'],
    ['apps/v1', 'Deployment', 'lateen-agents'],
    ['example.com/v1', 'Deployment', 'lateen-agent'],
  ])('%s %s %s is', (apiVersion, kind, name) => {
    expect(of(apiVersion, kind, {}, { name })).toBeUndefined();
  });
});

describe("the agent's ServiceAccount is named by no object", () => {
  const podSpec = { serviceAccountName: 'lateen-agent', containers: [] };
  const template = { template: { spec: podSpec } };

  it.each([
    ['v1', 'Pod', { spec: podSpec }, 'spec.serviceAccountName'],
    ['v1', 'Pod', { spec: { serviceAccount: 'lateen-agent' } }, 'spec.serviceAccount'],
    ['v1', 'PodTemplate', template, 'template.spec.serviceAccountName'],
    ['v1', 'ReplicationController', { spec: template }, 'spec.template.spec.serviceAccountName'],
    ['apps/v1', 'Deployment', { spec: template }, 'spec.template.spec.serviceAccountName'],
    ['apps/v1', 'ReplicaSet', { spec: template }, 'spec.template.spec.serviceAccountName'],
    ['apps/v1', 'StatefulSet', { spec: template }, 'spec.template.spec.serviceAccountName'],
    ['apps/v1', 'DaemonSet', { spec: template }, 'spec.template.spec.serviceAccountName'],
    ['batch/v1', 'Job', { spec: template }, 'spec.template.spec.serviceAccountName'],
    ['batch/v1', 'CronJob', { spec: { jobTemplate: { spec: template } } }, 'spec.jobTemplate.spec.template.spec.serviceAccountName'],
    ['argoproj.io/v1alpha1', 'Rollout', { spec: template }, 'spec.template.spec.serviceAccountName'],
    ['tekton.dev/v1', 'Run', { spec: { steps: [{ serviceAccount: { name: 'lateen-agent' } }] } }, 'spec.steps[0].serviceAccount'],
    [
      'core.oam.dev/v1beta1',
      'Application',
      { spec: { components: [{ properties: { objects: [template] } }] } },
      'spec.components[0].properties.objects[0].template.spec.serviceAccountName',
    ],
  ])('%s %s', (apiVersion, kind, rest, path) => {
    expect(of(apiVersion, kind, rest)).toBe(
      `IdentityForbidden ${path} of ${kind}/x is lateen-agent, the ServiceAccount of the agent itself; name a ServiceAccount of its own, or none`,
    );
  });

  it('a token Secret for it', () => {
    const annotations = { 'kubernetes.io/service-account.name': 'lateen-agent' };
    expect(of('v1', 'Secret', { type: 'kubernetes.io/service-account-token' }, { annotations })).toBe(
      "IdentityForbidden Secret/x would hold a token of the agent's own ServiceAccount lateen-agent; remove it",
    );
  });

  it('others may be named, and texts are texts', () => {
    expect(of('apps/v1', 'Deployment', { spec: { template: { spec: { serviceAccountName: 'web' } } } })).toBeUndefined();
    expect(of('v1', 'ConfigMap', { data: { serviceAccountName: 'lateen-agent' } })).toBeUndefined();
    expect(of('v1', 'Secret', { stringData: { serviceAccountName: 'lateen-agent' } })).toBeUndefined();
    expect(of('v1', 'Secret', {}, { annotations: { 'kubernetes.io/service-account.name': 'default' } })).toBeUndefined();
  });
});

describe('rights that the agent does not have are not granted', () => {
  const binding = (subjects: object[], roleRef: object = { kind: 'Role', name: 'r' }): string | undefined =>
    of(RBAC, 'RoleBinding', { roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...roleRef }, subjects });

  it('no binding of cluster-admin', () => {
    expect(binding([], { kind: 'ClusterRole', name: 'cluster-admin' })).toBe(
      'RoleExceedsAgent RoleBinding/x binds the ClusterRole cluster-admin, which is more than the agent may do itself; bind a Role that names what is needed',
    );
    expect(binding([], { kind: 'ClusterRole', name: 'view' })).toBeUndefined();
  });

  it.each([
    { kind: 'ServiceAccount', name: 'lateen-agent' },
    { kind: 'ServiceAccount', name: 'lateen-agent', namespace: 'team-a' },
    { kind: 'User', name: 'system:serviceaccount:team-a:lateen-agent' },
  ])('no binding to the agent: %j', (subject) => {
    expect(binding([{ kind: 'Group', name: 'devs' }, subject])).toContain(
      "IdentityForbidden RoleBinding/x binds a role to the agent's own ServiceAccount lateen-agent",
    );
  });

  it('a binding to others', () => {
    expect(
      binding([
        { kind: 'ServiceAccount', name: 'web' },
        { kind: 'ServiceAccount', name: 'lateen-agent', namespace: 'team-b' },
      ]),
    ).toBeUndefined();
  });

  it.each([
    ['verbs', '*'],
    ['verbs', 'escalate'],
    ['verbs', 'bind'],
    ['verbs', 'impersonate'],
    ['resources', '*'],
    ['apiGroups', '*'],
  ])('no Role with %s %s', (field, value) => {
    const plain = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
    expect(of(RBAC, 'Role', { rules: [plain, { ...plain, [field]: ['x', value] }] })).toBe(
      `RoleExceedsAgent Role/x grants "${value}" in rules[1].${field}, which is more than the agent may do itself; name what is needed, one by one`,
    );
    expect(of(RBAC, 'Role', { rules: [plain] })).toBeUndefined();
  });
});

it('takes whatever a document may be', () => {
  const rest = { rules: [null, 5, { verbs: 'get' }], subjects: [null, 'x'], roleRef: 'y', spec: null };
  for (const kind of ['Role', 'RoleBinding']) expect(of(RBAC, kind, rest, { annotations: 5 })).toBeUndefined();
  expect(of('core.oam.dev/v1beta1', 'Application', rest, { annotations: [] })).toBeUndefined();
});
