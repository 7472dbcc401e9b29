import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { Leader } from '#agent/cluster/lease.ts';
import type { Transport, TransportRequest, TransportResponse } from '#agent/cluster/transport.ts';
import type { Clock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

const LEASE_MS = 30_000;
const RENEWAL_MS = LEASE_MS / 3;

let nowMs: number;
let wake: () => void;
let answer: (request: TransportRequest) => Promise<TransportResponse>;
let leader: Leader;

const clock: Clock = {
  now: () => nowMs,
  sleep: (ms) =>
    new Promise((resolve) => {
      wake = () => {
        nowMs += ms;
        resolve();
      };
    }),
};
const absent = { status: 404, headers: {}, body: {} };
const written = ({ body }: TransportRequest): Promise<TransportResponse> => Promise.resolve({ status: 200, headers: {}, body });
const never = (): Promise<never> => new Promise(() => undefined);

beforeEach(() => {
  nowMs = 1_000_000;
  answer = (request) => (request.method === 'GET' ? Promise.resolve(absent) : written(request));
  const transport = { request: (request: TransportRequest) => answer(request), serverNow: () => nowMs } as Transport;
  const options = { namespace: 'a', identity: 'me', durationMs: LEASE_MS, clock, log: silentLog, onStandby: () => undefined };
  leader = new Leader(transport, { ...options, monotonicNow: () => nowMs });
});

const { signal } = new AbortController();

it('is well while it renews the Lease, however long', async () => {
  await leader.acquire(signal);
  for (let i = 0; i < 20; i++) {
    wake();
    await turn();
    expect(leader.stuck()).toBeUndefined();
  }
});

it('is stuck where a renewal does not end, and the Lease is not lost', async () => {
  await leader.acquire(signal);
  answer = never;
  wake();
  await turn();
  expect(leader.stuck()).toBeUndefined();
  nowMs += 2 * LEASE_MS - RENEWAL_MS;
  expect(leader.stuck()).toBeUndefined();
  nowMs += 1_000;
  expect(leader.stuck()).toBe('the Lease was neither renewed nor given up for 61 s');
});

it('is stuck where a term that was lost does not end, and well when it has ended', async () => {
  const term = await leader.acquire(signal);
  const other = {
    metadata: {},
    spec: { holderIdentity: 'other', renewTime: new Date(nowMs + LEASE_MS).toISOString(), leaseDurationSeconds: 30 },
  };
  answer = ({ method }) =>
    Promise.resolve(method === 'GET' ? { status: 200, headers: {}, body: other } : { status: 409, headers: {}, body: {} });
  wake();
  await turn();
  expect(term.lost.aborted).toBe(true);
  nowMs += 2 * LEASE_MS;
  expect(leader.stuck()).toBeUndefined();
  nowMs += 1_000;
  expect(leader.stuck()).toContain('for 61 s');
  await term.release();
  expect(leader.stuck()).toBeUndefined();
});

it('is stuck where it waits for an answer for ever before it leads', async () => {
  answer = never;
  void leader.acquire(signal);
  nowMs += 2 * LEASE_MS + 1_000;
  expect(leader.stuck()).toContain('for 61 s');
});
