import { beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import { LiveObjects } from '#agent/cluster/live-objects.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';
import { adminConnection, configMap, powerlessConnection, testClient } from '#test/support/api-client.ts';
import { createNamespace } from '#test/support/namespace.ts';

const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' };
const SECRET = { apiVersion: 'v1', kind: 'Secret' };

let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace({ waitForServiceAccount: true });
});

/** Counts the watches that were begun, by resource. */
function counting(client: Client): { client: Client; begun: string[] } {
  const begun: string[] = [];
  const stream: Client['transport']['stream'] = (request) => {
    begun.push(request.path.split('/').at(-1) ?? '');
    return client.transport.stream(request);
  };
  return { client: { ...client, transport: { ...client.transport, stream } }, begun };
}

function liveObjects(client: Client): LiveObjects {
  const live = new LiveObjects(client, { namespace, clock: systemClock, random: Math.random, log: silentLog });
  onTestFinished(() => live.stop());
  return live;
}

it('keeps one watch per kind for all who need it, and none that nobody needs', async () => {
  const { client, begun } = counting(testClient(await adminConnection()));
  const live = liveObjects(client);
  const events: string[] = [];
  live.listen(({ type, object }) => events.push(`${type} ${object.kind}/${object.metadata.name}`));
  await Promise.all([live.need('a', [CONFIG_MAP, SECRET]), live.need('b', [CONFIG_MAP])]);
  await client.create(configMap(namespace, { a: '1' }, 'shared'));
  await expect.poll(() => live.get({ ...CONFIG_MAP, name: 'shared' })?.kind).toBe('ConfigMap');
  expect(live.get({ ...CONFIG_MAP, name: 'shared' })).not.toHaveProperty('data');
  expect(events).toContain('added ConfigMap/shared');
  await live.need('a', []);
  expect(live.all(CONFIG_MAP).length).toBeGreaterThan(0);
  await live.need('b', []);
  expect(live.all(CONFIG_MAP)).toEqual([]);
  expect(begun.toSorted()).toEqual(['configmaps', 'secrets']);
});

it('says what cannot be watched, and lets what is unknown be', async () => {
  const live = liveObjects(testClient(await powerlessConnection(namespace)));
  expect([...(await live.need('a', [SECRET]))]).toEqual([
    [
      '/Secret',
      expect.objectContaining({ name: 'ApiError', status: 403, asked: expect.objectContaining({ verb: 'list', resource: 'secrets' }) }),
    ],
  ]);
  await live.need('b', [{ apiVersion: 'example.com/v1', kind: 'Nothing' }]);
  expect(live.all({ apiVersion: 'example.com/v1', kind: 'Nothing' })).toEqual([]);
});

it('knows an object in whose managedFields a person has written something thousands of levels deep', async () => {
  const client = testClient(await adminConnection());
  const live = liveObjects(client);
  const fieldsV1 = JSON.parse(`${'{"f:data":'.repeat(3_500)}{}${'}'.repeat(3_500)}`) as Record<string, unknown>;
  const deep = configMap(namespace, { a: '1' }, 'deep');
  await client.create(deep);
  const time = '2026-01-01T00:00:00Z';
  const managedFields = [{ manager: 'kubectl-edit', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1, time }];
  const written = await client.mergePatch({ ...CONFIG_MAP, namespace, name: 'deep' }, { metadata: { managedFields } });
  expect(JSON.stringify(written.metadata.managedFields).length).toBeGreaterThan(30_000);
  expect([...(await live.need('a', [CONFIG_MAP]))]).toEqual([]);
  expect(live.get({ ...CONFIG_MAP, name: 'deep' })).toBeDefined();
});
