import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import { createEventRecorder } from '#agent/cluster/events.ts';
import type { Clock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';
import { createRedactor } from '#core/redact.ts';

const regarding = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name: 'app' } };

it('waits at its end for what is being sent, and not for as long as a slow API server takes for all', async () => {
  let nowMs = 0;
  const sleeping: { ms: number; wake: () => void }[] = [];
  const clock: Clock = {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((wake, reject) => {
        sleeping.push({ ms, wake });
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  };
  const answers: (() => void)[] = [];
  const client = { create: () => new Promise<void>((answered) => answers.push(answered)) } as unknown as Client;
  const recorder = createEventRecorder(client, { namespace: 'a', redactor: createRedactor(), log: silentLog, clock });
  for (let i = 0; i < 50; i++) recorder.record({ regarding, type: 'Normal', reason: 'Applied', message: `${i}` });
  let drained = false;
  void recorder.drain().then(() => (drained = true));
  answers.shift()?.();
  await turn();
  expect([drained, answers.length]).toEqual([false, 1]);
  nowMs += 3_000;
  for (const { wake } of sleeping.filter(({ ms }) => ms <= 3_000)) wake();
  await turn();
  expect(drained).toBe(true);
  answers.shift()?.();
  await turn();
  expect(answers).toHaveLength(0);
});
