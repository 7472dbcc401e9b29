import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { Leader } from '#agent/cluster/lease.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';
import { adminConnection, testClient } from '#test/support/api-client.ts';
import { createNamespace } from '#test/support/namespace.ts';

const LEASE_MS = 3_000;
/** One after the other they take several times as long as the Lease lasts, also on a machine that answers one in half a millisecond. */
const REQUESTS = 25_000;

it('is renewed though thousands of requests wait for their turn', async () => {
  const namespace = await createNamespace();
  const client = testClient(await adminConnection(), { maxInFlight: 1 });
  const leader = new Leader(client.transport, {
    namespace,
    identity: randomBytes(4).toString('hex'),
    durationMs: LEASE_MS,
    clock: systemClock,
    monotonicNow: () => performance.now(),
    log: silentLog,
    onStandby: () => undefined,
  });
  const stop = new AbortController();
  onTestFinished(() => stop.abort(new Error('the test is over')));
  const term = await leader.acquire(stop.signal);
  const { signal } = stop;
  const crowd = Array.from({ length: REQUESTS }, () => client.transport.request({ method: 'GET', path: '/version', signal }));
  const last = crowd.at(-1)!.then(
    () => 'answered',
    () => 'given up',
  );
  void Promise.allSettled(crowd);

  // Without a renewal it would be over twice by then.
  expect(await Promise.race([last, sleep(2 * LEASE_MS).then(() => 'still waiting')])).toBe('still waiting');

  expect(client.transport.queues()).toBe(true);
  expect(term.lost.aborted).toBe(false);
  expect(() => leader.assertMayWrite()).not.toThrow();
  stop.abort(new Error('enough'));
  await term.release();
});
