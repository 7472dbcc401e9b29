import { expect, it } from 'vitest';
import { Pace } from '#agent/sync/pace.ts';

/** Starts requests, and says how many are under way. */
function requests(pace: Pace, count: number): { underWay: () => number; answer: () => Promise<void> } {
  const open: (() => void)[] = [];
  for (let index = 0; index < count; index++) void pace.run(() => new Promise<void>((resolve) => open.push(resolve)));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    underWay: () => open.length,
    async answer() {
      for (const resolve of open.splice(0)) resolve();
      await settle();
    },
  };
}

it('begins with few requests, and has more as they are answered', async () => {
  const { underWay, answer } = requests(new Pace(() => 0), 200);
  await Promise.resolve();
  const seen: number[] = [];
  for (let round = 0; round < 4; round++) {
    seen.push(underWay());
    await answer();
  }
  expect(seen).toEqual([4, 8, 16, 16]);
});

it('has two while they take long', async () => {
  let now = 0;
  const { underWay, answer } = requests(new Pace(() => now), 200);
  await Promise.resolve();
  await answer();
  now = 10_000;
  await answer();
  expect(underWay()).toBeLessThanOrEqual(2);
  await answer();
  await answer();
  expect(underWay()).toBeGreaterThan(2);
});
