import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startAudit } from '#test/support/audit.ts';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

it('what another component is to take over is waited for without a request, and handed over in the end', async () => {
  const repository = await repositories.create('both', { 'a.yaml': configMapYaml('both') });
  await tenant.apply('leaves', [kustomize('a', repository.url)]);
  await tenant.untilRunning('leaves');
  await tenant.apply('stays', [kustomize('a', repository.url)]);
  await tenant.until('stays', 'refused', () => tenant.service('stays', 'a')?.details?.['reason'] === 'OWNERSHIP_CONFLICT');
  await tenant.apply('stays', [kustomize('a', repository.url, { suspend: true })]);
  await tenant.until('stays', 'suspended', () => tenant.service('stays', 'a')?.message?.startsWith('suspended') === true);
  const uid = (await tenant.get('ConfigMap', 'both'))?.metadata.uid;
  await tenant.delete('Application', 'leaves');
  const line = /a deleted Application keeps its objects for now.*"leaves".*components that have its objects/;
  await tenant.eventually('said', async () => line.test(await tenant.agent.log()));
  const audit = await startAudit(tenant.namespace);
  await sleep(4_000);
  expect([await audit.reads('applications'), await audit.writes()]).toEqual([0, []]);
  await tenant.apply('stays', [kustomize('a', repository.url, { suspend: false })]);
  await tenant.untilRunning('stays');
  await tenant.eventually('the inventory gone', async () => (await tenant.get('ConfigMap', 'lateen-leaves')) === undefined);
  expect((await tenant.get('ConfigMap', 'both'))?.metadata).toMatchObject({ uid, labels: { 'lateen.dev/application': 'stays' } });
});

it('objects of a component outlive it where prune: false came later than they', async () => {
  const repository = await repositories.create('kept', { 'a.yaml': configMapYaml('kept') });
  await tenant.apply('kept', [kustomize('a', repository.url)]);
  await tenant.untilRunning('kept');
  await tenant.apply('kept', [kustomize('a', repository.url, { prune: false })]);
  const inventory = async (): Promise<string> => JSON.stringify((await tenant.get('ConfigMap', 'lateen-kept'))?.['data'] ?? '');
  await tenant.eventually('recorded', async () => (await inventory()).includes('keep\\":[\\"a'));
  await tenant.delete('Application', 'kept');
  await tenant.eventually('the inventory gone', async () => (await tenant.get('ConfigMap', 'lateen-kept')) === undefined);
  expect(await tenant.get('ConfigMap', 'kept')).toBeDefined();
});

it('an Application that somebody holds back from its end holds up no prune of others', async () => {
  const files = { 'a/x.yaml': configMapYaml('held-x'), 'a/y.yaml': configMapYaml('held-y'), 'b/z.yaml': configMapYaml('held-z') };
  const repository = await repositories.create('held', files);
  await tenant.apply('held-a', [kustomize('a', repository.url, { path: './a' })]);
  await tenant.apply('held-b', [kustomize('b', repository.url, { path: './b' })]);
  await tenant.untilRunning('held-a');
  await tenant.untilRunning('held-b');
  const held = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace: tenant.namespace, name: 'held-b' };
  await tenant.client.mergePatch(held, { metadata: { finalizers: ['example.com/hold'] } });
  await tenant.delete('Application', 'held-b');
  await repository.push({ 'a/y.yaml': null });
  await tenant.eventually('held-y gone', async () => (await tenant.get('ConfigMap', 'held-y')) === undefined);
  expect(await tenant.get('ConfigMap', 'held-z')).toBeDefined();
  await tenant.client.mergePatch(held, { metadata: { finalizers: [] } });
  await tenant.eventually('held-z gone', async () => (await tenant.get('ConfigMap', 'held-z')) === undefined);
});
