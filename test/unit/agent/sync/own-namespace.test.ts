import { beforeEach, expect, it } from 'vitest';
import { OwnNamespace } from '#agent/sync/own-namespace.ts';
import type { Clock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

const LIST = 'lateen.dev/allowed-repositories';

let nowMs: number;
let sleeping: { untilMs: number; wake: () => void }[];
let annotations: Record<string, string>;
let reads: number;
let fails: Error | undefined;
let own: OwnNamespace;

const clock: Clock = {
  now: () => nowMs,
  sleep: (ms) => new Promise((wake) => sleeping.push({ untilMs: nowMs + ms, wake })),
};

const client = {
  get: async () => {
    reads += 1;
    if (fails) throw fails;
    return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a', annotations: { ...annotations } } };
  },
};

beforeEach(() => {
  nowMs = 1_000_000;
  sleeping = [];
  annotations = { [LIST]: 'one', other: 'x' };
  reads = 0;
  fails = undefined;
  own = new OwnNamespace({ client, namespace: 'team-a', clock, random: () => 0.5, log: silentLog });
});

/** Time goes on, and whoever slept until then wakes. */
async function pass(ms: number): Promise<void> {
  nowMs += ms;
  const due = sleeping.filter(({ untilMs }) => untilMs <= nowMs);
  sleeping = sleeping.filter(({ untilMs }) => untilMs > nowMs);
  for (const { wake } of due) wake();
  await new Promise((resolve) => setImmediate(resolve));
}

it('reads once for a crowd, and gives the same object while nothing changes', async () => {
  const crowd = await Promise.all(Array.from({ length: 1_000 }, () => own.facts()));
  expect(reads).toBe(1);
  expect(crowd[0]).toEqual({ labels: {}, annotations: { [LIST]: 'one' } });
  expect(new Set(crowd).size).toBe(1);
  await pass(1_500);
  expect(await own.facts()).toBe(crowd[0]);
});

it('tells of a change that no pass looked for within a second of a shared answer, else within a minute', async () => {
  let changes = 0;
  own.listen(() => changes++);
  await own.facts();
  annotations = { [LIST]: 'two' };
  await own.facts();
  await pass(1_000);
  expect(changes).toBe(1);
  annotations = { [LIST]: 'three' };
  await pass(30_000);
  expect(changes).toBe(1);
  await pass(35_000);
  expect(changes).toBe(2);
  // Once a minute, and nobody else asked.
  const before = reads;
  for (let minute = 0; minute < 10; minute++) await pass(60_000);
  expect(reads - before).toBe(10);
});

it('looks again for each reading that somebody shared, also where a look for an older one is still to come', async () => {
  let changes = 0;
  own.listen(() => changes++);
  await own.facts();
  await pass(900);
  await own.facts();
  await pass(200);
  await own.facts();
  await pass(100);
  annotations = { [LIST]: 'two' };
  expect((await own.facts()).annotations).toEqual({ [LIST]: 'one' });
  for (let tenth = 0; tenth < 10; tenth++) await pass(100);
  expect(changes).toBe(1);
  expect(reads).toBe(3);
});

it('looks again until it can be read after somebody shared a reading', async () => {
  let changes = 0;
  own.listen(() => changes++);
  await own.facts();
  await own.facts();
  annotations = { [LIST]: 'two' };
  fails = new Error('no answer');
  await pass(1_000);
  await pass(5_000);
  fails = undefined;
  expect([reads, changes]).toEqual([3, 0]);
  await pass(5_000);
  expect([reads, changes]).toEqual([4, 1]);
  await pass(20_000);
  expect(reads).toBe(4);
});

it('asks no more often where it cannot be read for long, however many share each failure', async () => {
  fails = new Error('no answer');
  for (let minute = 0; minute < 10; minute++) {
    for (let fifth = 0; fifth < 12; fifth++) {
      await Promise.allSettled([own.facts(), own.facts()]);
      await pass(5_000);
    }
  }
  // Each pass that tries again, and the look once a minute.
  expect(reads).toBeLessThanOrEqual(130);
});

it('knows nothing where it cannot be read, and asks again', async () => {
  fails = new Error('no');
  await expect(own.facts()).rejects.toThrow('read the Namespace team-a: no');
  fails = undefined;
  expect((await own.facts()).annotations).toEqual({ [LIST]: 'one' });
});
