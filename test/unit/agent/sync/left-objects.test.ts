import { expect, it } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import type { Task } from '#agent/sync/applier.ts';
import { Claims } from '#agent/sync/claims.ts';
import { Delivery, type DeliveryContext, type DeliveryOwner } from '#agent/sync/delivery.ts';
import type { Desired } from '#agent/sync/desired.ts';
import { DriftFights } from '#agent/sync/drift-fights.ts';
import { DriftReports } from '#agent/sync/drift-reports.ts';
import { InventoryIndex } from '#agent/sync/inventory-index.ts';
import type { InventoryPlace } from '#agent/sync/inventory-place.ts';
import { InventoryStore } from '#agent/sync/inventory-store.ts';
import { Refusals } from '#agent/sync/refusals.ts';
import { Failure } from '#api/failure.ts';
import { type KubeObject, objectId, referenceOf } from '#api/kubernetes.ts';
import { createLanes } from '#core/lanes.ts';

/** What is remembered of an object goes with the object: names may change with every commit. */

const { signal } = new AbortController();
const configMap = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'a' } });
const desired = (name: string): Desired => {
  const reference = referenceOf(configMap(name));
  return { reference, id: objectId(reference), manifest: 'm', object: configMap(name) } as unknown as Desired;
};
const ids = (...names: string[]): Set<string> => new Set(names.map((name) => desired(name).id));

/** A Delivery whose watches never tell anything. */
function deliveryOf(): (name: string) => Promise<Delivery> {
  const kind = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs: [] };
  const transport = { serverNow: () => 0 };
  const apply = async (object: KubeObject): Promise<KubeObject> => ({ ...object, metadata: { ...object.metadata, uid: 'u' } });
  const client = { kinds: { find: async () => kind }, transport, apply } as unknown as Client;
  const lists = { begun: 0, listed: 0 };
  const live = { need: async () => new Map(), get: () => undefined, knows: () => false, lists: () => lists, all: () => [] };
  const index = new InventoryIndex();
  const inventory = { application: 'app', uid: 'u', keep: [], entries: [] };
  const place = { write: async () => undefined } as unknown as InventoryPlace;
  const store = new InventoryStore({ index, place, inventory, stored: true });
  const inventories = { index, find: () => store };
  const autoscalers = { render: () => undefined };
  const writing = createLanes({ quick: 1, slowAfterMs: 60_000, most: 1 });
  const around = { metrics: new AgentMetrics(), claims: new Claims(() => 0), namespace: 'a', velaCore: undefined, writing };
  const context = { ...around, client, live, inventories, autoscalers } as unknown as DeliveryContext;
  const delivery = new Delivery(context, store, { onDrift: () => undefined, now: () => 0 });
  const owner: DeliveryOwner = { application: 'app', component: 'c', prune: true, exempt: () => false };
  return async (name) => {
    const objects = [{ object: configMap(name), origin: { file: 'a.yaml' } }];
    await delivery.apply({ objects, atomic: false, drift: 'correct', adopt: () => false }, owner, signal);
    return delivery;
  };
}

it('of the answer to an apply', async () => {
  const deliver = deliveryOf();
  const delivery = await deliver('one');
  expect(delivery.live(desired('one').reference)?.metadata.uid).toBe('u');
  await deliver('two');
  expect(delivery.live(desired('one').reference)).toBeUndefined();
  expect(delivery.live(desired('two').reference)?.metadata.uid).toBe('u');
});

it('of a refusal', () => {
  const refusals = new Refusals();
  const task = (name: string): Task => ({ desired: desired(name), live: undefined }) as unknown as Task;
  for (const name of ['one', 'two']) refusals.learn(task(name), new Failure('ApplyFailed', 'refused'));
  refusals.keep(ids('two', 'three'));
  expect(['one', 'two'].map((name) => refusals.of(task(name))?.done)).toEqual([undefined, 'failed']);
});

it('of a fight that was given up', () => {
  const fights = new DriftFights();
  const difference = { path: 'data.key', manager: 'kubectl' } as never;
  for (const name of ['one', 'two']) for (let times = 0; times < 5; times++) fights.record(desired(name), [difference], 's', 0);
  fights.keep(ids('two', 'three'));
  expect(['one', 'two'].map((name) => fights.lost(desired(name), 's', 0)?.reason)).toEqual([undefined, 'DriftFight']);
});

it('of a drift that was reported', async () => {
  const reports = new DriftReports(undefined as never, undefined as never);
  const news = (name: string): Promise<string | undefined> => reports.news({ desired: desired(name), live: undefined }, signal);
  for (const name of ['one', 'two']) expect(await news(name)).toContain('deleted');
  reports.keep(ids('two', 'three'));
  expect(await news('one')).toContain('deleted');
  expect(await news('two')).toBeUndefined();
});
