import { setImmediate as turn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { type ComponentInput, ComponentLoop, type ComponentLoopOptions } from '#agent/application/component-loop.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import { Claims } from '#agent/sync/claims.ts';
import { Delivery } from '#agent/sync/delivery.ts';
import { Failure } from '#api/failure.ts';
import type { Clock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

const input = (): ComponentInput =>
  ({
    application: { metadata: { name: 'app', namespace: 'a' } },
    component: { name: 'web', type: 'webservice' },
    revision: { name: 'app-v1', number: 1, hash: '' },
    run: 'app-v1',
    exempt: () => false,
  }) as unknown as ComponentInput;

const failure = new Failure('ApplyFailed', 'refused', { kind: 'stalled' });

it('tries at once what is asked for while an older try fails', async () => {
  const runs: (() => void)[] = [];
  const tries = vi.spyOn(Delivery.prototype, 'forgetRefusals');
  const sleeps: number[] = [];
  const clock: Clock = { now: () => 1_000_000, sleep: (ms) => new Promise(() => sleeps.push(ms)) };
  const work = {
    async run({ run }: ComponentInput) {
      await new Promise<void>((end) => runs.push(end));
      return { state: 'failed', revision: run, healthy: false, message: '', failure, applied: false };
    },
    stop: () => undefined,
  };
  const claims = new Claims(() => 0);
  const context = { clock, random: () => 0, log: silentLog, claims, metrics: new AgentMetrics(), events: { record: () => undefined } };
  const transport = { serverNow: () => 0 };
  const options = { work, store: {}, context: { ...context, client: { transport }, live: {} }, onChange: () => undefined };
  const loop = new ComponentLoop(input(), options as unknown as ComponentLoopOptions);
  loop.trigger();
  await turn();
  // A person asks for a try while one is under way, which fails for what was in the way before.
  loop.update(input());
  runs[0]?.();
  await turn();
  expect([runs.length, tries.mock.calls.length]).toEqual([2, 2]);
  runs[1]?.();
  await turn();
  expect(sleeps).toEqual([30_000]);
});
