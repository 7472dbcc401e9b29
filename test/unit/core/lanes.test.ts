import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createLanes } from '#core/lanes.ts';

const never = new AbortController().signal;

/** Work that goes on until it is told to end. */
function held(): { work: () => Promise<string>; end: () => void; begun: () => boolean } {
  const { promise, resolve } = Promise.withResolvers<string>();
  let begun = false;
  return {
    work: () => {
      begun = true;
      return promise;
    },
    end: () => resolve('done'),
    begun: () => begun,
  };
}

it('runs as many side by side as there are places, the rest in turn', async () => {
  const lanes = createLanes({ quick: 2, slowAfterMs: 10_000, most: 10 });
  const all = [held(), held(), held()];
  const runs = all.map(({ work }) => lanes.run(never, work));
  await sleep(10);
  expect(all.map(({ begun }) => begun())).toEqual([true, true, false]);
  all[0]?.end();
  await runs[0];
  await sleep(1);
  expect(all[2]?.begun()).toBe(true);
  for (const { end } of all) end();
  expect(await Promise.all(runs)).toEqual(['done', 'done', 'done']);
});

it('lets others pass what is slow, up to the bound of all', async () => {
  const lanes = createLanes({ quick: 1, slowAfterMs: 20, most: 2 });
  const all = [held(), held(), held()];
  const runs = all.map(({ work }) => lanes.run(never, work));
  await sleep(100);
  expect(all.map(({ begun }) => begun())).toEqual([true, true, false]);
  all[1]?.end();
  await runs[1];
  await sleep(1);
  expect(all[2]?.begun()).toBe(true);
  for (const { end } of all) end();
  await Promise.all(runs);
});

it('gives a place back when work throws, and forgets who stopped waiting', async () => {
  const lanes = createLanes({ quick: 1, slowAfterMs: 10_000, most: 1 });
  await expect(lanes.run(never, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  const first = held();
  const running = lanes.run(never, first.work);
  const gone = new AbortController();
  const waiting = lanes.run(gone.signal, () => Promise.resolve('never'));
  gone.abort(new Error('no longer wanted'));
  await expect(waiting).rejects.toThrow('no longer wanted');
  const last = lanes.run(never, () => Promise.resolve('last'));
  first.end();
  expect(await Promise.all([running, last])).toEqual(['done', 'last']);
});
