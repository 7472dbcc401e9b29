import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventoryName } from '#agent/manifest/inventory.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { kubectl, kubectlApply } from '#test/support/namespace.ts';
import { attack, expectAbsent, type Neighbours, startNeighbours } from '#test/support/neighbours.ts';
import { configMapYaml, kustomize, type Repositories } from '#test/support/repositories.ts';
import type { Tenant } from '#test/support/tenant.ts';

/**
 * Inside of its namespace, Git reaches for the identity of the agent and for more rights than it has: the rows A19, A21 and A34
 * of the catalogue of attacks (spec/sync.md §7.3). rights.test.ts asks the API server for the same directly.
 */

let neighbours: Neighbours;
let repositories: Repositories;
let a: Tenant;
let refused: Neighbours['refused'];

beforeAll(async () => {
  neighbours = await startNeighbours();
  ({ repositories, a, refused } = neighbours);
});

afterAll(() => neighbours?.close());

const RBAC = 'rbac.authorization.k8s.io/v1';

describe('A19: more rights, inside of the namespace', () => {
  const subjects = [{ kind: 'ServiceAccount', name: 'default' }];
  const toRole = (kind: string, name: string): object => ({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name }, subjects });
  const podSpec = { serviceAccountName: 'lateen-agent', containers: [{ name: 'c', image: 'nginx' }] };
  const template = { metadata: { labels: { a: 'b' } }, spec: podSpec };
  const workload = { selector: { matchLabels: { a: 'b' } }, template };
  const token = { 'kubernetes.io/service-account.name': 'lateen-agent' };
  const binding = attack(RBAC, 'ClusterRoleBinding', toRole('ClusterRole', 'cluster-admin'));
  const nested = attack('core.oam.dev/v1beta1', 'Application', {
    spec: { components: [{ name: 'a', type: 'k8s-objects', properties: { objects: [binding] } }] },
  });
  const own = { name: 'lateen-agent' };

  it.each<[string, object, string]>([
    ['binding-admin', attack(RBAC, 'RoleBinding', toRole('ClusterRole', 'cluster-admin')), 'RoleExceedsAgent'],
    [
      'binding-self',
      attack(RBAC, 'RoleBinding', { ...toRole('Role', 'x'), subjects: [{ kind: 'ServiceAccount', ...own }] }),
      'IdentityForbidden',
    ],
    ['role-all', attack(RBAC, 'Role', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }), 'RoleExceedsAgent'],
    [
      'role-escalate',
      attack(RBAC, 'Role', { rules: [{ apiGroups: [RBAC], resources: ['roles'], verbs: ['escalate'] }] }),
      'RoleExceedsAgent',
    ],
    ['own-account', attack('v1', 'ServiceAccount', {}, own), 'AgentProtected'],
    ['own-role', attack(RBAC, 'Role', { rules: [] }, own), 'AgentProtected'],
    ['own-binding', attack(RBAC, 'RoleBinding', toRole('ClusterRole', 'admin'), own), 'AgentProtected'],
    ['own-deployment', attack('apps/v1', 'Deployment', { spec: workload }, own), 'AgentProtected'],
    ['own-lease', attack('coordination.k8s.io/v1', 'Lease', { spec: { holderIdentity: 'attack' } }, own), 'AgentProtected'],
    ['own-secret', attack('v1', 'Secret', {}, { name: 'lateen-agent-token' }), 'AgentProtected'],
    ['own-inventory', attack('v1', 'ConfigMap', {}, { name: inventoryName('other') }), 'AgentProtected'],
    ['identity-pod', attack('v1', 'Pod', { spec: podSpec }), 'IdentityForbidden'],
    ['identity-deployment', attack('apps/v1', 'Deployment', { spec: workload }), 'IdentityForbidden'],
    ['identity-job', attack('batch/v1', 'Job', { spec: { template } }), 'IdentityForbidden'],
    [
      'identity-cron',
      attack('batch/v1', 'CronJob', { spec: { schedule: '* * * * *', jobTemplate: { spec: { template } } } }),
      'IdentityForbidden',
    ],
    [
      'identity-token',
      attack('v1', 'Secret', { type: 'kubernetes.io/service-account-token' }, { annotations: token }),
      'IdentityForbidden',
    ],
    ['nested-privileged', nested, 'UnknownComponentType'],
    [
      'nested-identity',
      attack('core.oam.dev/v1beta1', 'Application', { spec: { components: [] } }, { annotations: { 'app.oam.dev/username': 'admin' } }),
      'IdentityForbidden',
    ],
  ])('%s', async (name, object, reason) => {
    expect(await refused(name, { 'a.yaml': object }, reason)).toContain('a.yaml:1: ');
    const { kind, metadata } = object as KubeObject;
    if (metadata.name === 'attack') await expectAbsent(kind, a.namespace);
  });

  it('left the agent as it was, and still working', async () => {
    const account = await kubectl('get', 'serviceaccount,role,rolebinding', 'lateen-agent', '-n', a.namespace, '-o', 'json');
    const managers = (JSON.parse(account) as { items: KubeObject[] }).items.flatMap(({ metadata }) => metadata.managedFields ?? []);
    expect(managers.filter(({ manager }) => manager === 'lateen')).toEqual([]);
    const fine = await repositories.create('fine', { 'a.yaml': configMapYaml('fine') });
    await a.apply('fine', [kustomize('a', fine.url)]);
    await a.untilRunning('fine');
  });
});

describe('A21: the same object in two repositories', () => {
  it('two Applications of one tenant: the first keeps it', async () => {
    const one = await repositories.create('first-one', { 'a.yaml': configMapYaml('fought') });
    await a.apply('first-one', [kustomize('a', one.url)]);
    await a.untilRunning('first-one');
    const sentence = await refused('second-one', { 'a.yaml': configMapYaml('fought', 'two') }, 'OwnershipConflict');
    expect(sentence).toContain('belongs to the component a of Application first-one');
  });
});

describe('A34: manifests that read what is in the namespace', () => {
  it('may, in their own: that is what ConfigMaps and Secrets are for', async () => {
    await kubectlApply([{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'of-a', namespace: a.namespace } }]);
    const spec = {
      selector: { matchLabels: { app: 'reads' } },
      template: {
        metadata: { labels: { app: 'reads' } },
        spec: {
          containers: [{ name: 'c', image: 'nginx', envFrom: [{ secretRef: { name: 'of-a' } }] }],
          // A token of the namespace's own default account, for whomever it is meant.
          volumes: [
            { name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'https://elsewhere.example' } }] } },
          ],
        },
      },
    };
    const reads = attack('apps/v1', 'Deployment', { spec }, { name: 'reads' });
    const repository = await repositories.create('reads', { 'a.yaml': JSON.stringify(reads) });
    await a.apply('reads', [kustomize('a', repository.url)]);
    await a.untilRunning('reads');
  });
});

it('nothing of B has changed, and A was never let near it', () => neighbours.expectUnharmed());
