import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { applicationYaml, configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';
import { startVelaCore, type VelaCore } from '#test/support/vela-core.ts';
import { startVelaCoreWebhook } from '#test/support/vela-core-webhook.ts';

/** vela-core and its webhook are played by test/support/vela-core*.ts, by what was recorded of the real ones. */

const CLAIM = 'app.oam.dev/controller-version-require';
const ACCOUNT = 'app.oam.dev/service-account-name';
const PULLS_MS = 2_500;

let repositories: Repositories;

beforeAll(async () => {
  repositories = await startRepositories();
});

afterAll(() => repositories?.close());

async function inGitopsMode(identity: string, run: (tenant: Tenant, velaCore: VelaCore) => Promise<void>): Promise<void> {
  const tenant = await startTenant({ flags: { applications: 'gitops', 'vela-core-identity': identity } });
  const velaCore = await startVelaCore({ namespace: tenant.namespace });
  try {
    await run(tenant, velaCore);
  } finally {
    await velaCore.stop();
    await tenant.close();
  }
}

function nestedYaml(name: string, url: string): string {
  const object = {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name },
    spec: { components: [kustomize('c', url)] },
  };
  return JSON.stringify(object);
}

function withAnnotation(yaml: string, line: string): string {
  return yaml.replace('metadata:\n', `metadata:\n  annotations:\n    ${line}\n`);
}

/** What of ours stands in the metadata of an object. */
function oursOf({ metadata: { labels, annotations } }: KubeObject): string[] {
  return Object.keys({ ...labels, ...annotations }).filter((key) => key.startsWith('lateen.dev/'));
}

/** That the agent writes nothing more while it pulls again and again. */
async function expectNoWrites(tenant: Tenant, name: string): Promise<void> {
  const { resourceVersion } = tenant.application(name)!.metadata;
  await sleep(PULLS_MS);
  expect(tenant.application(name)?.metadata.resourceVersion).toBe(resourceVersion);
}

describe('nested Applications, as long as nobody has vouched for vela-core', () => {
  it('are refused where vela-core would run them, and those with a kustomize component are claimed from the start', () =>
    inGitopsMode('', async (tenant, velaCore) => {
      const inner = await repositories.create('inner', { 'cm.yaml': configMapYaml('inner') });
      const outer = await repositories.create('outer', {
        'server.yaml': applicationYaml('server'),
        'nested.yaml': nestedYaml('nested', inner.url),
        'cm.yaml': configMapYaml('beside-it'),
      });
      await tenant.apply('outer', [kustomize('a', outer.url)]);
      await tenant.untilRunning('nested');
      const refused = await tenant.until('outer', 'refused', ({ status }) => /vouched/.test(status?.services?.[0]?.message ?? ''));
      const service = refused.status?.services?.[0];
      expect(service?.message).toMatch(
        /^server\.yaml:1: Application\/server would be run by vela-core, .* and nobody has vouched for them .*; whoever runs the cluster sets velaCore\.identity/,
      );
      expect(service).toMatchObject({ healthy: false, details: { reason: 'VELA_CORE_IDENTITY' } });
      expect(tenant.application('server')).toBeUndefined();
      expect(await tenant.get('ConfigMap', 'beside-it')).toBeDefined();
      // Never seen by vela-core, though no webhook claims here.
      expect(tenant.application('nested')?.metadata.finalizers).toBeUndefined();
      expect(tenant.application('nested')?.metadata.annotations).toEqual({ [CLAIM]: 'lateen' });
      expect(velaCore.workflows.size).toBe(0);
    }));
});

describe('nested Applications, where vela-core is trusted', () => {
  it('are run by vela-core, without a claim, and nothing of ours is on what it makes', () =>
    inGitopsMode('trusted', async (tenant, velaCore) => {
      const filter = withAnnotation(applicationYaml('server'), 'filter.oam.dev/annotation-keys: mine');
      const { url, push } = await repositories.create('trusted', { 'server.yaml': filter });
      await tenant.apply('outer', [kustomize('a', url)]);
      await tenant.untilRunning('server');
      await tenant.untilRunning('outer');
      const server = tenant.application('server')!;
      expect(server.metadata.annotations).not.toHaveProperty([CLAIM]);
      expect(server.metadata.annotations).not.toHaveProperty([ACCOUNT]);
      expect(server.metadata.labels).toEqual({ 'lateen.dev/application': 'outer', 'lateen.dev/component': 'a' });
      expect(server.metadata.annotations?.['filter.oam.dev/annotation-keys']).toMatch(/^mine,lateen\.dev\//);
      const deployment = (await tenant.get('Deployment', 'server'))!;
      expect(deployment.metadata.labels).toMatchObject({ 'app.oam.dev/name': 'server' });
      expect(oursOf(deployment)).toEqual([]);
      await expectNoWrites(tenant, 'server');
      await push({ 'server.yaml': applicationYaml('server', 'nginx:2') });
      await tenant.until('server', 'changed', ({ spec }) => spec.components[0]?.properties?.['image'] === 'nginx:2');
      await tenant.untilRunning('server');
      expect(tenant.application('server')?.metadata.annotations?.['filter.oam.dev/annotation-keys']).toMatch(/^lateen\.dev\//);
      expect([...velaCore.workflows]).toEqual([['server', 2]]);
      expect(velaCore.errors).toEqual([]);
      await push({ 'server.yaml': null, 'cm.yaml': configMapYaml('rest') });
      await tenant.eventually('gone', async () => !(await tenant.get('Application', 'server')));
      expect(await tenant.get('Deployment', 'server')).toBeUndefined();
    }));
});

describe('nested Applications, where vela-core impersonates', () => {
  it('are given the ServiceAccount of the agent, and may not choose another identity', () =>
    inGitopsMode('impersonated', async (tenant) => {
      const files = {
        'server.yaml': applicationYaml('server'),
        'own.yaml': withAnnotation(applicationYaml('own'), `${ACCOUNT}: lateen-agent`),
      };
      const { url, push } = await repositories.create('impersonated', files);
      await tenant.apply('outer', [kustomize('a', url)]);
      await Promise.all(['server', 'own', 'outer'].map((name) => tenant.untilRunning(name)));
      for (const name of ['server', 'own']) expect(tenant.application(name)?.metadata.annotations?.[ACCOUNT]).toBe('lateen-agent');
      await expectNoWrites(tenant, 'server');
      // Taken away by somebody, it comes back.
      const { apiVersion, kind, metadata } = tenant.application('server')!;
      const reference = { apiVersion, kind, namespace: metadata.namespace, name: 'server' };
      await tenant.client.mergePatch(reference, { metadata: { annotations: { [ACCOUNT]: 'builder' } } });
      await tenant.until('server', 'put back', (one) => one.metadata.annotations?.[ACCOUNT] === 'lateen-agent');
      await push({ 'evil.yaml': withAnnotation(applicationYaml('evil'), 'app.oam.dev/group: "system:masters"') });
      await tenant.until('outer', 'refused', ({ status }) => /app\.oam\.dev\/group/.test(status?.services?.[0]?.message ?? ''));
      expect(tenant.application('evil')).toBeUndefined();
    }));

  it('keep the identity that the webhook of vela-core stamps, which refuses any other', () =>
    inGitopsMode('impersonated', async (tenant) => {
      const webhook = await startVelaCoreWebhook(tenant.client, tenant.namespace);
      try {
        const { url, push } = await repositories.create('stamped', { 'server.yaml': applicationYaml('server') });
        await tenant.apply('outer', [kustomize('a', url)]);
        await Promise.all([tenant.untilRunning('server'), tenant.untilRunning('outer')]);
        const user = `system:serviceaccount:${tenant.namespace}:lateen-agent`;
        const annotations = tenant.application('server')?.metadata.annotations;
        expect(annotations?.['app.oam.dev/username']).toBe(user);
        expect(annotations).not.toHaveProperty([ACCOUNT]);
        await expectNoWrites(tenant, 'server');
        await push({ 'server.yaml': applicationYaml('server', 'nginx:2') });
        await tenant.until('server', 'changed', ({ spec }) => spec.components[0]?.properties?.['image'] === 'nginx:2');
        expect(webhook.stamped).toContain(user);
      } finally {
        await webhook.stop();
      }
    }));
});
