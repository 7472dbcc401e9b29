import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemClock } from '#core/clock.ts';

it.each([2 ** 31, 596 * 3_600_000 * 1.05, Number.POSITIVE_INFINITY])('waits, however long it is to: %d ms', async (ms) => {
  const stop = new AbortController();
  const waited = systemClock.sleep(ms, stop.signal);
  await expect(Promise.race([waited, sleep(50, 'still waiting')])).resolves.toBe('still waiting');
  stop.abort(new Error('enough'));
  await expect(waited).rejects.toThrow('enough');
});
