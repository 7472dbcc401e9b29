import { expect, it } from 'vitest';
import { nextPullMs } from '#api/schedule.ts';

const source = { namespace: 'default', url: 'https://git.example/a', branch: 'main' };

it('is within the interval, and the pull after it one interval later', () => {
  const first = nextPullMs(source, 60_000, 1_000_000);
  const second = nextPullMs(source, 60_000, first);

  expect(first).toBeGreaterThan(1_000_000);
  expect(first).toBeLessThanOrEqual(1_060_000);
  expect(second).toBe(first + 60_000);
});

it('is the same for every component of one source, also where one interval is a multiple of the other', () => {
  const slow = nextPullMs(source, 600_000, 5_000_000);
  const fastTicks = Array.from({ length: 10 }, (_, index) => nextPullMs(source, 60_000, 5_000_000 + index * 60_000));

  expect(fastTicks).toContain(slow);
});

it('spreads sources over the interval', () => {
  const times = Array.from({ length: 100 }, (_, index) => nextPullMs({ ...source, url: `https://git.example/${index}` }, 60_000, 0));

  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(45_000);
});
