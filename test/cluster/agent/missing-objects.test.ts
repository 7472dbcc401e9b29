import { expect, it } from 'vitest';
import { kubectl } from '#test/support/namespace.ts';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

it('with drift: off a deleted object is named', async () => {
  const files = { 'a.yaml': configMapYaml('stays'), 'b.yaml': configMapYaml('goes') };
  const repository = await repositories.create('missing', files);
  await tenant.apply('missing', [kustomize('a', repository.url, { drift: 'off' })]);
  await tenant.untilRunning('missing');
  await kubectl('delete', 'configmap', 'goes', '-n', tenant.namespace);
  const service = await tenant.eventually('unhealthy', async () => {
    const found = tenant.service('missing', 'a');
    return found?.healthy === false && found;
  });
  expect(service.message).toBe('ConfigMap/goes was applied and is not in the cluster');
});
