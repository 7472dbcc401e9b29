import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

let tenant: Tenant;

beforeAll(async () => {
  tenant = await startTenant();
});

afterAll(async () => {
  await tenant?.close();
});

it('says what has the name of a revision that is to be made', async () => {
  const metadata = { name: 'taken-v1', namespace: tenant.namespace };
  await tenant.client.create({ apiVersion: 'core.oam.dev/v1beta1', kind: 'ApplicationRevision', metadata, spec: {} });
  await tenant.apply('taken', [{ name: 'web', type: 'webservice', properties: { image: 'nginx' } }]);
  const condition = () => tenant.application('taken')?.status?.conditions?.find(({ type }) => type === 'Ready');
  await tenant.until('taken', 'told', () => condition()?.reason === 'NotAdopted');
  expect(condition()?.message).toBe(
    'ApplicationRevision/taken-v1 is there and is none of the Application taken; delete it, or set its label app.oam.dev/name to taken',
  );
});
