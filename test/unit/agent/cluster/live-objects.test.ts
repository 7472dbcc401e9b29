import { once } from 'node:events';
import { queryObjects } from 'node:v8';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import { LiveObjects } from '#agent/cluster/live-objects.ts';
import type { TransportRequest } from '#agent/cluster/transport.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' };
const kind = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };

const client = {
  kinds: { find: async () => kind },
  transport: {
    request: async () => ({ status: 200, headers: {}, body: { metadata: { resourceVersion: '1' }, items: [] } }),
    async *stream({ signal }: TransportRequest): AsyncGenerator<unknown, void, undefined> {
      if (!signal?.aborted) await once(signal!, 'abort');
      yield* [];
    },
  },
} as unknown as Client;

let live: LiveObjects;

beforeEach(() => {
  live = new LiveObjects(client, { namespace: 'a', clock: systemClock, random: () => 0.5, log: silentLog });
});

afterEach(() => live.stop());

it('keep nothing of those who needed a kind that others still need', async () => {
  await live.need('others', [CONFIG_MAP]);
  const before = queryObjects(Promise, { format: 'count' });
  for (let users = 0; users < 1_000; users++) {
    await live.need(`user ${users}`, [CONFIG_MAP]);
    await live.need(`user ${users}`, []);
  }
  expect(queryObjects(Promise, { format: 'count' }) - before).toBeLessThan(100);
  expect(live.watches(CONFIG_MAP)).toBe(true);
});
