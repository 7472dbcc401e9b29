import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type Lease, Leader } from '#agent/cluster/lease.ts';
import type { Transport, TransportRequest, TransportResponse } from '#agent/cluster/transport.ts';
import type { Clock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

let wake: () => void;
const clock: Clock = {
  now: () => 0,
  sleep: (_, signal) =>
    new Promise((resolve, reject) => {
      wake = resolve;
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
    }),
};

/** An API server with one Lease. It carries out what it gets, also where nobody waits for the answer. */
function server(): { transport: Transport; holder: () => string | undefined; keepAnswers: (kept: boolean) => void } {
  let lease: Lease | undefined;
  let version = 0;
  let keeps = false;
  const carryOut = ({ method, body }: TransportRequest): TransportResponse => {
    if (method === 'GET') return { status: lease ? 200 : 404, headers: {}, body: lease };
    const sent = body as Lease;
    if (sent.metadata.resourceVersion !== lease?.metadata.resourceVersion) return { status: 409, headers: {}, body: {} };
    lease = { ...sent, metadata: { ...sent.metadata, resourceVersion: String(++version) } };
    return { status: 200, headers: {}, body: lease };
  };
  const request = async (sent: TransportRequest): Promise<TransportResponse> => {
    const answer = carryOut(sent);
    if (keeps) await once(sent.signal!, 'abort').then(() => Promise.reject(sent.signal!.reason as Error));
    return answer;
  };
  const transport = { request, serverNow: () => 0 } as unknown as Transport;
  return { transport, holder: () => lease?.spec?.holderIdentity, keepAnswers: (kept) => (keeps = kept) };
}

it('gives the Lease back also where a renewal is under way', async () => {
  const { transport, holder, keepAnswers } = server();
  const options = { namespace: 'a', identity: 'me', durationMs: 30_000, clock, log: silentLog, onStandby: () => undefined };
  const leader = new Leader(transport, { ...options, monotonicNow: () => 0 });
  const term = await leader.acquire(new AbortController().signal);
  keepAnswers(true);
  wake();
  await turn();
  const released = term.release();
  keepAnswers(false);
  await released;
  expect(holder()).toBe('');
});
