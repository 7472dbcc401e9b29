import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAudit } from '#test/support/audit.ts';
import { kubectl, kubectlApply } from '#test/support/namespace.ts';
import { kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

/** Workloads that come no further: why their pods do not start. An image that ends in xxx is in no registry (dev/kwok-stages.yaml). */

let repositories: Repositories;
/** With the Role of the chart. */
let tenant: Tenant;
/** Pods may come from Git there; it may do nothing else with workloads. */
let podTenant: Tenant;
/** May not list pods. */
let blind: Tenant;

const VERBS = ['get', 'list', 'watch', 'create', 'patch', 'delete'];
const rules = (group: string, resource: string): object => ({
  'rbac.rules': [{ apiGroups: [group], resources: [resource], verbs: VERBS }],
});

beforeAll(async () => {
  [repositories, tenant, podTenant, blind] = await Promise.all([
    startRepositories(),
    startTenant(),
    startTenant({ values: { ...rules('', 'pods') } }),
    startTenant({ values: { ...rules('apps', 'deployments') } }),
  ]);
});

afterAll(async () => {
  await Promise.all([tenant?.close(), podTenant?.close(), blind?.close()]);
  await repositories?.close();
});

/** As long as a workload may take before anybody asks about its pods, less what the waiting for it takes. */
const GRACE_MS = 13_000;
const TEST_MS = 180_000;

function workload(kind: string, name: string, image: string, more: Record<string, unknown> = {}): string {
  const job = kind === 'Job';
  const spec = {
    ...(job ? {} : { selector: { matchLabels: { app: name }, matchExpressions: [{ key: 'app', operator: 'Exists' }] } }),
    ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
    ...more,
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image }], ...(job ? { restartPolicy: 'Never' } : {}) },
    },
  };
  return JSON.stringify({ apiVersion: job ? 'batch/v1' : 'apps/v1', kind, metadata: { name }, spec });
}

async function applied(where: Tenant, name: string, files: Record<string, string>): Promise<void> {
  const repository = await repositories.create(name, files);
  await where.apply(name, [kustomize('a', repository.url)]);
  await where.until(name, 'applied', () => where.service(name, 'a')?.details?.['commit'] !== undefined);
}

const messageOf = (where: Tenant, name: string): string => where.service(name, 'a')?.message ?? '';

/** Until the component is shown as failed, with this message. */
async function troubled(where: Tenant, name: string, message: RegExp): Promise<void> {
  await sleep(GRACE_MS);
  await where.until(name, 'in trouble', () => where.service(name, 'a')?.details?.['health'] === 'Failed');
  expect(messageOf(where, name)).toMatch(message);
  expect(where.service(name, 'a')?.healthy).toBe(false);
}

async function podsOf(name: string): Promise<string[]> {
  const names = await kubectl('get', 'pods', '-n', tenant.namespace, '-l', `app=${name}`, '-o', 'name');
  return names.split('\n').filter((line) => line !== '');
}

describe.concurrent('pods that do not start', { timeout: TEST_MS }, () => {
  it.each(['Deployment', 'StatefulSet', 'ReplicaSet', 'Job'])('of a %s are quoted', async (kind) => {
    const name = `image-${kind.toLowerCase()}`;
    await applied(tenant, name, { 'a.yaml': workload(kind, name, 'web:xxx') });
    expect(tenant.service(name, 'a')?.details?.['health']).toBeUndefined();
    const quoted = `^${kind}/${name}: Pod/${name}-\\S+: container main: ImagePullBackOff: no image web:xxx$`;
    await troubled(tenant, name, new RegExp(quoted));
  });

  it('are forgotten as soon as the workload is ready', async () => {
    await applied(tenant, 'mended', { 'a.yaml': workload('Deployment', 'mended', 'web:xxx') });
    await troubled(tenant, 'mended', /ImagePullBackOff/);
    const [pod = ''] = await podsOf('mended');
    const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'True' }));
    const containerStatuses = [{ name: 'main', image: 'web:xxx', imageID: '', ready: true, restartCount: 0, state: { running: {} } }];
    const patch = JSON.stringify({ status: { phase: 'Running', conditions, containerStatuses } });
    await kubectl('patch', pod, '-n', tenant.namespace, '--subresource=status', '--type=strategic', '-p', patch);
    await tenant.untilRunning('mended');
    expect(tenant.service('mended', 'a')).toMatchObject({ healthy: true });
    expect(messageOf(tenant, 'mended')).toBe('');
  });

  it('are forgotten with a commit that mends them', async () => {
    const repository = await repositories.create('corrected', { 'a.yaml': workload('Deployment', 'corrected', 'web:xxx') });
    await tenant.apply('corrected', [kustomize('a', repository.url)]);
    await tenant.until('corrected', 'applied', () => tenant.service('corrected', 'a')?.details?.['commit'] !== undefined);
    await troubled(tenant, 'corrected', /no image web:xxx/);
    await repository.push({ 'a.yaml': workload('Deployment', 'corrected', 'web:v2') });
    await tenant.untilRunning('corrected');
    expect(messageOf(tenant, 'corrected')).toBe('');
  });

  it('since no node takes them keep a Deployment in progress, with the reason', async () => {
    const yaml = workload('Deployment', 'nodeless', 'web').replace('"containers"', '"nodeSelector":{"no-such":"node"},"containers"');
    await applied(tenant, 'nodeless', { 'a.yaml': yaml });
    await sleep(GRACE_MS);
    const quoted = /^Deployment\/nodeless: Pod\/nodeless-\S+: 0\/\d+ nodes are available/;
    await tenant.until('nodeless', 'explained', () => quoted.test(messageOf(tenant, 'nodeless')));
    expect(tenant.service('nodeless', 'a')?.details?.['health']).toBeUndefined();
  });

  it('of a webservice are told behind what KubeVela says', async () => {
    await tenant.apply('native', [{ name: 'native', type: 'webservice', properties: { image: 'web:xxx' } }]);
    await tenant.until('native', 'not ready', () => tenant.service('native', 'native')?.message === 'Ready:0/1');
    await sleep(GRACE_MS);
    const { status } = await tenant.until('native', 'in trouble', () => tenant.service('native', 'native')?.message !== 'Ready:0/1');
    expect(status?.services?.[0]?.message).toMatch(
      /^Ready:0\/1; Deployment\/native: Pod\/native-\S+: container native: ImagePullBackOff: no image web:xxx$/,
    );
  });

  it('are not asked about where they may not be listed, and seldom tried', async () => {
    const audit = await startAudit(blind.namespace);
    await applied(blind, 'blind', { 'a.yaml': workload('Deployment', 'blind', 'web:xxx') });
    await sleep(50_000);
    expect(messageOf(blind, 'blind')).toBe('Deployment/blind: 0 of 1 replicas are ready');
    expect(blind.service('blind', 'a')?.details?.['health']).toBeUndefined();
    expect(await audit.reads('pods')).toBe(1);
  });

  it('because no node takes them have failed after a while', async () => {
    const spec = { containers: [{ name: 'main', image: 'web' }], nodeSelector: { 'no-such': 'node' } };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'homeless' }, spec };
    await applied(podTenant, 'homeless', { 'a.yaml': JSON.stringify(pod) });
    await podTenant.until('homeless', 'seen', () => /^Pod\/homeless: 0\/\d+ nodes are available/.test(messageOf(podTenant, 'homeless')));
    expect(podTenant.service('homeless', 'a')?.details?.['health']).toBeUndefined();
    await troubled(podTenant, 'homeless', /^Pod\/homeless: 0\/\d+ nodes are available/);
  });

  it('that a quota refuses are told by the Deployment itself', async () => {
    const full = await startTenant();
    try {
      const quota = {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'none', namespace: full.namespace },
        spec: { hard: { pods: '0' } },
      };
      await kubectlApply([quota]);
      await full.eventually(
        'in force',
        async () => (await kubectl('get', 'quota', 'none', '-n', full.namespace, '-o', 'jsonpath={.status.hard.pods}')) === '0',
      );
      const audit = await startAudit(full.namespace);
      await applied(full, 'quota', { 'a.yaml': workload('Deployment', 'quota', 'web') });
      await troubled(full, 'quota', /^Deployment\/quota: pods "quota-\S+" is forbidden: exceeded quota: none/);
      expect(await audit.reads('deployments')).toBeLessThanOrEqual(3);
      await kubectl('delete', 'quota', 'none', '-n', full.namespace);
      await full.until('quota', 'well again', () => full.service('quota', 'a')?.healthy === true);
    } finally {
      await full.close();
    }
  });

  it('are listed seldom, and never of workloads that are well', async () => {
    const calm = await startTenant();
    try {
      const audit = await startAudit(calm.namespace);
      const files = {
        'none.yaml': workload('Deployment', 'none', 'web', { replicas: 0 }),
        'one.yaml': workload('Deployment', 'one', 'web'),
        'set.yaml': workload('StatefulSet', 'set', 'web', { replicas: 2 }),
      };
      await applied(calm, 'calm', files);
      await calm.untilRunning('calm');
      await sleep(20_000);
      expect(calm.service('calm', 'a')).toMatchObject({ healthy: true });
      expect(messageOf(calm, 'calm')).toBe('');
      expect(await audit.reads('pods')).toBe(0);
      const known = await audit.reads('deployments');
      await applied(calm, 'slow', { 'a.yaml': workload('Deployment', 'slow', 'web:xxx') });
      // After 15 s and after 30 s more.
      await sleep(55_000);
      expect(messageOf(calm, 'slow')).toMatch(/ImagePullBackOff/);
      expect(await audit.reads('pods')).toBe(2);
      // For its selector.
      expect(await audit.reads('deployments')).toBe(known + 1);
    } finally {
      await calm.close();
    }
  });
});
