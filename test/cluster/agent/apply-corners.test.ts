import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { startAudit } from '#test/support/audit.ts';
import { kubectl, kubectlApply } from '#test/support/namespace.ts';
import { configMapYaml, kustomize, type TestRepository } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

/** What the API server sets by itself and then stands in the way of an apply, or stays after it. */
const RESOURCES = ['deployments', 'statefulsets', 'daemonsets', 'jobs', 'cronjobs', 'services', 'secrets', 'configmaps', 'pods'];
const RULES = [{ apiGroups: ['', 'apps', 'batch'], resources: RESOURCES, verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] }];
const { repositories, tenant } = tenancy({ values: { rbac: { rules: RULES } } });

const apps = (kind: string, name: string) => ({ apiVersion: 'apps/v1', kind, namespace: tenant.namespace, name });

/** A workload of one container as JSON, which is YAML; `spec` and `pod` add to it. */
function workload(
  kind: string,
  name: string,
  { spec = {}, pod = {}, image = 'nginx' }: { spec?: object; pod?: object; image?: string } = {},
): string {
  const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'web', image }], ...pod } };
  const named = kind === 'StatefulSet' ? { serviceName: name } : {};
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: { ...named, selector: { matchLabels: { app: name } }, template, ...spec },
  });
}

/** An Application of one component over the files, running. */
async function running(name: string, files: Record<string, string>, properties: Record<string, unknown> = {}): Promise<TestRepository> {
  const repository = await repositories.create(name, files);
  await tenant.apply(name, [kustomize('a', repository.url, properties)]);
  await tenant.untilRunning(name);
  return repository;
}

const drift = async (name: string): Promise<string[]> => (await tenant.events(name)).filter((line) => /Drift/.test(line));

async function specOf<Spec>(reference: ReturnType<typeof apps>): Promise<Spec | undefined> {
  return (await tenant.client.get(reference))?.['spec'] as Spec | undefined;
}

describe.concurrent('a way of rolling out that the defaults of the API server forbid', () => {
  it.each([
    ['Deployment', 'strategy', 'Recreate', false],
    ['StatefulSet', 'updateStrategy', 'OnDelete', true],
  ])('of a %s comes with the rest of the commit, and goes again', async (kind, field, type, atomic) => {
    const name = `${field.toLowerCase()}-${type.toLowerCase()}`;
    const reference = apps(kind, name);
    const strategy = async () => (await specOf<Record<string, object>>(reference))?.[field];
    const repository = await running(name, { 'a.yaml': workload(kind, name) }, { atomic });
    const before = await strategy();
    expect(before).toMatchObject({ type: 'RollingUpdate', rollingUpdate: expect.anything() });

    await repository.push({ 'a.yaml': workload(kind, name, { spec: { [field]: { type } }, image: 'redis' }) });
    await tenant.eventually('set', async () => JSON.stringify(await strategy()) === JSON.stringify({ type }));
    const changed = await tenant.client.get(reference);
    // One change: the new template was never there with the old strategy.
    expect(changed?.metadata.generation).toBe(2);
    expect(JSON.stringify(changed?.['spec'])).toContain('redis');

    await repository.push({ 'a.yaml': workload(kind, name, { image: 'redis' }) });
    await tenant.eventually('as before', async () => JSON.stringify(await strategy()) === JSON.stringify(before));
    await tenant.untilRunning(name);
    expect(await drift(name)).toEqual([]);
  });

  const rolling = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 3 } };
  const byHelm = async (name: string): Promise<KubeObject> => {
    const { namespace, ...kind } = apps('Deployment', name);
    return tenant.client.apply(
      { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name, namespace }, spec: { strategy: rolling } },
      { fieldManager: 'helm' },
    );
  };
  const recreate = (name: string): string =>
    workload('Deployment', name, { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } });

  it('is put back, whoever has changed it', async () => {
    await running('fought', { 'a.yaml': recreate('fought') });
    await byHelm('fought');
    await tenant.eventually('told', async () => (await drift('fought'))[0]);
    expect(await drift('fought')).toEqual([
      'Normal DriftCorrected component a: Deployment/fought: helm had changed spec.strategy.type; put back',
    ]);
    expect(await specOf(apps('Deployment', 'fought'))).toMatchObject({ strategy: { type: 'Recreate' } });
  });

  it('is reported with drift: report', async () => {
    await running('reported', { 'a.yaml': recreate('reported') }, { drift: 'report' });
    await byHelm('reported');
    await tenant.eventually('told', async () => (await drift('reported'))[0]);
    expect(await drift('reported')).toEqual([
      'Warning DriftDetected component a: helm has changed spec.strategy.type of Deployment/reported',
    ]);
  });

  it('comes over what a person has made, once that is adopted', async () => {
    await kubectlApply([{ ...JSON.parse(workload('Deployment', 'adopted', { spec: { strategy: rolling } })) }], '-n', tenant.namespace);
    await running('adopted', { 'a.yaml': recreate('adopted') }, { adopt: true });
    expect((await specOf<{ strategy: object }>(apps('Deployment', 'adopted')))?.strategy).toEqual({ type: 'Recreate' });
  });
});

describe.concurrent('a ServiceAccount that leaves Git', () => {
  const cronJob = (name: string, pod: object): string => {
    const containers = [{ name: 'web', image: 'nginx' }];
    const jobTemplate = { spec: { template: { spec: { containers, restartPolicy: 'Never', ...pod } } } };
    return JSON.stringify({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name }, spec: { schedule: '0 0 1 1 *', jobTemplate } });
  };
  const specText = async (apiVersion: string, kind: string, name: string): Promise<string> =>
    JSON.stringify((await tenant.client.get({ ...apps(kind, name), apiVersion }))?.['spec']);

  it.each([
    ['Deployment', 'apps/v1', 'serviceAccountName'],
    ['StatefulSet', 'apps/v1', 'serviceAccount'],
    ['DaemonSet', 'apps/v1', 'serviceAccountName'],
    ['CronJob', 'batch/v1', 'serviceAccountName'],
  ])('leaves the pods of a %s', async (kind, apiVersion, field) => {
    const name = `account-${kind.toLowerCase()}`;
    const manifest = (pod: object): string => (kind === 'CronJob' ? cronJob(name, pod) : workload(kind, name, { pod }));
    const repository = await repositories.create(name, { 'a.yaml': manifest({ [field]: 'foo' }) });
    await tenant.apply(name, [kustomize('a', repository.url)]);
    await tenant.eventually('applied', async () => (await specText(apiVersion, kind, name))?.includes('"serviceAccount":"foo"'));
    await repository.push({ 'a.yaml': manifest({}) });
    await tenant.eventually('gone', async () => !(await specText(apiVersion, kind, name)).includes('serviceAccount'));
    expect(await drift(name)).toEqual([]);
  });

  it('stays where somebody else sets it, and costs nothing more then', async () => {
    const name = 'account-shared';
    const reference = apps('Deployment', name);
    const repository = await running(name, { 'a.yaml': workload('Deployment', name, { pod: { serviceAccountName: 'default' } }) });
    await tenant.client.apply(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace: tenant.namespace },
        spec: { template: { spec: { serviceAccountName: 'default' } } },
      },
      { fieldManager: 'helm' },
    );
    const audit = await startAudit(tenant.namespace);
    await repository.push({ 'a.yaml': workload('Deployment', name, { image: 'redis' }) });
    await tenant.eventually('applied', async () => JSON.stringify(await specOf(reference)).includes('redis'));
    await tenant.untilRunning(name);
    expect(JSON.stringify(await specOf(reference))).toContain('"serviceAccountName":"default"');
    expect((await audit.writes()).filter((write) => write === `patch deployments ${name}`)).toHaveLength(1);
  });
});

describe.concurrent('an object whose managedFields were wiped', () => {
  const inNamespace = (...args: string[]): Promise<string> => kubectl(...args, '-n', tenant.namespace);
  const wiped = async (kind: string, name: string): Promise<void> => {
    const patch = '[{"op":"replace","path":"/metadata/managedFields","value":[{}]}]';
    await inNamespace('patch', kind, name, '--type=json', '-p', patch);
  };
  const live = async (apiVersion: string, kind: string, name: string) => tenant.client.get({ ...apps(kind, name), apiVersion });
  const managersOf = (object: KubeObject | undefined): unknown[] =>
    (object?.metadata.managedFields ?? []).filter(({ subresource }) => !subresource).map(({ manager }) => manager);
  /** Ours alone, and that is how it stays. */
  const settled = async (apiVersion: string, kind: string, name: string): Promise<KubeObject | undefined> => {
    const isOurs = async () => JSON.stringify(managersOf(await live(apiVersion, kind, name))) === '["lateen"]';
    await tenant.eventually('ours', isOurs);
    await sleep(2_000);
    expect(await isOurs()).toBe(true);
    return live(apiVersion, kind, name);
  };

  it('loses what a person has added, and nothing else', async () => {
    const name = 'wiped';
    const repository = await running(name, { 'a.yaml': workload('Deployment', name), 'b.yaml': configMapYaml(name) }, { drift: 'off' });
    const before = await tenant.get('Deployment', name);
    await inNamespace('set', 'env', `deployment/${name}`, 'EXTRA=1');
    await inNamespace('label', 'deployment', name, 'extra=1');
    await inNamespace('annotate', 'deployment', name, 'extra=1');
    await inNamespace('patch', 'configmap', name, '--type=merge', '-p', '{"data":{"extra":"1"}}');
    await wiped('deployment', name);
    await wiped('configmap', name);
    await tenant.apply(name, [kustomize('a', repository.url)]);

    const deployment = await settled('apps/v1', 'Deployment', name);
    const revision = 'deployment.kubernetes.io/revision';
    expect(deployment?.metadata.annotations).toEqual({ [revision]: expect.any(String) });
    expect(deployment?.metadata.labels).toEqual(before?.metadata.labels);
    expect(deployment?.['spec']).toEqual(before?.['spec']);
    // Variable and annotation came, and went together.
    expect(deployment?.metadata.generation).toBe(4);
    expect((await settled('v1', 'ConfigMap', name))?.['data']).toEqual({ key: 'one' });
    const told = (await drift(name)).join('\n');
    expect(told).toContain('ConfigMap/wiped: before-first-apply had added data.extra; put back');
    expect(told).not.toMatch(/progressDeadline|imagePullPolicy|revision/);
    await tenant.untilRunning(name);
  });

  it('keeps what the API server and its controllers have set', async () => {
    const name = 'filled';
    const pod = { containers: [{ name: 'web', image: 'nginx' }] };
    const manifests = {
      job: { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template: { spec: { ...pod, restartPolicy: 'Never' } } } },
      pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: pod },
      service: { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { type: 'NodePort', ports: [{ port: 80 }] } },
      secret: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, annotations: { 'kubernetes.io/service-account.name': 'default' } },
        type: 'kubernetes.io/service-account-token',
      },
    };
    const objects = Object.values(manifests);
    const files = objects.map((object) => [`${object.kind}.yaml`, JSON.stringify(object)]);
    const repository = await repositories.create(name, Object.fromEntries(files));
    await tenant.apply(name, [kustomize('a', repository.url)]);
    const token = async () => (await live('v1', 'Secret', name))?.['data'];
    await tenant.eventually(
      'filled',
      async () => (await token()) && JSON.stringify((await live('v1', 'Pod', name)) ?? '').includes('nodeName'),
    );
    await tenant.untilRunning(name);
    const before = await Promise.all(objects.map(({ apiVersion, kind }) => live(apiVersion, kind, name)));
    for (const { kind } of objects) await wiped(kind, name);
    for (const [index, { apiVersion, kind }] of objects.entries()) {
      const after = await settled(apiVersion, kind, name);
      for (const field of ['spec', 'data']) expect(after?.[field]).toEqual(before[index]?.[field]);
      expect(after?.metadata.labels).toEqual(before[index]?.metadata.labels);
      expect(after?.metadata.annotations).toEqual(before[index]?.metadata.annotations);
    }
    expect((await drift(name)).join('\n')).not.toContain('added');
    // What Git drops afterwards goes.
    const ports = [{ port: 81 }];
    await repository.push({ 'Service.yaml': JSON.stringify({ ...manifests.service, spec: { type: 'NodePort', ports } }) });
    await tenant.eventually('dropped', async () => {
      const spec = (await live('v1', 'Service', name))?.['spec'] as { ports: { port: number }[] };
      return spec.ports.length === 1 && spec.ports[0]?.port === 81;
    });
    await tenant.untilRunning(name);
  });

  it('and was there before, is adopted', async () => {
    const name = 'inherited';
    await kubectlApply(
      [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { key: 'two', extra: '1' } }],
      '-n',
      tenant.namespace,
    );
    await wiped('configmap', name);
    await running(name, { 'a.yaml': configMapYaml(name) }, { adopt: true });
    expect((await settled('v1', 'ConfigMap', name))?.['data']).toEqual({ key: 'one' });
    expect(await drift(name)).toEqual([]);
  });
});
