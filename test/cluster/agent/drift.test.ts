import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { kubectl } from '#test/support/namespace.ts';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

const deploymentYaml = (name: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 1
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: web, image: nginx}]}
`;

/** An Application of one component over the files, running. */
async function running(name: string, files: Record<string, string>, properties: Record<string, unknown> = {}): Promise<void> {
  const repository = await repositories.create(name, files);
  await tenant.apply(name, [kustomize('a', repository.url, properties)]);
  await tenant.untilRunning(name);
}

const inNamespace = (...args: string[]): Promise<string> => kubectl(...args, '-n', tenant.namespace);
const drift = async (name: string): Promise<string[]> => (await tenant.events(name)).filter((line) => /Drift/.test(line));
const replicas = (object: KubeObject | undefined): unknown => (object?.['spec'] as { replicas?: number } | undefined)?.replicas;

async function image(name: string): Promise<string | undefined> {
  const spec = (await tenant.get('Deployment', name))?.['spec'] as { template: { spec: { containers: { image: string }[] } } } | undefined;
  return spec?.template.spec.containers[0]?.image;
}

/** How long it takes until `isSo`; fails after 2 s, in which drift has to be put back. */
async function within2s(isSo: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 2_000;
  while (Date.now() < until) {
    if (await isSo()) return;
    await sleep(50);
  }
  expect.fail(`not put back within 2 s\n${await tenant.agent.log()}`);
}

describe.concurrent('drift', () => {
  it('of a deleted object is put back within 2 s of its being gone', async () => {
    await running('deleted', { 'a.yaml': configMapYaml('deleted') });
    const before = await tenant.get('ConfigMap', 'deleted');
    await inNamespace('delete', 'configmap', 'deleted');
    await within2s(async () => (await tenant.get('ConfigMap', 'deleted')) !== undefined);
    expect((await tenant.get('ConfigMap', 'deleted'))?.metadata.uid).not.toBe(before?.metadata.uid);
    await tenant.eventually('told', async () => (await drift('deleted'))[0]);
    expect(await drift('deleted')).toEqual(['Normal DriftCorrected component a: ConfigMap/deleted had been deleted; put back']);
    await tenant.untilRunning('deleted');
  });

  it('of a field that Git sets is put back, and the line names field and field manager', async () => {
    await running('edited', { 'a.yaml': deploymentYaml('edited') });
    await inNamespace('set', 'image', 'deployment/edited', 'web=redis');
    await within2s(async () => (await image('edited')) === 'nginx');
    await tenant.eventually('told', async () => (await drift('edited'))[0]);
    expect(await drift('edited')).toEqual([
      'Normal DriftCorrected component a: Deployment/edited: kubectl-set had changed spec.template.spec.containers[name=web].image; put back',
    ]);
  });

  it('of a key of a ConfigMap is put back though only metadata is watched', async () => {
    await running('data', { 'a.yaml': configMapYaml('data') });
    await inNamespace('patch', 'configmap', 'data', '--type=merge', '-p', '{"data":{"key":"two"}}');
    await within2s(async () => JSON.stringify((await tenant.get('ConfigMap', 'data'))?.['data']) === '{"key":"one"}');
  });

  it("of what a person's tool added is taken back; what controllers add stays", async () => {
    await running('added', { 'a.yaml': configMapYaml('added') });
    await tenant.client.apply(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'added', namespace: tenant.namespace, labels: { injected: 'yes' } } },
      { fieldManager: 'some-controller' },
    );
    await inNamespace('label', 'configmap', 'added', 'extra=1');
    await within2s(async () => (await tenant.get('ConfigMap', 'added'))?.metadata.labels?.['extra'] === undefined);
    expect((await tenant.get('ConfigMap', 'added'))?.metadata.labels).toMatchObject({ injected: 'yes' });
    await tenant.eventually('told', async () => (await drift('added'))[0]);
    expect(await drift('added')).toEqual([
      'Normal DriftCorrected component a: ConfigMap/added: kubectl-label had added metadata.labels.extra; put back',
    ]);
  });

  it('is no restart by kubectl, which stays', async () => {
    await running('restarted', { 'a.yaml': deploymentYaml('restarted') });
    await inNamespace('rollout', 'restart', 'deployment/restarted');
    await sleep(2_500);
    expect(await drift('restarted')).toEqual([]);
    const { spec } = (await tenant.get('Deployment', 'restarted')) as unknown as {
      spec: { template: { metadata: { annotations?: object } } };
    };
    expect(Object.keys(spec.template.metadata.annotations ?? {})).toEqual(['kubectl.kubernetes.io/restartedAt']);
  });

  it('of replicas is put back, but not while an autoscaler targets the object; a push keeps what it has set', async () => {
    const repository = await repositories.create('scaled', { 'a.yaml': deploymentYaml('scaled') });
    await tenant.apply('scaled', [kustomize('a', repository.url)]);
    await tenant.untilRunning('scaled');
    await inNamespace('scale', 'deployment/scaled', '--replicas=3');
    await within2s(async () => replicas(await tenant.get('Deployment', 'scaled')) === 1);

    await inNamespace('autoscale', 'deployment/scaled', '--min=2', '--max=5');
    await inNamespace('scale', 'deployment/scaled', '--replicas=4');
    await sleep(2_500);
    expect(replicas(await tenant.get('Deployment', 'scaled'))).toBe(4);

    await repository.push({ 'a.yaml': deploymentYaml('scaled').replace('image: nginx', 'image: redis') });
    await tenant.eventually('rolled out', async () => (await image('scaled')) === 'redis');
    expect(replicas(await tenant.get('Deployment', 'scaled'))).toBe(4);
  });

  it('is only reported with drift: report, once, and left alone with drift: off', async () => {
    await running('reported', { 'a.yaml': configMapYaml('reported') }, { drift: 'report' });
    await running('ignored', { 'a.yaml': configMapYaml('ignored') }, { drift: 'off' });
    for (const name of ['reported', 'ignored']) {
      await inNamespace('patch', 'configmap', name, '--type=merge', '-p', '{"data":{"key":"two"}}');
    }
    await tenant.eventually('told', async () => (await drift('reported'))[0]);
    await sleep(2_500);
    for (const name of ['reported', 'ignored']) expect((await tenant.get('ConfigMap', name))?.['data']).toEqual({ key: 'two' });
    expect(await drift('reported')).toEqual([
      'Warning DriftDetected component a: kubectl-patch has changed data.key of ConfigMap/reported',
    ]);
    expect(await drift('ignored')).toEqual([]);
    expect(tenant.service('reported', 'a')?.details?.['drift']).toBe('ConfigMap/reported');
  });

  it('that comes back five times stops with DriftFight, which names field and manager', async () => {
    await running('fought', { 'a.yaml': configMapYaml('fought'), 'b.yaml': configMapYaml('calm') });
    const fight = async (): Promise<void> => {
      const object = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'fought', namespace: tenant.namespace },
        data: { key: 'mine' },
      };
      await tenant.client.apply(object, { fieldManager: 'stubborn' });
    };
    for (let round = 0; round < 5; round++) {
      await fight();
      await within2s(async () => JSON.stringify((await tenant.get('ConfigMap', 'fought'))?.['data']) === '{"key":"one"}');
    }
    await fight();
    const application = await tenant.until(
      'fought',
      'stopped',
      ({ status }) => status?.services?.[0]?.details?.['reason'] === 'DRIFT_FIGHT',
    );
    expect(application.status?.services?.[0]?.message?.replace(/\(commit \w+\)/, '(commit)')).toBe(
      'a.yaml:1: data.key of ConfigMap/fought was put back five times in ten minutes and stubborn changes it each time (commit); take data.key out of Git, or stop stubborn',
    );
    await sleep(1_500);
    expect((await tenant.get('ConfigMap', 'fought'))?.['data']).toEqual({ key: 'mine' });
  });

  it('is not what a commit drops that a person has applied as well, also with drift: report', async () => {
    const two = `${configMapYaml('both')}  other: two\n`;
    const repository = await repositories.create('both', { 'a.yaml': two });
    await tenant.apply('both', [kustomize('a', repository.url, { drift: 'report' })]);
    await tenant.untilRunning('both');
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'both', namespace: tenant.namespace } };
    await tenant.client.apply({ ...object, data: { key: 'one', other: 'two' } }, { fieldManager: 'kubectl' });
    await repository.push({ 'a.yaml': configMapYaml('both') });
    await tenant.eventually('dropped', async () => !Object.hasOwn((await tenant.get('ConfigMap', 'both'))?.['data'] as object, 'other'));
    await sleep(1_000);
    expect(await drift('both')).toEqual([]);
    expect(tenant.service('both', 'a')?.details?.['drift']).toBeUndefined();
  });
});
