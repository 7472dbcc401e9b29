import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { beforeEach, expect, it } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import type { TransportRequest } from '#agent/cluster/transport.ts';
import { Secrets } from '#agent/sync/secrets.ts';
import type { Clock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

const MINUTE = 60_000;

let nowMs: number;
let discovery: () => Promise<unknown>;
/** Names of the Secrets that are being watched. */
let watched: Set<string>;
let used: Set<string>;
let told: string[];
/** What the API server answers instead of a list. */
let refusal: number | undefined;
let lists: number;
let secrets: Secrets;
let sleeping: { ms: number; wake: () => void }[];

const clock: Clock = {
  now: () => nowMs,
  sleep: (ms, signal) =>
    new Promise((wake, reject) => {
      sleeping.push({ ms, wake });
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
    }),
};
const kind = { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true };

const nameOf = ({ query }: TransportRequest): string => (query?.['fieldSelector'] ?? '').replace('metadata.name=', '');

const client = {
  kinds: { find: () => discovery() },
  transport: {
    request: async (request: TransportRequest) => {
      lists++;
      if (refusal) return { status: refusal, headers: {}, body: {} };
      const items = [{ metadata: { name: nameOf(request), resourceVersion: '1', uid: 'u' }, data: {} }];
      return { status: 200, headers: {}, body: { metadata: { resourceVersion: '1' }, items } };
    },
    async *stream(request: TransportRequest): AsyncGenerator<unknown, void, undefined> {
      watched.add(nameOf(request));
      if (!request.signal?.aborted) await once(request.signal!, 'abort');
      watched.delete(nameOf(request));
      yield* [];
    },
  },
} as unknown as Client;

beforeEach(() => {
  nowMs = 1_000_000;
  discovery = async () => kind;
  watched = new Set();
  used = new Set();
  told = [];
  refusal = undefined;
  lists = 0;
  sleeping = [];
  secrets = new Secrets(client, { namespace: 'a', clock, random: () => 0.5, log: silentLog });
  secrets.users.push({ secretChanged: (name) => told.push(name), usesSecret: (name) => used.has(name) });
});

it('reads a Secret after the first look at the API server has failed', async () => {
  discovery = () => Promise.reject(new Error('no answer'));
  await expect(secrets.read('one')).rejects.toThrow('no answer');
  discovery = async () => kind;
  await expect(secrets.read('one')).resolves.toMatchObject({ metadata: { name: 'one' } });
  await secrets.stop();
  await turn();
  expect(watched).toEqual(new Set());
});

it('ends the watch of a Secret that nobody has asked for, nor counts upon', async () => {
  used = new Set(['used']);
  for (const name of ['used', 'old', 'read']) await secrets.read(name);
  nowMs += 10 * MINUTE;
  await secrets.read('read');
  nowMs += 10 * MINUTE;
  await secrets.read('new');
  await turn();
  expect(watched).toEqual(new Set(['used', 'read', 'new']));
  await expect(secrets.read('old')).resolves.toMatchObject({ metadata: { name: 'old' } });
  await turn();
  expect(watched).toEqual(new Set(['used', 'read', 'new', 'old']));
});

it('tells that a Secret can be read which could not, though nobody asks', async () => {
  refusal = 403;
  await expect(secrets.read('one')).rejects.toThrow('refused it');
  refusal = undefined;
  sleeping.find(({ ms }) => ms < 1_000)?.wake();
  await turn();
  expect([told, lists]).toEqual([['one'], 2]);
  await expect(secrets.read('one')).resolves.toMatchObject({ metadata: { name: 'one' } });
});

it('asks again at each read that comes after a failure, and says what is in the way now', async () => {
  refusal = 503;
  await expect(secrets.read('one')).rejects.toThrow('answered 503');
  refusal = 403;
  await expect(secrets.read('one')).rejects.toThrow('refused it');
  refusal = undefined;
  await expect(secrets.read('one')).resolves.toMatchObject({ metadata: { name: 'one' } });
  expect(lists).toBe(3);
});

it('leaves nothing behind in memory, however often a Secret is read', async () => {
  await secrets.read('one');
  const before = queryObjects(Promise, { format: 'count' });
  for (let reads = 0; reads < 1_000; reads++) {
    await secrets.read('one');
    sleeping = [];
  }
  expect(queryObjects(Promise, { format: 'count' }) - before).toBeLessThan(100);
});
