import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createGate } from '#agent/cluster/gate.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('never lets more through than its limit, and everyone in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), async (limit, steps) => {
      const gate = createGate(limit);
      const inside: (() => void)[] = [];
      const entered: number[] = [];
      for (const [index, comes] of steps.entries()) {
        // Someone leaves in the same turn in which the next one comes: the queue goes first.
        if (!comes) inside.shift()?.();
        void gate.enter().then((leave) => {
          entered.push(index);
          inside.push(leave);
          expect(inside.length).toBeLessThanOrEqual(limit);
        });
        await settle();
      }
      while (inside.length > 0) {
        inside.shift()?.();
        await settle();
      }
      expect(entered).toEqual(steps.map((_, index) => index));
    }),
    { numRuns: 50 },
  );
});

it('forgets who gives up waiting', async () => {
  const gate = createGate(1);
  const leave = await gate.enter();
  const stop = new AbortController();
  const waiting = gate.enter(stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(gate.enter(stop.signal)).rejects.toThrow('enough');
  leave();
  leave();
  const again = await gate.enter();
  let second = false;
  void gate.enter().then(() => {
    second = true;
  });
  await settle();
  expect(second).toBe(false);
  again();
  await settle();
  expect(second).toBe(true);
});

/** A gate of eight places with so many in each queue; leaving in turn, it tells who got in. */
async function crowd(waiting: { late: number; soon: number }, { now, at }: { now: () => number; at?: (entered: string[]) => void }) {
  const gate = createGate(8, now);
  const entered: string[] = [];
  const inside: (() => void)[] = [];
  const come = (name: string, hasTime: boolean): void => {
    void gate.enter(undefined, hasTime).then((leave) => {
      entered.push(name);
      inside.push(leave);
    });
  };
  for (let index = 0; index < 8; index++) come('first', false);
  for (let index = 0; index < waiting.late; index++) come('late', true);
  for (let index = 0; index < waiting.soon; index++) come('soon', false);
  await settle();
  while (inside.length > 0) {
    inside.shift()?.();
    await settle();
    at?.(entered);
  }
  return entered.slice(8);
}

it('gives one turn of 64 to those who have time while others wait, and all that nobody else wants', async () => {
  const entered = await crowd({ late: 4, soon: 150 }, { now: () => 0 });
  const turns = entered.flatMap((name, index) => (name === 'late' ? [index] : []));
  // The eight that entered at once count too.
  expect(turns).toEqual([55, 119, 152, 153]);
});

it('lets those who have time enter while less than a quarter of the places is taken, and whoever has none beside them', async () => {
  const gate = createGate(8);
  const leaving = await Promise.all([gate.enter(), gate.enter(undefined, true)]);
  const entered: string[] = [];
  const waiting = ['a', 'b'].map((name) => gate.enter(undefined, true).then((leave) => (entered.push(name), leave)));
  (await gate.enter())();
  await settle();
  const seen = [[...entered]];
  for (const leave of leaving) {
    leave();
    await settle();
    seen.push([...entered]);
  }
  expect(seen).toEqual([[], ['a'], ['a', 'b']]);
  for (const one of waiting) (await one)();
});

it('gives every second turn to those who have had time for a minute', async () => {
  let now = 0;
  const entered = await crowd({ late: 4, soon: 40 }, { now: () => now, at: ({ length }) => (now = length >= 12 ? 60_000 : 0) });
  const turns = entered.flatMap((name, index) => (name === 'late' ? [index] : []));
  expect(turns).toEqual([4, 6, 8, 10]);
});

it('says of a crowd that it is there for a while after nobody waits any more', async () => {
  let now = 0;
  const gate = createGate(1, () => now);
  const leave = await gate.enter();
  expect([gate.crowded(), gate.crowded(10)]).toEqual([false, false]);
  const second = gate.enter();
  expect(gate.crowded()).toBe(true);
  now = 5;
  leave();
  expect([gate.crowded(), gate.crowded(10)]).toEqual([false, true]);
  (await second)();
  now = 15;
  expect(gate.crowded(10)).toBe(false);
});
