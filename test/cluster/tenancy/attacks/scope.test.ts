import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMAT, toConfigMap } from '#agent/manifest/inventory.ts';
import { kubectlApply } from '#test/support/namespace.ts';
import { attack, expectAbsent, type Neighbours, startNeighbours } from '#test/support/neighbours.ts';
import { configMapYaml, kustomize, type Repositories } from '#test/support/repositories.ts';
import type { Tenant } from '#test/support/tenant.ts';

/** One tenant reaches for what is not in its namespace: the rows A15, A17, A18, A20 and A21 of the catalogue of attacks (spec/sync.md §7.3). */

let neighbours: Neighbours;
let repositories: Repositories;
let a: Tenant;
let b: Tenant;
let refused: Neighbours['refused'];
let reasonOf: Neighbours['reasonOf'];
let sentenceOf: Neighbours['sentenceOf'];

beforeAll(async () => {
  neighbours = await startNeighbours();
  ({ repositories, a, b, refused, reasonOf, sentenceOf } = neighbours);
});

afterAll(() => neighbours?.close());

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
  const configMap = (metadata: object): object => attack('v1', 'ConfigMap', { data: { key: 'of a' } }, metadata);

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
      attack('v1', 'Binding', { target: { kind: 'Node', name: 'node-0' } }),
      attack('policy/v1', 'Eviction'),
      attack('authentication.k8s.io/v1', 'TokenRequest', { spec: { audiences: ['x'] } }, { name: 'lateen-agent' }),
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
    const sentence = await refused(name, { 'a.yaml': attack(apiVersion, kind) }, 'ClusterScoped');
    expect(sentence).toContain(`a.yaml:1: ${kind}/attack is cluster-scoped `);
    await expectAbsent(kind);
  });

  it('and of a scope that nobody knows', async () => {
    await refused('scope-unknown', { 'a.yaml': attack('example.com/v1', 'Everything') }, 'UnknownKind');
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
});

it('nothing of B has changed, and A was never let near it', () => neighbours.expectUnharmed());
