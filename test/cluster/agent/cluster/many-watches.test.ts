import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { Leader } from '#agent/cluster/lease.ts';
import { Secrets } from '#agent/sync/secrets.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';
import { adminConnection, testClient } from '#test/support/api-client.ts';
import { createNamespace } from '#test/support/namespace.ts';

const LEASE_MS = 3_000;
/** More than a kube-apiserver allows over one connection with any of its defaults. */
const SECRETS = 300;

it('the Lease is renewed, and requests are answered, beside more watches than one connection may carry', { timeout: 90_000 }, async () => {
  const namespace = await createNamespace();
  const client = testClient(await adminConnection());
  const around = { namespace, clock: systemClock, random: Math.random, log: silentLog };
  const changed: string[] = [];
  const secrets = new Secrets(client, around);
  secrets.users.push({ secretChanged: (name) => changed.push(name), usesSecret: () => true });
  onTestFinished(() => secrets.stop());
  const leader = new Leader(client.transport, {
    ...around,
    identity: randomBytes(4).toString('hex'),
    durationMs: LEASE_MS,
    monotonicNow: () => performance.now(),
    onStandby: () => undefined,
  });
  const term = await leader.acquire(new AbortController().signal);
  const names = Array.from({ length: SECRETS }, (_, index) => `secret-${index}`);

  await Promise.all(names.map((name) => secrets.read(name)));
  await sleep(2 * LEASE_MS);

  expect(term.lost.aborted).toBe(false);
  expect(() => leader.assertMayWrite()).not.toThrow();
  for (const name of names) await client.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } });
  // Each watch is alive, the last of them too.
  await expect.poll(() => new Set(changed).size, { timeout: 20_000 }).toBe(SECRETS);
  await term.release();
});
