import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { kubectl } from '#test/support/namespace.ts';
import { kustomize, type TestRepository } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

const deployment = (name: string, spec = '', image = 'nginx'): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  ${spec}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: web, image: ${image}}]}
`;
const REPLICAS = 'replicas: 1';

const autoscaler = (name: string, target: string): string => `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: ${name}}
spec:
  minReplicas: 1
  maxReplicas: 9
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: ${target}}
`;

async function running(name: string, files: Record<string, string>): Promise<TestRepository> {
  const repository = await repositories.create(name, files);
  await tenant.apply(name, [kustomize('a', repository.url)]);
  await tenant.eventually(`${name} is applied`, async () => tenant.service(name, 'a')?.details?.['commit']);
  return repository;
}

const inNamespace = (...args: string[]): Promise<string> => kubectl(...args, '-n', tenant.namespace);
const patch = (kind: string, name: string, body: object): Promise<string> =>
  inNamespace('patch', kind, name, '--type=merge', '-p', JSON.stringify(body));
const autoscale = (name: string): Promise<string> => inNamespace('autoscale', `deployment/${name}`, '--min=1', '--max=9');
const drift = async (name: string): Promise<string[]> => (await tenant.events(name)).filter((line) => /Drift/.test(line));
const specOf = (object: KubeObject | undefined): Record<string, unknown> => (object?.['spec'] ?? {}) as Record<string, unknown>;
const replicas = async (name: string): Promise<unknown> => specOf(await tenant.get('Deployment', name))['replicas'];
const isBack = (name: string): Promise<unknown> =>
  tenant.eventually(`${name} is back at 1`, async () => (await replicas(name)) === 1 || undefined);

describe.concurrent('spec.replicas', () => {
  it.each([
    ['not-in-git', ''],
    ['in-git', REPLICAS],
  ])('%s is left to whoever sets it while an autoscaler targets the object, and nothing else is claimed', async (name, spec) => {
    await running(name, { 'a.yaml': deployment(name, spec) });
    await autoscale(name);
    await patch('deployment', name, { spec: { replicas: 4 } });
    await sleep(2_000);
    expect(await replicas(name)).toBe(4);
    expect(await drift(name)).toEqual([]);

    await patch('deployment', name, { spec: { replicas: 5 }, metadata: { labels: { note: 'x' } } });
    await tenant.eventually('the label is taken off', async () => {
      const { labels = {} } = (await tenant.get('Deployment', name))?.metadata ?? {};
      return labels['note'] === undefined || undefined;
    });
    await sleep(1_000);
    expect(await replicas(name)).toBe(5);
    expect(await drift(name)).toEqual([
      `Normal DriftCorrected component a: Deployment/${name}: kubectl-patch had added metadata.labels.note; put back`,
    ]);
    await inNamespace('delete', 'hpa', name);
    await isBack(name);
  });

  it('is that of Git again once an autoscaler is deleted, after a push too; nobody waits for a periodic pass', async () => {
    const repository = await running('pushed', { 'a.yaml': deployment('pushed', REPLICAS) });
    await autoscale('pushed');
    await inNamespace('scale', 'deployment/pushed', '--replicas=4');
    await repository.push({ 'a.yaml': deployment('pushed', REPLICAS, 'redis') });
    await tenant.eventually('the image of Git', async () => JSON.stringify(await tenant.get('Deployment', 'pushed')).includes('redis'));
    expect(await replicas('pushed')).toBe(4);
    await sleep(1_000);
    expect(await replicas('pushed')).toBe(4);
    await inNamespace('delete', 'hpa', 'pushed');
    await isBack('pushed');
  });

  it('is that of Git again once the autoscaler targets another object', async () => {
    await running('moved', { 'a.yaml': deployment('moved', REPLICAS) });
    await autoscale('moved');
    await inNamespace('scale', 'deployment/moved', '--replicas=4');
    await sleep(1_500);
    expect(await replicas('moved')).toBe(4);
    await patch('hpa', 'moved', { spec: { scaleTargetRef: { name: 'another' } } });
    await isBack('moved');
  });

  it('is left while an autoscaler of Git is put back that somebody has deleted; without it in Git it is not', async () => {
    const repository = await running('gone', { 'a.yaml': deployment('gone', REPLICAS), 'b.yaml': autoscaler('gone', 'gone') });
    await tenant.eventually('the autoscaler', async () => inNamespace('get', 'hpa', 'gone').catch(() => undefined));
    await inNamespace('scale', 'deployment/gone', '--replicas=4');
    await sleep(1_000);
    const before = await inNamespace('get', 'hpa', 'gone', '-o', 'jsonpath={.metadata.uid}');
    await inNamespace('delete', 'hpa', 'gone');
    await tenant.eventually('put back', async () => {
      const uid = await inNamespace('get', 'hpa', 'gone', '-o', 'jsonpath={.metadata.uid}').catch(() => before);
      return uid !== before || undefined;
    });
    await sleep(1_000);
    expect(await replicas('gone')).toBe(4);
    expect(await drift('gone')).toEqual(['Normal DriftCorrected component a: HorizontalPodAutoscaler/gone had been deleted; put back']);
    await repository.push({ 'b.yaml': null });
    await isBack('gone');
  });
});

describe('an object that Git has in another version than the one that it was edited in', () => {
  it('is put back, whatever the edit was', async () => {
    const file = `apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: older}
spec:
  minReplicas: 1
  maxReplicas: 3
  targetCPUUtilizationPercentage: 50
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: nothing}
`;
    await running('older', { 'a.yaml': file });
    const spec = async (): Promise<unknown> =>
      JSON.parse(await inNamespace('get', 'hpa.v2.autoscaling', 'older', '-o', 'jsonpath={.spec}'));
    const metric = (name: string, averageUtilization: number): object => ({
      type: 'Resource',
      resource: { name, target: { type: 'Utilization', averageUtilization } },
    });
    const asInGit = {
      minReplicas: 1,
      maxReplicas: 3,
      metrics: [metric('cpu', 50)],
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'nothing' },
    };
    const back = (what: string): Promise<unknown> =>
      tenant.eventually(what, async () => {
        try {
          expect(await spec()).toEqual(asInGit);
          return true;
        } catch {
          return undefined;
        }
      });
    expect(await spec()).toEqual(asInGit);
    const edits = [
      { metrics: [metric('memory', 70)] },
      { metrics: [metric('cpu', 80), metric('memory', 70)] },
      { behavior: { scaleDown: { stabilizationWindowSeconds: 77 } } },
      { maxReplicas: 7 },
      { maxReplicas: 8, behavior: { scaleUp: { stabilizationWindowSeconds: 5 } }, metrics: [metric('memory', 70)] },
    ];
    for (const [index, edit] of edits.entries()) {
      await patch('hpa.v2.autoscaling', 'older', { spec: edit });
      await back(`edit ${index}`);
      await sleep(500);
      expect(await spec()).toEqual(asInGit);
    }
    const managers = JSON.parse(
      await inNamespace('get', 'hpa.v1.autoscaling', 'older', '--show-managed-fields', '-o', 'json'),
    ) as KubeObject;
    expect(managers.metadata.managedFields?.filter(({ manager }) => manager?.startsWith('kubectl'))).toEqual([]);
    expect(tenant.service('older', 'a')?.details?.['reason']).toBeUndefined();
  });

  it('is taken back by the next commit with drift: off, and what that commit drops goes as well', async () => {
    const file = (metadata: string, max: number): string => `apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: untended${metadata}}
spec: {maxReplicas: ${max}, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: nothing}}
`;
    const repository = await repositories.create('untended', { 'a.yaml': file(', labels: {dropped: "yes"}', 3) });
    await tenant.apply('untended', [kustomize('a', repository.url, { drift: 'off' })]);
    await tenant.eventually('it is applied', async () => tenant.service('untended', 'a')?.details?.['commit']);
    const read = async (): Promise<KubeObject> =>
      JSON.parse(await inNamespace('get', 'hpa.v2.autoscaling', 'untended', '-o', 'json')) as KubeObject;
    await patch('hpa.v2.autoscaling', 'untended', { spec: { behavior: { scaleDown: { stabilizationWindowSeconds: 77 } } } });
    await sleep(1_000);
    expect(specOf(await read())).toHaveProperty('behavior');
    await repository.push({ 'a.yaml': file('', 4) });
    await tenant.eventually('the commit', async () => {
      const { maxReplicas, behavior } = specOf(await read());
      return (maxReplicas === 4 && behavior === undefined) || undefined;
    });
    expect((await read()).metadata.labels).not.toHaveProperty('dropped');
  });
});
