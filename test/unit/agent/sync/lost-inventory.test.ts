import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ApiError, type Client } from '#agent/cluster/client.ts';
import { toConfigMap } from '#agent/manifest/inventory.ts';
import { Inventories } from '#agent/sync/inventories.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import type { Clock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

const entries = [{ component: 'c', apiVersion: 'v1', kind: 'ConfigMap', name: 'x', namespace: 'a', uid: 'x1' }];
const stored = toConfigMap({ application: 'app', uid: 'u', keep: [], entries }, 'a');
const object = { ...stored, metadata: { ...stored.metadata, uid: 'first' } };
const signal = new AbortController().signal;

it('is written again although the API server fails at first, and once', async () => {
  const answers: ('fails' | 'writes')[] = ['fails', 'fails', 'writes'];
  const written: KubeObject[] = [];
  const waits: number[] = [];
  const clock: Clock = { now: () => 0, sleep: async (ms) => void waits.push(ms) };
  const client = {
    kinds: { find: async () => ({}) },
    transport: { crowded: () => false },
    list: async () => [object],
    apply: async (one: KubeObject) => {
      if (answers.shift() === 'fails') throw new Error('no answer');
      written.push(one);
      return { ...one, metadata: { ...one.metadata, uid: 'second' } };
    },
  } as unknown as Client;
  const inventories = new Inventories({ client, namespace: 'a', clock, log: silentLog, sharing: 'never' });
  await inventories.start(signal);

  inventories.onEvent({ type: 'deleted', object });
  await turn();
  expect(written.map(({ metadata }) => metadata.name)).toEqual([object.metadata.name]);
  expect(waits).toEqual([2_000, 4_000]);
  expect(inventories.find('app')?.entries('c')).toHaveLength(1);
});

it('is gone for good where its Application goes while it is being written again', async () => {
  let there: KubeObject | undefined;
  let write: (() => void) | undefined;
  const client = {
    kinds: { find: async () => ({}) },
    transport: { crowded: () => false },
    list: async () => [object],
    get: async () => there,
    apply: async (one: KubeObject) => {
      await new Promise<void>((resolve) => (write = resolve));
      there = { ...one, metadata: { ...one.metadata, uid: 'second' } };
      return there;
    },
    delete: async () => {
      there = undefined;
      return 'deleted';
    },
  } as unknown as Client;
  const clock: Clock = { now: () => 0, sleep: async () => undefined };
  const inventories = new Inventories({ client, namespace: 'a', clock, log: silentLog, sharing: 'never' });
  await inventories.start(signal);
  inventories.onEvent({ type: 'deleted', object });
  await turn();
  const removed = inventories.find('app')?.remove(signal);
  await turn();
  write?.();
  await removed;
  await turn();
  expect([there, inventories.applications()]).toEqual([undefined, []]);
});

it('is written again where it is deleted before the answer to a write has come', async () => {
  let there: KubeObject | undefined = object;
  const answers: (() => void)[] = [];
  const client = {
    kinds: { find: async () => ({}) },
    transport: { crowded: () => false },
    list: async () => [object],
    get: async () => there,
    apply: async (one: KubeObject) => {
      const { uid, resourceVersion: _, ...metadata } = one.metadata;
      if (uid && uid !== there?.metadata.uid) throw new ApiError(409, {}, { verb: 'patch', resource: 'configmaps', group: '' });
      there = { ...one, metadata: { ...metadata, uid: there?.metadata.uid ?? 'second' } };
      const answer = there;
      await new Promise<void>((answered) => answers.push(answered));
      return answer;
    },
  } as unknown as Client;
  const clock: Clock = { now: () => 0, sleep: async () => undefined };
  const inventories = new Inventories({ client, namespace: 'a', clock, log: silentLog, sharing: 'never' });
  await inventories.start(signal);
  const written = inventories.find('app')?.keep('c', true);
  await turn();
  there = undefined;
  inventories.onEvent({ type: 'deleted', object });
  answers.shift()?.();
  await written;
  await turn();
  answers.shift()?.();
  await turn();
  expect(there).toMatchObject({ metadata: { uid: 'second' } });
});
