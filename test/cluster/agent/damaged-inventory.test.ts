import { expect, it } from 'vitest';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

async function running(name: string): Promise<void> {
  const repository = await repositories.create(name, { 'config.yaml': configMapYaml(name) });
  await tenant.apply(name, [kustomize('a', repository.url)]);
  await tenant.untilRunning(name);
}

it('says in the status why an inventory cannot be read, deletes nothing by guess, and lets the others go on', async () => {
  await running('broken');
  await tenant.agent.kill();
  const inventory = { apiVersion: 'v1', kind: 'ConfigMap', namespace: tenant.namespace, name: 'lateen-broken' };
  await tenant.client.mergePatch(inventory, { data: { 'inventory.json': '{' } });
  await tenant.startAgent();

  await running('well');
  const { status } = await tenant.until('broken', 'refused', (application) => application.status?.status === 'rendering');

  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  expect(ready).toMatchObject({ status: 'False', reason: 'Internal' });
  expect(ready?.message).toContain('the inventory ConfigMap/lateen-broken cannot be read: ');
  expect(ready?.message).toContain('restore it, or delete it to leave its objects in the cluster unmanaged; then restart the agent');
  expect(await tenant.get('ConfigMap', 'broken')).toBeDefined();

  await tenant.delete('Application', 'broken');
  await tenant.eventually('rid of the Application', async () => (await tenant.get('Application', 'broken')) === undefined);
  await running('later');
  expect(await tenant.get('ConfigMap', 'broken')).toBeDefined();
});
