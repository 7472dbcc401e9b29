import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { applicationYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

let repositories: Repositories;
let tenant: Tenant;

beforeAll(async () => {
  [repositories, tenant] = await Promise.all([
    startRepositories(),
    startTenant({ flags: { applications: 'gitops', 'vela-core-identity': 'trusted' } }),
  ]);
});

afterAll(async () => {
  await tenant?.close();
  await repositories?.close();
});

it('takes the Applications with a kustomize component, and leaves all others to vela-core', async () => {
  const { url } = await repositories.create('beside', { 'server.yaml': applicationYaml('server') });
  await tenant.apply('beside', [kustomize('a', url)]);
  await tenant.apply('theirs', [{ name: 'web', type: 'webservice', properties: { image: 'nginx' } }]);
  await tenant.until('beside', 'waiting for vela-core', () => /Application\/server/.test(tenant.service('beside', 'a')?.message ?? ''));
  await sleep(1_000);
  for (const name of ['server', 'theirs']) {
    const application = tenant.application(name);
    expect(application?.metadata.annotations ?? {}).not.toHaveProperty(['app.oam.dev/controller-version-require']);
    expect(application?.status).toBeUndefined();
    expect(await tenant.get('Deployment', name)).toBeUndefined();
  }
  expect(tenant.application('beside')?.metadata.annotations).toEqual({ 'app.oam.dev/controller-version-require': 'lateen' });
  // What vela-core would write once it runs.
  const reference = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace: tenant.namespace, name: 'server' };
  await tenant.client.mergePatch(reference, { status: { status: 'running', observedGeneration: 1 } }, { subresource: 'status' });
  await tenant.untilRunning('beside');
});
