import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startAudit } from '#test/support/audit.ts';
import { kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

/** Secrets whose values stand in Git as `stringData`, which the API server keeps as `data`. */

const { repositories, tenant } = tenancy();

const secretYaml = (name: string, values: Record<string, string>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: { a: 'b2xk', b: 'Yg==' }, stringData: values });

const data = async (name: string): Promise<unknown> => (await tenant.get('Secret', name))?.['data'];
const encoded = (text: string): string => Buffer.from(text).toString('base64');

async function running(name: string, values: Record<string, string>) {
  const repository = await repositories.create(name, { 's.yaml': secretYaml(name, values) });
  await tenant.apply(name, [kustomize('a', repository.url)]);
  await tenant.untilRunning(name);
  return repository;
}

it('a key that leaves stringData leaves the cluster, and stringData wins over data', async () => {
  const repository = await running('keys', { a: 'new', c: 'goes' });
  expect(await data('keys')).toEqual({ a: encoded('new'), b: 'Yg==', c: encoded('goes') });
  await repository.push({ 's.yaml': secretYaml('keys', { a: 'new' }) });
  await tenant.eventually('gone', async () => !Object.hasOwn((await data('keys')) as object, 'c'));
});

it('a value that another manager changes or removes is put back, by its name', async () => {
  await running('values', { password: 'right' });
  const right = { a: 'b2xk', b: 'Yg==', password: encoded('right') };
  const wrong = { data: { password: encoded('wrong') } };
  await tenant.client.apply(
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'values', namespace: tenant.namespace }, ...wrong },
    { fieldManager: 'stubborn' },
  );
  await expect.poll(() => data('values')).toEqual(right);
  await tenant.eventually('told', async () =>
    (await tenant.events('values')).includes(
      'Normal DriftCorrected component a: Secret/values: stubborn had changed data.password; put back',
    ),
  );
  const secret = { apiVersion: 'v1', kind: 'Secret', namespace: tenant.namespace, name: 'values' };
  await tenant.client.mergePatch(secret, { data: { password: null } });
  await expect.poll(() => data('values')).toEqual(right);
  await sleep(1_000);
  const audit = await startAudit(tenant.namespace);
  await sleep(2_000);
  expect(await audit.writes()).toEqual([]);
});
