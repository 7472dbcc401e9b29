import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { Clock } from '#core/clock.ts';
import { createLoop } from '#core/loop.ts';

/** A clock whose sleeps end when the test says so. */
function manualClock(): { clock: Clock; sleeps: { ms: number; end: () => void }[] } {
  const sleeps: { ms: number; end: () => void }[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleeps.push({ ms, end: resolve });
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  };
  return { clock, sleeps };
}

it('runs once for many triggers that arrive while it runs', async () => {
  const { clock } = manualClock();
  let runs = 0;
  let release: () => void = () => {};
  const loop = createLoop(
    () => {
      runs++;
      return new Promise((resolve) => {
        release = () => resolve(undefined);
      });
    },
    { clock, onError: () => undefined },
  );

  loop.trigger();
  await nextTurn();
  for (let index = 0; index < 5; index++) loop.trigger();
  expect(runs).toBe(1);
  release();
  await nextTurn();
  expect(runs).toBe(2);
  release();
  await nextTurn();
  expect(runs).toBe(2);
  await loop.stop();
});

it('runs one at a time, also where a run triggers the next one before it waits for anything', async () => {
  const { clock } = manualClock();
  let [runs, side, most] = [0, 0, 0];
  const loop = createLoop(
    async () => {
      most = Math.max(most, ++side);
      if (++runs === 1) loop.trigger();
      await nextTurn();
      side--;
      return undefined;
    },
    { clock, onError: () => undefined },
  );

  loop.trigger();
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  expect([runs, most]).toEqual([2, 1]);
  await loop.stop();
});

it('waits for the delay that a run asks for, and a trigger ends the wait', async () => {
  const { clock, sleeps } = manualClock();
  let runs = 0;
  const loop = createLoop(() => Promise.resolve(++runs < 3 ? 5_000 : undefined), { clock, onError: () => undefined });

  loop.trigger();
  await nextTurn();
  expect([runs, sleeps.map(({ ms }) => ms)]).toEqual([1, [5_000]]);
  sleeps[0]?.end();
  await nextTurn();
  expect(runs).toBe(2);
  loop.trigger();
  await nextTurn();
  expect(runs).toBe(3);
  await loop.stop();
});

it('goes on after a run that throws, with the delay that the error leads to', async () => {
  const { clock, sleeps } = manualClock();
  let runs = 0;
  const loop = createLoop(() => (++runs === 1 ? Promise.reject(new Error('once')) : Promise.resolve(undefined)), {
    clock,
    onError: () => 700,
  });

  loop.trigger();
  await nextTurn();
  expect(sleeps.map(({ ms }) => ms)).toEqual([700]);
  sleeps[0]?.end();
  await nextTurn();
  expect(runs).toBe(2);
  await loop.stop();
});

it('aborts the run under way when it is stopped, and never runs again', async () => {
  const { clock } = manualClock();
  let aborted = false;
  const loop = createLoop(
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(signal.reason as Error);
        });
      }),
    { clock, onError: () => 0 },
  );

  loop.trigger();
  await nextTurn();
  await loop.stop();
  loop.trigger();
  await nextTurn();
  expect(aborted).toBe(true);
});

it('leaves nothing behind in memory, however often it sleeps', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapMegabytes = (): number => {
    collect();
    return process.memoryUsage().heapUsed / 1e6;
  };
  const sleeps = 20_000;
  let runs = 0;
  const clock: Clock = { now: () => 0, sleep: () => Promise.resolve() };
  const done = Promise.withResolvers<void>();
  const run = (): Promise<number | undefined> => {
    if (++runs < sleeps) return Promise.resolve(1);
    done.resolve();
    return Promise.resolve(undefined);
  };
  const loop = createLoop(run, { clock, onError: () => undefined });
  const before = heapMegabytes();
  loop.trigger();
  await done.promise;
  expect(heapMegabytes() - before).toBeLessThan(4);
  await loop.stop();
});
