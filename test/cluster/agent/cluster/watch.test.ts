import { beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import { type KindWatch, type WatchEvent, type WatchOptions, watchKind } from '#agent/cluster/watch.ts';
import { referenceOf } from '#api/kubernetes.ts';
import { type Clock, systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';
import { adminConnection, configMap, powerlessConnection, testClient } from '#test/support/api-client.ts';
import { createNamespace } from '#test/support/namespace.ts';
import { startTcpProxy } from '#test/support/tcp-proxy.ts';

let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace({ waitForServiceAccount: true });
});

interface Watching extends KindWatch {
  events: WatchEvent[];
  errors: unknown[];
  /** `added cm-1`, in the order of arrival. */
  seen(): string[];
}

async function watch(client: Client, options: Partial<WatchOptions> & { apiVersion?: string; kindName?: string } = {}): Promise<Watching> {
  const { apiVersion = 'v1', kindName = 'ConfigMap', ...rest } = options;
  const kind = await client.kinds.find(apiVersion, kindName);
  if (!kind) return expect.unreachable(`${kindName} is not known`);
  const events: WatchEvent[] = [];
  const errors: unknown[] = [];
  const started = watchKind(client, {
    kind,
    namespace,
    onEvent: (event) => events.push(event),
    onError: (error) => errors.push(error),
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    ...rest,
  });
  onTestFinished(() => started.stop());
  const seen = (): string[] =>
    events.filter(({ object }) => object.metadata.name !== 'kube-root-ca.crt').map(({ type, object }) => `${type} ${object.metadata.name}`);
  return { ...started, events, errors, seen };
}

async function proxied(): Promise<{ client: Client; proxy: Awaited<ReturnType<typeof startTcpProxy>> }> {
  const connection = await adminConnection();
  const proxy = await startTcpProxy(Number(new URL(connection.server).port));
  const client = testClient({ ...connection, server: `https://127.0.0.1:${proxy.port}` });
  onTestFinished(() => proxy.close());
  return { client, proxy };
}

it('sees what is there, and what is created, changed and deleted', async () => {
  const client = testClient(await adminConnection());
  const own = await createNamespace();
  const [old, young] = [configMap(own, { a: '1' }, 'old'), configMap(own, {}, 'young')];
  await client.create(old);
  const watched = await watch(client, { namespace: own });
  await watched.synced;
  expect(watched.get('old')).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } });
  await client.create(young);
  await client.mergePatch(referenceOf(old), { data: { a: '2' } });
  await client.delete(referenceOf(young));
  await expect.poll(watched.seen).toEqual(['added old', 'added young', 'modified old', 'deleted young']);
  const changed = watched.events.find(({ type }) => type === 'modified');
  expect([changed?.previous?.['data'], changed?.object['data']]).toEqual([{ a: '1' }, { a: '2' }]);
  expect(watched.get('young')).toBeUndefined();
});

it('goes on after a cut connection, and finds what happened meanwhile', async () => {
  const { client, proxy } = await proxied();
  const direct = testClient(await adminConnection());
  const [kept, gone] = [configMap(namespace, {}, 'kept'), configMap(namespace, {}, 'gone')];
  await direct.create(kept);
  await direct.create(gone);
  const watched = await watch(client);
  await watched.synced;
  for (let round = 1; round <= 3; round++) {
    proxy.refuse(true);
    await direct.mergePatch(referenceOf(kept), { data: { round: String(round) } });
    if (round === 1) await direct.delete(referenceOf(gone));
    proxy.refuse(false);
    await expect.poll(() => watched.get('kept')?.['data'], { timeout: 10_000 }).toEqual({ round: String(round) });
  }
  expect(watched.seen().slice(2)).toEqual(['modified kept', 'deleted gone', 'modified kept', 'modified kept']);
  expect(watched.errors.length).toBeGreaterThan(0);
});

it('lists anew when the server has forgotten where it was (410), and computes deletions', async () => {
  const direct = testClient(await adminConnection());
  const application = (name: string) => ({
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name, namespace },
    spec: { components: [] },
  });
  const replaced = application('replaced');
  const removed = application('removed');
  await direct.create(replaced);
  await direct.create(removed);
  // The first watch asks for a version from before the kind existed: the API server itself answers 410.
  const { transport } = direct;
  let watches = 0;
  const stream: typeof transport.stream = (request) => {
    if (watches++ > 0) return transport.stream(request);
    return tooOld(request);
  };
  async function* tooOld(request: Parameters<typeof transport.stream>[0]): AsyncGenerator<unknown, void, undefined> {
    await direct.delete(referenceOf(removed));
    await direct.delete(referenceOf(replaced));
    await direct.create(replaced);
    yield* transport.stream({ ...request, query: { ...request.query, resourceVersion: '1' } });
  }
  const watched = await watch(
    { ...direct, transport: { ...transport, stream } },
    { apiVersion: 'core.oam.dev/v1beta1', kindName: 'Application' },
  );
  await expect.poll(watched.seen).toEqual(['added removed', 'added replaced', 'deleted removed', 'deleted replaced', 'added replaced']);
  expect(watched.errors).toEqual([]);
  await direct.mergePatch(referenceOf(replaced), { metadata: { labels: { a: 'b' } } });
  await expect.poll(() => watched.seen().at(-1)).toBe('modified replaced');
});

it('gets metadata only, or one object only', async () => {
  const client = testClient(await adminConnection());
  const [one, other] = [configMap(namespace, { a: '1' }, 'one'), configMap(namespace, {}, 'other')];
  await client.create(one);
  const metadata = await watch(client, { metadataOnly: true });
  const single = await watch(client, { fieldSelector: 'metadata.name=one' });
  await Promise.all([metadata.synced, single.synced]);
  expect(metadata.get('one')).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } });
  expect(metadata.get('one')).not.toHaveProperty('data');
  await client.create(other);
  await expect.poll(() => metadata.get('other')?.kind).toBe('ConfigMap');
  await client.mergePatch(referenceOf(one), { data: { a: '2' } });
  await expect.poll(() => single.get('one')?.['data']).toEqual({ a: '2' });
  expect(single.all().map(({ metadata }) => metadata.name)).toEqual(['one']);
});

it('keeps only what it is told to keep', async () => {
  const client = testClient(await adminConnection());
  await client.create(configMap(namespace, { a: '1' }, 'projected'));
  const watched = await watch(client, {
    project: ({ apiVersion, kind, metadata: { name = '' } }) => ({ apiVersion, kind, metadata: { name } }),
  });
  await watched.synced;
  expect(watched.get('projected')).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'projected' } });
});

it('reports a missing right, and goes on once it is there', async () => {
  const powerless = testClient(await powerlessConnection(namespace));
  const direct = testClient(await adminConnection());
  const watched = await watch(powerless, { apiVersion: 'v1', kindName: 'Secret' });
  await expect.poll(() => watched.errors.length).toBeGreaterThan(0);
  expect(watched.errors[0]).toMatchObject({ status: 403, asked: { verb: 'list', resource: 'secrets', group: '', namespace } });
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'reader', namespace } };
  await direct.apply({ ...rbac, kind: 'Role', rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] }] });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' };
  await direct.apply({ ...rbac, kind: 'RoleBinding', roleRef, subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }] });
  await watched.synced;
});

it('survives a listener that throws', async () => {
  const client = testClient(await adminConnection());
  const seen: string[] = [];
  const onEvent = ({ object }: WatchEvent): void => {
    seen.push(object.metadata.name ?? '');
    throw new Error('a defect');
  };
  await (await watch(client, { onEvent })).synced;
  await client.create(configMap(namespace, {}, 'after-a-defect'));
  await expect.poll(() => seen).toContain('after-a-defect');
});

it('says nothing after it was stopped', async () => {
  const client = testClient(await adminConnection());
  const watched = await watch(client);
  await watched.synced;
  const before = watched.events.length;
  watched.stop();
  await client.create(configMap(namespace));
  await systemClock.sleep(200);
  expect(watched.events.length).toBe(before);
});

it('notices that nothing is heard of a watch any more, though its connection stands', async () => {
  const client = testClient(await adminConnection());
  let swallowed = 0;
  const stream: Client['transport']['stream'] = async function* (request) {
    if (swallowed++ > 0) return yield* client.transport.stream(request);
    await new Promise((_, reject) => request.signal?.addEventListener('abort', () => reject(request.signal?.reason as Error)));
  };
  // Time runs 500 times as fast: three minutes without a line are a third of a second.
  const begun = Date.now();
  const clock: Clock = {
    now: () => begun + (Date.now() - begun) * 500,
    sleep: (ms, signal) => systemClock.sleep(ms / 500, signal),
  };
  const watched = await watch({ ...client, transport: { ...client.transport, stream } }, { clock });
  await watched.synced;
  await client.create(configMap(namespace, {}, 'unheard'));
  await expect.poll(() => watched.seen(), { timeout: 5_000 }).toContain('added unheard');
  expect(String(watched.errors[0])).toContain('nothing was heard of a watch for 180 s');
});
