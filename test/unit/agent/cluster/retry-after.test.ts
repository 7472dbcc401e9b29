import { expect, it } from 'vitest';
import { retryAfterMs } from '#agent/cluster/retry-after.ts';

it.each([
  [429, '2', 2_000],
  [429, '0', 0],
  [429, undefined, 1_000],
  [429, 'soon', 1_000],
  [429, '3600', 30_000],
  [503, '5', 5_000],
  [503, undefined, undefined],
  [500, '5', undefined],
  [200, '5', undefined],
])('status %s with Retry-After %s waits %s ms', (status, header, expected) => {
  expect(retryAfterMs({ status, headers: header === undefined ? {} : { 'retry-after': header } })).toBe(expected);
});
