import { expect, it } from 'vitest';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

const NAMES = Array.from({ length: 11 }, (_, at) => `never-${at}`);
/** As no API server takes it. */
const service = (name: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  type: Foo\n  ports:\n    - port: 80\n`;

it('a commit whose objects were all refused is taken back without the word of a person: there is nothing to remove', async () => {
  const repository = await repositories.create('never', { 'a.yaml': configMapYaml('never') });
  await tenant.apply('never', [kustomize('a', repository.url)]);
  await tenant.untilRunning('never');
  await repository.push(Object.fromEntries(NAMES.map((name) => [`${name}.yaml`, service(name)])));
  await tenant.until('never', 'refused', () => tenant.service('never', 'a')?.details?.['reason'] === 'APPLY_FAILED');
  const back = await repository.push(Object.fromEntries(NAMES.map((name) => [`${name}.yaml`, null])));
  await tenant.until('never', 'applied', () => tenant.service('never', 'a')?.details?.['commit'] === back);
  const inventory = async (): Promise<string> => JSON.stringify((await tenant.get('ConfigMap', 'lateen-never'))?.['data']);
  await tenant.eventually('forgotten', async () => !(await inventory()).includes('never-'));
  await tenant.untilRunning('never');
  expect(tenant.service('never', 'a')?.details).not.toHaveProperty('heldPrune');
  expect((await tenant.events('never')).join()).not.toMatch(/PruneHeld|Pruned/);
});
