import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

const PASSWORD = 'a-reader-has-this';

let repositories: Repositories;
let tenant: Tenant;

beforeAll(async () => {
  const users = [{ name: 'reader', password: PASSWORD, write: false }];
  [repositories, tenant] = await Promise.all([startRepositories({ users }), startTenant()]);
  for (const name of ['git-steady', 'git-changing']) await setSecret(name, PASSWORD);
});

afterAll(async () => {
  await tenant?.close();
  await repositories?.close();
});

async function setSecret(name: string, password: string): Promise<void> {
  const metadata = { name, namespace: tenant.namespace };
  await tenant.client.apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { username: 'reader', password } });
}

it('what moves to a component that cannot be pulled since the start of the agent stays until it can', { timeout: 90_000 }, async () => {
  const repository = await repositories.create('moved', { 'one/x.yaml': configMapYaml('moved'), 'one/a.yaml': configMapYaml('leaving') });
  await repository.push({ 'two/b.yaml': configMapYaml('b') });
  await tenant.apply('from', [kustomize('a', repository.url, { path: './one', secretRef: 'git-steady' })]);
  await tenant.apply('to', [kustomize('a', repository.url, { path: './two', secretRef: 'git-changing' })]);
  await tenant.untilRunning('from');
  await tenant.untilRunning('to');
  const uid = (await tenant.get('ConfigMap', 'moved'))?.metadata.uid;
  await setSecret('git-changing', 'no-longer-right');
  await tenant.until('to', 'refused', () => tenant.service('to', 'a')?.details?.['reason'] === 'AUTH_FAILED');
  await tenant.agent.kill();
  await repository.push({ 'one/x.yaml': null, 'one/a.yaml': null, 'one/c.yaml': configMapYaml('c'), 'two/x.yaml': configMapYaml('moved') });
  await tenant.startAgent();
  // What nobody has any longer goes.
  await tenant.eventually('pruned', async () => (await tenant.get('ConfigMap', 'leaving')) === undefined);
  await sleep(3_000);
  expect((await tenant.get('ConfigMap', 'moved'))?.metadata.uid).toBe(uid);
  await setSecret('git-changing', PASSWORD);
  await tenant.untilRunning('to');
  await tenant.eventually(
    'taken over',
    async () => (await tenant.get('ConfigMap', 'moved'))?.metadata.labels?.['lateen.dev/application'] === 'to',
  );
  expect((await tenant.get('ConfigMap', 'moved'))?.metadata.uid).toBe(uid);
});
