import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ApplicationContext } from '#agent/application/application-loop.ts';
import { Supervisor } from '#agent/application/supervisor.ts';
import type { Client } from '#agent/cluster/client.ts';
import type { LiveListener } from '#agent/cluster/live-objects.ts';
import { toConfigMap } from '#agent/manifest/inventory.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import { Claims } from '#agent/sync/claims.ts';
import { Inventories } from '#agent/sync/inventories.ts';
import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION } from '#api/names.ts';
import type { Clock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

const stored = toConfigMap({ application: 'app', uid: 'u', keep: [], entries: [] }, 'a');
const inventory = { ...stored, metadata: { ...stored.metadata, uid: 'first' } };
const { signal } = new AbortController();

let listeners: Set<LiveListener>;
/** While the inventories are being listed. */
let listing: () => void;
let lists: number;
let applied: KubeObject[];
let fails: Error | undefined;
let kindIsThere: boolean;
let inventories: Inventories;
let metrics: AgentMetrics;
let supervisor: Supervisor;
/** The Application, where it is there. */
let application: Application | undefined;
let waits: number[];

/** Two waits are over at once; those after them last until something happens. */
const clock: Clock = {
  now: () => 0,
  sleep: (ms, stop) =>
    new Promise((resolve, reject) => {
      if (waits.push(ms) < 3) resolve();
      stop?.addEventListener('abort', () => reject(stop.reason as Error));
    }),
};

const client = {
  kinds: { find: async (_: string, kind: string) => (kind === 'ConfigMap' || kindIsThere ? { kind } : undefined) },
  // The Application is there, whatever the watch has told so far.
  transport: { crowded: () => false, request: async () => (fails ? Promise.reject(fails) : { status: 200, headers: {}, body: {} }) },
  async list() {
    lists++;
    await turn();
    listing();
    return [inventory];
  },
  async apply(object: KubeObject) {
    if (fails) throw fails;
    applied.push(object);
    return { ...object, metadata: { ...object.metadata, uid: 'second' } };
  },
} as unknown as Client;

beforeEach(() => {
  listeners = new Set();
  listing = () => undefined;
  lists = 0;
  applied = [];
  fails = undefined;
  kindIsThere = true;
  application = undefined;
  waits = [];
  const around = { client, namespace: 'a', clock, random: () => 0, log: silentLog };
  const live = {
    need: async () => new Map(),
    listen(listener: LiveListener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    all: () => [],
    get: () => application,
    lists: () => ({ begun: 0, listed: 0 }),
  };
  const ownNamespace = { facts: async () => ({ labels: {}, annotations: {} }), listen: () => undefined };
  metrics = new AgentMetrics();
  inventories = new Inventories({ ...around, sharing: 'never' });
  const context = { ...around, live, ownNamespace, inventories, claims: new Claims(() => 0), metrics };
  supervisor = new Supervisor(context as unknown as ApplicationContext);
});

afterEach(() => supervisor.stop());

it('writes an inventory again that ends while all of them are being read', async () => {
  listing = () => {
    for (const listener of listeners) listener({ type: 'deleted', object: inventory });
  };
  await supervisor.start(signal);
  await turn();
  expect(applied.map(({ metadata }) => metadata.name)).toEqual(['lateen-app']);
});

it('begins once, and notes until it is noted that the kind had taken an Application along', async () => {
  kindIsThere = false;
  await expect(supervisor.start(signal)).rejects.toThrow('does not know Application');
  kindIsThere = true;
  fails = new Error('no answer');
  await supervisor.start(signal);
  const store = inventories.find('app');
  await turn();
  expect([waits, store?.inventory.stranded]).toEqual([[1_000, 2_000, 4_000], undefined]);
  fails = undefined;
  const object = { apiVersion: API_VERSION, kind: 'Application', metadata: { name: 'app', namespace: 'a' } };
  for (const listener of listeners) listener({ type: 'deleted', object });
  await turn();
  expect([lists, inventories.find('app') === store, store?.inventory.stranded]).toEqual([1, true, true]);
  const told = listeners.size;
  await supervisor.stop();
  expect([told, listeners.size]).toEqual([2, 0]);
});

it('keeps nothing of an Application that is gone', async () => {
  await supervisor.start(signal);
  inventories.of('other', 'u');
  metrics.heldPrunes.set({ application: 'other', component: 'left' }, 3);
  const object = { apiVersion: API_VERSION, kind: 'Application', metadata: { name: 'other', namespace: 'a' } };
  for (const listener of listeners) listener({ type: 'deleted', object });
  await turn();
  expect(inventories.find('other')).toBeUndefined();
  expect(metrics.text()).not.toContain('other');
  expect(inventories.find('app')).toBeDefined();
});

it('waits anew for what goes again after it has come back', async () => {
  fails = new Error('no answer');
  await supervisor.start(signal);
  await turn();
  expect(waits).toEqual([1_000, 2_000, 4_000]);
  const metadata = { name: 'app', namespace: 'a', uid: 'u', deletionTimestamp: '2026-01-01T00:00:00Z' };
  const object = { apiVersion: API_VERSION, kind: 'Application', metadata } as KubeObject;
  application = object as unknown as Application;
  for (const listener of listeners) listener({ type: 'added', object });
  await turn();
  application = undefined;
  for (const listener of listeners) listener({ type: 'deleted', object });
  await turn();
  expect(waits.slice(3)).toEqual([1_000]);
});
