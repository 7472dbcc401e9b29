import { expect, it } from 'vitest';
import { Failure } from '#api/failure.ts';
import type { Client } from '#agent/cluster/client.ts';
import type { TransportRequest } from '#agent/cluster/transport.ts';
import { type WatchEvent, watchKind } from '#agent/cluster/watch.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

const kind = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs: ['list', 'watch'] };

it.each([['<html>who are you?</html>'], [undefined], [{ items: 'none' }]])(
  'an answer from something between us and the API server is no list without objects: %j',
  async (page) => {
    const list = { metadata: { resourceVersion: '1' }, items: [{ metadata: { name: 'a', uid: 'u', resourceVersion: '1' } }] };
    const answers: unknown[] = [list, page];
    const transport = {
      request: async () => ({ status: 200, headers: {}, body: answers.shift() }),
      // Ended at once, and again and again: everything is listed anew.
      stream: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('cut')) }) }),
    };
    const events: WatchEvent[] = [];
    const errors: unknown[] = [];
    const watch = watchKind({ transport } as unknown as Client, {
      kind,
      onEvent: (event) => events.push(event),
      onError: (error) => errors.push(error),
      clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms > 10_000 ? ms : 1, signal) },
      random: () => 0,
      log: silentLog,
    });
    await expect.poll(() => errors.length).toBeGreaterThan(3);
    watch.stop();
    expect(events.map(({ type }) => type)).toEqual(['added']);
    expect(errors.map(String).join()).toContain('the API server answered 502');
  },
);

it('asks for fewer objects at a time where those of a page are more than an answer may be', async () => {
  const limits: (string | undefined)[] = [];
  const list = { metadata: { resourceVersion: '1' }, items: [{ metadata: { name: 'a', uid: 'u', resourceVersion: '1' } }] };
  const transport = {
    request: async ({ query }: TransportRequest) => {
      limits.push(query?.['limit']);
      if (Number(query?.['limit']) > 10) throw new Failure('TooLarge', 'the API server sent over 67108864 bytes');
      return { status: 200, headers: {}, body: list };
    },
    stream: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.withResolvers().promise }) }),
  };
  const watch = watchKind({ transport } as unknown as Client, {
    kind,
    onEvent: () => undefined,
    clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms > 10_000 ? ms : 1, signal) },
    random: () => 0,
    log: silentLog,
  });
  await watch.synced;
  watch.stop();
  expect(limits).toEqual(['500', '63', '8']);
});
