import { expect, it } from 'vitest';
import { Quiet } from '#agent/application/quiet.ts';

it('keeps still for a second, and in a crowd for a minute, while the components are busy with the same', () => {
  const quiet = new Quiet();
  expect(quiet.leftMs('work', 1_000, false)).toBe(1_000);
  expect(quiet.leftMs('work', 1_900, false)).toBe(100);
  expect(quiet.leftMs('work', 1_900, true)).toBe(5_000);
  expect(quiet.leftMs('work', 2_000, false)).toBeUndefined();
  expect(quiet.leftMs('health', 2_000, false)).toBe(1_000);
  expect(quiet.leftMs(undefined, 2_000, false)).toBeUndefined();
});

it('keeps still no longer where the clock was set back', () => {
  const quiet = new Quiet();
  const hour = 3_600_000;
  expect(quiet.leftMs('work', 10 * hour, false)).toBe(1_000);
  expect(quiet.leftMs('work', 9 * hour, false)).toBe(1_000);
  expect(quiet.leftMs('work', 9 * hour + 1_000, false)).toBeUndefined();
});
