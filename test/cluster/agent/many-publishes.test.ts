import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

/** `make test-publishes` plays a thousand. */
const PUBLISHES = Number(process.env['LATEEN_PUBLISHES'] ?? 40);
const LIMIT = 10;
/** A heap that grows with every publish would be far over it. */
const GROWTH_MB = 25;

let tenant: Tenant;

beforeAll(async () => {
  tenant = await startTenant();
});

afterAll(() => tenant?.close());

async function residentMegabytes(): Promise<number> {
  const status = await readFile(`/proc/${tenant.agent.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

async function publish(number: number): Promise<void> {
  const version = `v${number}`;
  const components = [{ name: 'web', type: 'webservice', properties: { image: `web:${number}` } }];
  await tenant.apply('web', { components }, { annotations: { 'app.oam.dev/publishVersion': version } });
  await tenant.until('web', version, ({ status }) => status?.workflow?.appRevision === version && status.workflow.finished);
}

async function revisions(): Promise<number[]> {
  const kind = await tenant.client.kinds.find('core.oam.dev/v1beta1', 'ApplicationRevision');
  const all = await tenant.client.list(kind!, { namespace: tenant.namespace });
  return all.map(({ metadata }) => Number(metadata.name?.slice('web-v'.length))).sort((left, right) => left - right);
}

it(`keeps ${LIMIT} revisions and the one that runs over ${PUBLISHES} publishes, and its memory`, { timeout: 3_600_000 }, async () => {
  const warm = Math.min(20, Math.floor(PUBLISHES / 2));
  for (let number = 1; number <= warm; number++) await publish(number);
  const before = await residentMegabytes();
  for (let number = warm + 1; number <= PUBLISHES; number++) await publish(number);
  const last = Array.from({ length: LIMIT + 1 }, (_, index) => PUBLISHES - LIMIT + index);
  await tenant.eventually('pruned', async () => (await revisions()).length === LIMIT + 1);
  expect(await revisions()).toEqual(last);
  const after = await residentMegabytes();
  if (PUBLISHES > 40)
    console.log(`resident memory of the agent: ${before.toFixed(0)} MB after ${warm} publishes, ${after.toFixed(0)} MB after ${PUBLISHES}`);
  expect(after - before).toBeLessThan(GROWTH_MB);
});
