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
