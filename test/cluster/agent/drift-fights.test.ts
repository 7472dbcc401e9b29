import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lateen } from '#test/support/lateen.ts';
import { kubectl } from '#test/support/namespace.ts';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const VERBS = ['get', 'list', 'watch', 'create', 'patch', 'delete'];
const RULES = [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: VERBS }];

const { repositories, tenant } = tenancy({ values: { rbac: { rules: RULES } } });

const running = async (name: string, files: Record<string, string>, properties: Record<string, unknown> = {}) => {
  const repository = await repositories.create(name, files);
  await tenant.apply(name, [kustomize('a', repository.url, properties)]);
  await tenant.untilRunning(name);
  return repository;
};
const dataOf = async (name: string): Promise<unknown> => (await tenant.get('ConfigMap', name))?.['data'];
const labelsOf = async (name: string): Promise<Record<string, string>> => (await tenant.get('ConfigMap', name))?.metadata.labels ?? {};
const messageOf = (name: string): string => (tenant.service(name, 'a')?.message ?? '').replace(/ \(commit \w+\)/, '');
const until = (name: string, part: string) => tenant.until(name, part, () => messageOf(name).includes(part));
const inNamespace = (...args: string[]) => kubectl(...args, '-n', tenant.namespace);
const drift = async (name: string): Promise<string[]> => (await tenant.events(name)).filter((line) => line.includes('Drift'));
const stubborn = (name: string, data: Record<string, string>) =>
  tenant.client.apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: tenant.namespace }, data },
    { fieldManager: 'stubborn' },
  );

/** Changes the key until the agent gives up. */
async function fight(name: string): Promise<void> {
  for (let round = 0; round < 5; round++) {
    await stubborn(name, { key: 'mine' });
    await tenant.eventually('put back', async () => JSON.stringify(await dataOf(name)) === '{"key":"one"}');
  }
  await stubborn(name, { key: 'mine' });
  await until(name, 'stubborn changes it each time');
}

describe.concurrent('an object with a field that is fought about', () => {
  it('has everything else put back, and comes back when it is deleted', async () => {
    await running('partly', { 'a.yaml': configMapYaml('partly') });
    await fight('partly');
    await inNamespace('label', 'configmap', 'partly', 'extra=1');
    await tenant.eventually('label gone', async () => (await labelsOf('partly'))['extra'] === undefined);
    await inNamespace('delete', 'configmap', 'partly');
    await tenant.eventually('back', async () => JSON.stringify(await dataOf('partly')) === '{"key":"one"}');
    await tenant.untilRunning('partly');
  });

  it('is tried again when a person asks for it', async () => {
    await running('asked', { 'a.yaml': configMapYaml('asked') });
    await fight('asked');
    const { status } = await lateen(['reconcile', 'asked', '-n', tenant.namespace, '--kubeconfig', tenant.kubeconfig]);
    expect(status).toBe(0);
    expect(await dataOf('asked')).toEqual({ key: 'one' });
    await tenant.untilRunning('asked');
  });
});

it.concurrent('a field that a person adds each time is a fight too', async () => {
  await running('labelled', { 'a.yaml': configMapYaml('labelled') });
  for (let round = 0; round < 5; round++) {
    await inNamespace('label', 'configmap', 'labelled', 'extra=1');
    await tenant.eventually('taken away', async () => (await labelsOf('labelled'))['extra'] === undefined);
  }
  await inNamespace('label', 'configmap', 'labelled', 'extra=1');
  await until('labelled', 'kubectl-label adds it each time');
  expect(messageOf('labelled')).toBe(
    'a.yaml:1: metadata.labels.extra of ConfigMap/labelled was taken away five times in ten minutes and kubectl-label adds it each time; ' +
      'write metadata.labels.extra in Git, or stop kubectl-label',
  );
  expect((await labelsOf('labelled'))['extra']).toBe('1');
});

it.concurrent('an object that is deleted each time is put back five times at once, then ever more slowly', async () => {
  const orphan = '  ownerReferences:\n    - {apiVersion: v1, kind: ConfigMap, name: nobody, uid: 11111111-2222-3333-4444-555555555555}\n';
  const repository = await repositories.create('orphaned', { 'a.yaml': configMapYaml('orphaned', 'one', orphan) });
  await tenant.apply('orphaned', [kustomize('a', repository.url)]);
  await until('orphaned', 'is deleted each time');
  expect(messageOf('orphaned')).toMatch(
    /^a\.yaml:1: ConfigMap\/orphaned was put back 5 times in ten minutes and is deleted each time; find out who/,
  );
  await sleep(2_000);
  expect((await drift('orphaned')).length).toBeLessThanOrEqual(5);
});

it.concurrent('drift: report says who has changed what, of each drift once', async () => {
  await running('told', { 'a.yaml': configMapYaml('told') }, { drift: 'report' });
  await stubborn('told', { key: 'mine' });
  await tenant.eventually('first', async () => (await drift('told')).length === 1);
  await inNamespace('label', 'configmap', 'told', 'extra=1');
  await tenant.eventually('second', async () => (await drift('told')).length === 2);
  await inNamespace('label', 'configmap', 'told', 'extra-');
  expect(await drift('told')).toEqual([
    'Warning DriftDetected component a: stubborn has changed data.key of ConfigMap/told',
    'Warning DriftDetected component a: stubborn has changed data.key; kubectl-label has added metadata.labels.extra of ConfigMap/told',
  ]);
});

it.concurrent('with atomic: true a RoleBinding may come together with its Role', async () => {
  const role =
    'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: atomic-role}\nrules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]\n';
  const binding =
    'apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: atomic-binding}\n' +
    'roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: atomic-role}\nsubjects: [{kind: ServiceAccount, name: default}]\n';
  await running('bound', { 'a.yaml': role, 'b.yaml': binding }, { atomic: true });
});
