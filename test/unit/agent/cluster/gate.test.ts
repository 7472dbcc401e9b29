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

it('lets those who have time wait for those who have none, yet not for ever', async () => {
  const gate = createGate(8);
  const entered: string[] = [];
  const inside: (() => void)[] = [];
  const come = (name: string, hasTime: boolean): void => {
    void gate.enter(undefined, hasTime).then((leave) => {
      entered.push(name);
      inside.push(leave);
    });
  };
  for (let index = 0; index < 8; index++) come('first', false);
  for (let index = 0; index < 4; index++) come('late', true);
  for (let index = 0; index < 20; index++) come('soon', false);
  await settle();
  while (inside.length > 0) {
    inside.shift()?.();
    await settle();
  }
  // One place of eight is theirs; the others come after everybody.
  expect(entered.slice(0, 8)).toEqual(Array(8).fill('first'));
  expect(entered[8]).toBe('late');
  expect(entered.slice(9, 16)).toEqual(Array(7).fill('soon'));
  expect(entered.filter((name) => name === 'late')).toHaveLength(4);
  expect(entered.lastIndexOf('soon')).toBeLessThan(entered.lastIndexOf('late'));
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
