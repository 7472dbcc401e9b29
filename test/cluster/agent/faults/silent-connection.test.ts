import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createClient } from '#agent/cluster/client.ts';
import { silentLog } from '#core/log.ts';
import { adminConnection } from '#test/support/api-client.ts';
import { createNamespace } from '#test/support/namespace.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTcpProxy, type TcpProxy } from '#test/support/tcp-proxy.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

let repositories: Repositories;
let proxy: TcpProxy;
let tenant: Tenant;

beforeAll(async () => {
  const plane = inject('plane');
  proxy = await startTcpProxy(Number(new URL(plane.server).port));
  const client = createClient(await adminConnection(), { log: silentLog, userAgent: 'lateen-test' });
  const elsewhere = { namespace: await createNamespace(), client, plane: { ...plane, server: `https://127.0.0.1:${proxy.port}` } };
  [repositories, tenant] = await Promise.all([startRepositories(), startTenant({ elsewhere, flags: { 'lease-duration': '30s' } })]);
});

afterAll(async () => {
  await tenant?.close();
  await repositories?.close();
  await proxy?.close();
});

/** The Lease is renewed every 10 s; no answer for 5 s, no ping for 3 s, and everything begins anew over another connection. */
const NOTICED_MS = 25_000;

it('a connection that falls silent without an end costs neither the Lease nor what happened meanwhile', { timeout: 60_000 }, async () => {
  const repository = await repositories.create('silent', { 'a.yaml': configMapYaml('silent') });
  await tenant.apply('silent', [kustomize('a', repository.url)]);
  await tenant.untilRunning('silent');
  const before = proxy.accepted;
  proxy.mute();
  await tenant.delete('ConfigMap', 'silent');
  await expect.poll(() => tenant.get('ConfigMap', 'silent'), { timeout: NOTICED_MS }).toBeDefined();
  expect(proxy.accepted).toBe(before + 1);
  await tenant.untilRunning('silent');
  const log = await tenant.agent.log();
  expect(log.match(/"message":"leading"/g)).toHaveLength(1);
  expect(log).not.toContain('"message":"stopping"');
});
