import { beforeAll, expect, it } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import { UnreachableError } from '#agent/cluster/wire.ts';
import { type InventoryEntry, INVENTORY_SELECTOR } from '#agent/manifest/inventory.ts';
import { Inventories } from '#agent/sync/inventories.ts';
import type { Sharing } from '#agent/sync/inventory-place.ts';
import type { InventoryStore } from '#agent/sync/inventory-store.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';
import { adminConnection, testClient } from '#test/support/api-client.ts';
import { createNamespace } from '#test/support/namespace.ts';

let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace();
});

const signal = (): AbortSignal => AbortSignal.timeout(30_000);

/** Inventories as an agent that starts now has them. */
async function started(client: Client, sharing: Sharing, where = namespace): Promise<Inventories> {
  const inventories = new Inventories({ client, namespace: where, clock: systemClock, log: silentLog, sharing });
  await inventories.start(signal());
  return inventories;
}

const entry = (name: string, part: Partial<InventoryEntry> = {}): InventoryEntry => ({
  component: 'c',
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace,
  name,
  ...part,
});

const record = (store: InventoryStore, entries: InventoryEntry[]): Promise<void> =>
  store.setComponent('c', entries, { keep: false, hasTime: false });

async function stored(client: Client, where = namespace): Promise<KubeObject[]> {
  const kind = await client.kinds.find('v1', 'ConfigMap');
  return kind ? client.list(kind, { namespace: where, labelSelector: INVENTORY_SELECTOR }) : [];
}

/** Applications by ConfigMap. */
async function places(client: Client, where = namespace): Promise<string[][]> {
  return (await stored(client, where)).map(({ metadata, data }) =>
    metadata.name?.startsWith('lateen--') ? Object.keys(data as object) : [metadata.name ?? ''],
  );
}

/** The writes that reach the API server. */
function counting(client: Client): { client: Client; writes: string[] } {
  const writes: string[] = [];
  const noted =
    <Arguments extends unknown[], Result>(verb: string, call: (...args: Arguments) => Promise<Result>) =>
    (...args: Arguments): Promise<Result> => {
      writes.push(verb);
      return call(...args);
    };
  const { create, apply, mergePatch, delete: remove } = client;
  const counted = { create: noted('create', create), apply: noted('apply', apply), mergePatch: noted('patch', mergePatch) };
  return { client: { ...client, ...counted, delete: noted('delete', remove) }, writes };
}

it('writes the inventories of many Applications together, and a restarted agent knows them all', async () => {
  const where = await createNamespace();
  const { client, writes } = counting(testClient(await adminConnection()));
  const inventories = await started(client, 'always', where);
  const names = Array.from({ length: 60 }, (_, index) => `app-${index}`);
  await Promise.all(names.map((name) => record(inventories.of(name, `uid-${name}`), [entry(name)])));
  expect(writes.length).toBeLessThan(5);
  const again = await started(client, 'always', where);
  expect(again.applications().toSorted()).toEqual(names.toSorted());
  expect(again.find('app-7')?.inventory).toEqual({ application: 'app-7', uid: 'uid-app-7', keep: [], entries: [entry('app-7')] });
  expect(again.index.holdings(`/ConfigMap/${namespace}/app-7`)).toHaveLength(1);
});

it('shares only while requests queue, and asks for one place of its own otherwise', async () => {
  const where = await createNamespace();
  const client = testClient(await adminConnection(), { maxInFlight: 2 });
  const inventories = await started(client, 'auto', where);
  await record(inventories.of('alone', 'u'), [entry('alone')]);
  const busy = Array.from({ length: 20 }, () => client.get({ apiVersion: 'v1', kind: 'Namespace', name: where }));
  while (!client.transport.crowded()) await Promise.resolve();
  await record(inventories.of('crowded', 'u'), [entry('crowded')]);
  await Promise.all(busy);
  await record(inventories.of('crowded', 'u'), [entry('crowded', { uid: 'u-1' })]);
  expect((await places(client, where)).toSorted()).toEqual([['crowded'], ['lateen-alone']]);
  expect((await started(client, 'auto', where)).find('crowded')?.entries('c')).toEqual([entry('crowded', { uid: 'u-1' })]);
});

it('gives an inventory that becomes large a ConfigMap of its own, which counts from then on', async () => {
  const where = await createNamespace();
  const client = testClient(await adminConnection());
  const inventories = await started(client, 'always', where);
  await Promise.all(['grows', 'stays'].map((name) => record(inventories.of(name, 'u'), [entry(name)])));
  const many = Array.from({ length: 200 }, (_, index) => entry(`object-${index}`));
  await record(inventories.of('grows', 'u'), many);
  await expect.poll(() => places(client, where)).toEqual([['stays'], ['lateen-grows']]);
  expect((await started(client, 'always', where)).find('grows')?.entries('c')).toEqual(many);
});

it('takes its own for the newer one where an agent was killed before it left the shared one', async () => {
  const where = await createNamespace();
  const client = testClient(await adminConnection());
  await record((await started(client, 'always', where)).of('both', 'u'), [entry('old')]);
  const [shared] = await stored(client, where);
  await client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: where, name: shared?.metadata.name ?? '' });
  await record((await started(client, 'never', where)).of('both', 'u'), [entry('new')]);
  const { resourceVersion: _version, uid: _uid, managedFields: _fields, ...metadata } = shared?.metadata ?? {};
  await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: shared?.['data'] });
  const inventories = await started(client, 'always', where);
  expect(inventories.find('both')?.entries('c')).toEqual([entry('new')]);
  await expect.poll(() => places(client, where)).toEqual([['lateen-both']]);
});

it('leaves nothing of an Application that is gone, and no empty ConfigMap', async () => {
  const where = await createNamespace();
  const client = testClient(await adminConnection());
  const inventories = await started(client, 'always', where);
  await Promise.all(['one', 'two'].map((name) => record(inventories.of(name, 'u'), [entry(name)])));
  await inventories.of('one', 'u').remove(signal());
  expect(await places(client, where)).toEqual([['two']]);
  expect(inventories.applications()).toEqual(['two']);
  await inventories.of('two', 'u').remove(signal());
  expect(await places(client, where)).toEqual([]);
  await record(inventories.of('three', 'u'), [entry('three')]);
  expect(await places(client, where)).toEqual([['three']]);
});

it('makes a shared ConfigMap that a person has deleted anew, with all that it held', async () => {
  const where = await createNamespace();
  const client = testClient(await adminConnection());
  const inventories = await started(client, 'always', where);
  await Promise.all(['one', 'two'].map((name) => record(inventories.of(name, 'u'), [entry(name)])));
  const [shared] = await stored(client, where);
  await client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: where, name: shared?.metadata.name ?? '' });
  await record(inventories.of('one', 'u'), [entry('changed')]);
  const again = await started(client, 'always', where);
  expect([again.find('one')?.entries('c'), again.find('two')?.entries('c')]).toEqual([[entry('changed')], [entry('two')]]);
});

it('tries again where a deleted one cannot be written at once, for nothing else may change for long', async () => {
  const where = await createNamespace();
  const client = testClient(await adminConnection());
  let toFail = 0;
  const failing: Client['create'] = (...call) =>
    toFail-- > 0 ? Promise.reject(new UnreachableError('the connection was cut')) : client.create(...call);
  const inventories = await started({ ...client, create: failing }, 'always', where);
  await record(inventories.of('one', 'u'), [entry('one')]);
  const [shared] = await stored(client, where);
  const object = { ...shared!, apiVersion: 'v1', kind: 'ConfigMap' };
  await client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: where, name: object.metadata.name ?? '' });
  toFail = 1;
  inventories.onEvent({ type: 'deleted', object });
  await expect.poll(() => places(client, where), { timeout: 10_000 }).toEqual([['one']]);
  expect(toFail).toBe(-1);
});

it('takes out what it had put in by writes whose answers were lost', async () => {
  const where = await createNamespace();
  const client = testClient(await adminConnection());
  let toLose = 2;
  const losing =
    <Arguments extends unknown[], Result>(call: (...args: Arguments) => Promise<Result>) =>
    async (...args: Arguments): Promise<Result> => {
      const answer = await call(...args);
      if (toLose-- > 0) throw new UnreachableError('the connection was cut');
      return answer;
    };
  const { create, mergePatch } = client;
  const inventories = await started({ ...client, create: losing(create), mergePatch: losing(mergePatch) }, 'always', where);
  for (const name of ['stays', 'goes'])
    await expect(record(inventories.of(name, 'u'), [entry(name)])).rejects.toThrow('the connection was cut');
  expect(await places(client, where)).toEqual([['goes', 'stays']]);
  await inventories.of('goes', 'u').remove(signal());
  expect(await places(client, where)).toEqual([['stays']]);
});

it('writes one of its own where the API server refuses the shared one', async () => {
  const where = await createNamespace();
  const client = testClient(await adminConnection());
  const inventories = await started(client, 'always', where);
  await record(inventories.of('one', 'u'), [entry('one')]);
  const [shared] = await stored(client, where);
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: where, name: shared?.metadata.name ?? '' };
  await client.mergePatch(reference, { immutable: true });
  await record(inventories.of('one', 'u'), [entry('changed')]);
  expect((await started(client, 'always', where)).find('one')?.entries('c')).toEqual([entry('changed')]);
});

it('says why it cannot read one, to its Application alone, and keeps what it cannot read', async () => {
  const where = await createNamespace();
  const client = testClient(await adminConnection());
  const before = await started(client, 'always', where);
  await Promise.all(['well', 'broken'].map((name) => record(before.of(name, 'u'), [entry(name)])));
  const [shared] = await stored(client, where);
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: where, name: shared?.metadata.name ?? '' };
  await client.mergePatch(reference, { data: { broken: '{' } });
  const inventories = await started(client, 'always', where);
  expect(() => inventories.of('broken', 'u')).toThrow(/the inventory broken in ConfigMap\/lateen--inventories-\w+ cannot be read/);
  expect(inventories.applications()).toEqual(['well']);
  await inventories.of('well', 'u').remove(signal());
  expect(await places(client, where)).toEqual([['broken']]);
});
