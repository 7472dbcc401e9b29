import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMAT, inventoryName, toConfigMap } from '#agent/manifest/inventory.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { type Audit, startAudit } from '#test/support/audit.ts';
import { runKubectl } from '#test/support/kubectl.ts';
import { kubectl, kubectlApply } from '#test/support/namespace.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

/**
 * Two tenants on one API server: whatever stands in a repository of A, nothing of B changes (spec/sync.md §7.3, the rows about
 * scope and identity: A15 to A21 and A34). The agents have the rights of their chart and nothing else; rights.test.ts asks the API
 * server for the same directly.
 */

let repositories: Repositories;
let a: Tenant;
let b: Tenant;
let audit: Audit;
let before: string;

const RBAC = 'rbac.authorization.k8s.io/v1';

beforeAll(async () => {
  [repositories, a, b] = await Promise.all([startRepositories(), startTenant(), startTenant()]);
  await kubectlApply([
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'of-b', namespace: b.namespace }, stringData: { username: 'x', password: 'y' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: b.namespace }, data: { key: 'of b' } },
  ]);
  const owned = await repositories.create('of-b', { 'a.yaml': configMapYaml('owned') });
  await b.apply('own', [kustomize('a', owned.url)]);
  await b.untilRunning('own');
  audit = await startAudit(a.namespace);
  before = await everythingOfB();
});

afterAll(async () => {
  await Promise.all([a?.close(), b?.close(), repositories?.close()]);
});

/** Every object of B but what its own agent renews, with its version. */
async function everythingOfB(): Promise<string> {
  const kinds = 'configmaps,secrets,serviceaccounts,services,deployments,roles,rolebindings,applications,applicationrevisions';
  const columns = 'custom-columns=:kind,:metadata.name,:metadata.resourceVersion';
  return kubectl('get', kinds, '-n', b.namespace, '--no-headers', '-o', columns);
}

function reasonOf(application: string): string | undefined {
  const { conditions = [] } = a.application(application)?.status ?? {};
  const admitted = conditions.find(({ type, status }) => type === 'Admitted' && status === 'False');
  return admitted?.reason ?? conditions.find(({ type, status }) => type === 'Applied' && status === 'False')?.reason;
}

const sentenceOf = (application: string): string => a.service(application, 'a')?.message ?? '';

/** Pushes files, lets A's agent follow them, and waits until it says no for this reason. */
async function refused(name: string, files: Record<string, unknown>, reason: string): Promise<string> {
  const texts = Object.entries(files).map(([path, content]) => [path, typeof content === 'string' ? content : JSON.stringify(content)]);
  const repository = await repositories.create(name, Object.fromEntries(texts) as Record<string, string>);
  await a.apply(name, [kustomize('a', repository.url, { pullInterval: '1h' })]);
  await a.until(name, `refused with ${reason}`, () => reasonOf(name) === reason);
  return sentenceOf(name);
}

function object(apiVersion: string, kind: string, rest: object = {}, metadata: object = {}): object {
  return { apiVersion, kind, metadata: { name: 'attack', ...metadata }, ...rest };
}

async function absent(kind: string, namespace?: string): Promise<void> {
  const place = namespace === undefined ? [] : ['-n', namespace];
  const { stdout } = await runKubectl('get', kind, 'attack', ...place, '--ignore-not-found', '-o', 'name');
  expect(stdout).toBe('');
}

describe('A20: labels and inventories that somebody wrote by hand', () => {
  it('do not reach B, whatever UID they name', async () => {
    const target = await b.get('ConfigMap', 'owned');
    const entry = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps', component: 'a', name: 'owned', namespace: b.namespace };
    const uid = target?.metadata.uid ?? '';
    const forged = toConfigMap({ application: 'forged', uid: 'x', keep: [], entries: [{ ...entry, uid, manifest: 'x' }] }, a.namespace);
    expect(forged.metadata.labels).toHaveProperty([FORMAT]);
    await kubectlApply([forged]);
    // Inventories are read at the start; nobody else writes them.
    await a.agent.stop();
    await a.startAgent();
    await a.eventually('looked at', async () =>
      /"application deleted","application":"forged"|"removal failed","application":"forged"/.test(await a.agent.log()),
    );
    expect((await b.get('ConfigMap', 'owned'))?.metadata.uid).toBe(uid);
  });

  it('do not let an object be pruned that the agent did not apply', async () => {
    const repository = await repositories.create('labels', { 'a.yaml': configMapYaml('labels-own') });
    await a.apply('labels', [kustomize('a', repository.url)]);
    await a.untilRunning('labels');
    const labels = { 'lateen.dev/application': 'labels', 'lateen.dev/component': 'a' };
    await kubectlApply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'labelled', namespace: a.namespace, labels } }]);
    await repository.push({ 'a.yaml': null, 'b.yaml': configMapYaml('labels-next') });
    await a.eventually('pruned', async () => (await a.get('ConfigMap', 'labels-own')) === undefined);
    await a.delete('Application', 'labels');
    await a.eventually('removed', async () => (await a.get('ConfigMap', 'labels-next')) === undefined);
    expect(await a.get('ConfigMap', 'labelled')).toBeDefined();
  });
});

describe('A15: a Secret of another namespace', () => {
  it.each([
    ['a-map', { name: 'of-b', namespace: 'B' }, 'InvalidType'],
    ['a-path', 'B/of-b', 'InvalidName'],
    ['climbing', '../B/secrets/of-b', 'InvalidName'],
    ['encoded', '..%2fB%2fsecrets%2fof-b', 'InvalidName'],
  ])('cannot be named: %s', async (name, secretRef, reason) => {
    const text = JSON.stringify(secretRef).replaceAll('B', b.namespace);
    await a.apply(`secret-${name}`, [kustomize('a', 'https://git.example.com/x', { secretRef: JSON.parse(text) as unknown })]);
    await a.until(`secret-${name}`, 'refused', () => reasonOf(`secret-${name}`) === reason);
  });

  it('is not there, whether B has one of that name or not', async () => {
    const said: string[] = [];
    for (const name of ['of-b', 'of-nobody']) {
      await a.apply(name, [kustomize('a', `${repositories.server.url}/any`, { secretRef: name })]);
      await a.until(name, 'without its Secret', () => a.service(name, 'a')?.details?.['reason'] === 'SECRET_NOT_FOUND');
      said.push(sentenceOf(name).replaceAll(name, 'NAME'));
    }
    expect(said[0]).toBe(said[1]);
  });
});

describe('A17: objects for another namespace', () => {
  const configMap = (metadata: object): object => object('v1', 'ConfigMap', { data: { key: 'of a' } }, metadata);

  it('by metadata.namespace, in a List, and by kustomize', async () => {
    const elsewhere = { name: 'settings', namespace: b.namespace };
    const list = { apiVersion: 'v1', kind: 'List', items: [configMap(elsewhere)] };
    const patch = { op: 'add', path: '/metadata/namespace', value: b.namespace };
    const kustomization = { resources: ['a.yaml'] };
    const sentences = [
      await refused('ns-plain', { 'a.yaml': configMap(elsewhere) }, 'NamespaceForbidden'),
      await refused('ns-list', { 'a.yaml': list }, 'NamespaceForbidden'),
      await refused(
        'ns-field',
        { 'kustomization.yaml': { ...kustomization, namespace: b.namespace }, 'a.yaml': configMap({ name: 'settings' }) },
        'NamespaceForbidden',
      ),
      await refused(
        'ns-patch',
        {
          'kustomization.yaml': { ...kustomization, patches: [{ target: { kind: 'ConfigMap' }, patch: JSON.stringify([patch]) }] },
          'a.yaml': configMap({ name: 'settings' }),
        },
        'NamespaceForbidden',
      ),
    ];
    for (const sentence of sentences) {
      expect(sentence).toContain(`ConfigMap/settings is for the namespace "${b.namespace}", the Application is in ${a.namespace}`);
    }
    expect(await a.get('ConfigMap', 'settings')).toBeUndefined();
  });

  it('by targetNamespace, of a component and by an override', async () => {
    const url = 'https://git.example.com/x';
    await a.apply('target', [kustomize('a', url, { targetNamespace: b.namespace })]);
    await a.until('target', 'refused', () => reasonOf('target') === 'InvalidValue');
    const topology = { name: 'there', type: 'topology', properties: { namespace: b.namespace } };
    await a.apply('topology', { components: [kustomize('a', url)], policies: [topology] });
    await a.until('topology', 'refused', () => reasonOf('topology') === 'NamespaceForbidden');
  });

  it('without a name, and requests instead of objects', async () => {
    await refused('no-name', { 'a.yaml': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'x-' } } }, 'NameRequired');
    const requests = [
      object('v1', 'Binding', { target: { kind: 'Node', name: 'node-0' } }),
      object('policy/v1', 'Eviction'),
      object('authentication.k8s.io/v1', 'TokenRequest', { spec: { audiences: ['x'] } }, { name: 'lateen-agent' }),
    ];
    for (const [index, request] of requests.entries()) await refused(`request-${index}`, { 'a.yaml': request }, 'InvalidObject');
  });
});

describe('A18: objects of no namespace', () => {
  it.each([
    ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
    ['v1', 'Namespace'],
    ['v1', 'PersistentVolume'],
    ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
    ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'],
    ['admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding'],
    ['apiregistration.k8s.io/v1', 'APIService'],
    ['scheduling.k8s.io/v1', 'PriorityClass'],
    ['node.k8s.io/v1', 'RuntimeClass'],
    ['storage.k8s.io/v1', 'StorageClass'],
  ])('%s %s', async (apiVersion, kind) => {
    const name = `scope-${kind.toLowerCase()}`;
    const sentence = await refused(name, { 'a.yaml': object(apiVersion, kind) }, 'ClusterScoped');
    expect(sentence).toContain(`a.yaml:1: ${kind}/attack is cluster-scoped `);
    await absent(kind);
  });

  it('and of a scope that nobody knows', async () => {
    await refused('scope-unknown', { 'a.yaml': object('example.com/v1', 'Everything') }, 'UnknownKind');
  });
});

describe('A19: more rights, inside of the namespace', () => {
  const subjects = [{ kind: 'ServiceAccount', name: 'default' }];
  const toRole = (kind: string, name: string): object => ({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name }, subjects });
  const podSpec = { serviceAccountName: 'lateen-agent', containers: [{ name: 'c', image: 'nginx' }] };
  const template = { metadata: { labels: { a: 'b' } }, spec: podSpec };
  const workload = { selector: { matchLabels: { a: 'b' } }, template };
  const token = { 'kubernetes.io/service-account.name': 'lateen-agent' };
  const binding = object(RBAC, 'ClusterRoleBinding', toRole('ClusterRole', 'cluster-admin'));
  const nested = object('core.oam.dev/v1beta1', 'Application', {
    spec: { components: [{ name: 'a', type: 'k8s-objects', properties: { objects: [binding] } }] },
  });
  const own = { name: 'lateen-agent' };

  it.each<[string, object, string]>([
    ['binding-admin', object(RBAC, 'RoleBinding', toRole('ClusterRole', 'cluster-admin')), 'RoleExceedsAgent'],
    [
      'binding-self',
      object(RBAC, 'RoleBinding', { ...toRole('Role', 'x'), subjects: [{ kind: 'ServiceAccount', ...own }] }),
      'IdentityForbidden',
    ],
    ['role-all', object(RBAC, 'Role', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }), 'RoleExceedsAgent'],
    [
      'role-escalate',
      object(RBAC, 'Role', { rules: [{ apiGroups: [RBAC], resources: ['roles'], verbs: ['escalate'] }] }),
      'RoleExceedsAgent',
    ],
    ['own-account', object('v1', 'ServiceAccount', {}, own), 'AgentProtected'],
    ['own-role', object(RBAC, 'Role', { rules: [] }, own), 'AgentProtected'],
    ['own-binding', object(RBAC, 'RoleBinding', toRole('ClusterRole', 'admin'), own), 'AgentProtected'],
    ['own-deployment', object('apps/v1', 'Deployment', { spec: workload }, own), 'AgentProtected'],
    ['own-lease', object('coordination.k8s.io/v1', 'Lease', { spec: { holderIdentity: 'attack' } }, own), 'AgentProtected'],
    ['own-secret', object('v1', 'Secret', {}, { name: 'lateen-agent-token' }), 'AgentProtected'],
    ['own-inventory', object('v1', 'ConfigMap', {}, { name: inventoryName('other') }), 'AgentProtected'],
    ['identity-pod', object('v1', 'Pod', { spec: podSpec }), 'IdentityForbidden'],
    ['identity-deployment', object('apps/v1', 'Deployment', { spec: workload }), 'IdentityForbidden'],
    ['identity-job', object('batch/v1', 'Job', { spec: { template } }), 'IdentityForbidden'],
    [
      'identity-cron',
      object('batch/v1', 'CronJob', { spec: { schedule: '* * * * *', jobTemplate: { spec: { template } } } }),
      'IdentityForbidden',
    ],
    [
      'identity-token',
      object('v1', 'Secret', { type: 'kubernetes.io/service-account-token' }, { annotations: token }),
      'IdentityForbidden',
    ],
    ['nested-privileged', nested, 'UnknownComponentType'],
    [
      'nested-identity',
      object('core.oam.dev/v1beta1', 'Application', { spec: { components: [] } }, { annotations: { 'app.oam.dev/username': 'admin' } }),
      'IdentityForbidden',
    ],
  ])('%s', async (name, attack, reason) => {
    expect(await refused(name, { 'a.yaml': attack }, reason)).toContain('a.yaml:1: ');
    const { kind, metadata } = attack as KubeObject;
    if (metadata.name === 'attack') await absent(kind, a.namespace);
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

describe('A21: the same name on both sides', () => {
  it('is two objects, and neither tenant hears of the other', async () => {
    const repository = await repositories.create('same', { 'a.yaml': configMapYaml('owned', 'of-a') });
    await a.apply('own', [kustomize('a', repository.url)]);
    await a.untilRunning('own');
    expect((await a.get('ConfigMap', 'owned'))?.['data']).toEqual({ key: 'of-a' });
    expect((await b.get('ConfigMap', 'owned'))?.['data']).toEqual({ key: 'one' });
    await a.delete('Application', 'own');
    await a.eventually('removed', async () => (await a.get('ConfigMap', 'owned')) === undefined);
    expect(await b.get('ConfigMap', 'owned')).toBeDefined();
  });

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
    const reads = object('apps/v1', 'Deployment', { spec }, { name: 'reads' });
    const repository = await repositories.create('reads', { 'a.yaml': JSON.stringify(reads) });
    await a.apply('reads', [kustomize('a', repository.url)]);
    await a.untilRunning('reads');
  });
});

it('nothing of B has changed, and A was never let near it', async () => {
  expect(await everythingOfB()).toBe(before);
  const asked = await audit.namespaces();
  expect(asked.get(b.namespace) ?? 0).toBe(0);
  expect([...asked.keys()].filter((namespace) => ![a.namespace, b.namespace, ''].includes(namespace))).toEqual([]);
  expect(await audit.writes()).not.toContainEqual(expect.stringMatching(/attack|lateen-agent/));
});
