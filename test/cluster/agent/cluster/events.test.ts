import { beforeAll, expect, it } from 'vitest';
import { createEventRecorder, type EventRecord } from '#agent/cluster/events.ts';
import type { Client } from '#agent/cluster/client.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { systemClock } from '#core/clock.ts';
import { createLog, silentLog } from '#core/log.ts';
import { createRedactor } from '#core/redact.ts';
import { adminConnection, configMap, powerlessConnection, testClient } from '#test/support/api-client.ts';
import { createNamespace } from '#test/support/namespace.ts';

let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace({ waitForServiceAccount: true });
});

async function eventsAbout(client: Client, name: string): Promise<KubeObject[]> {
  const kind = await client.kinds.find('v1', 'Event');
  return kind ? client.list(kind, { namespace, fieldSelector: `involvedObject.name=${name}` }) : [];
}

function about(regarding: KubeObject, message: string): EventRecord {
  return { regarding, type: 'Warning', reason: 'AuthFailed', message };
}

it('writes one event per message within ten minutes, in one line, without secrets', async () => {
  const client = testClient(await adminConnection());
  const redactor = createRedactor();
  redactor.register('hunter2');
  let now = Date.now();
  const clock = { ...systemClock, now: () => now };
  const recorder = createEventRecorder(client, { namespace, redactor, log: silentLog, clock });
  const regarding = await client.create(configMap(namespace));
  const name = regarding.metadata.name ?? '';
  for (let minute = 0; minute < 10; minute++) {
    recorder.record(about(regarding, 'the server refused\n  hunter2'));
    now += 60_000;
  }
  recorder.record(about(regarding, 'x'.repeat(3_000)));
  await recorder.drain();
  const events = await eventsAbout(client, name);
  expect(events.map((event) => event['message']).toSorted()).toEqual(['the server refused ***', `${'x'.repeat(1_023)}…`]);
  expect(events[0]).toMatchObject({
    type: 'Warning',
    reason: 'AuthFailed',
    source: { component: 'lateen-agent' },
    involvedObject: { kind: 'ConfigMap', namespace, name, uid: regarding.metadata.uid },
  });
  recorder.record(about(regarding, 'the server refused\n  hunter2'));
  await recorder.drain();
  expect((await eventsAbout(client, name)).length).toBe(3);
});

it('takes a name of any length', async () => {
  const client = testClient(await adminConnection());
  const recorder = createEventRecorder(client, { namespace, redactor: createRedactor(), log: silentLog, clock: systemClock });
  const name = `${'a'.repeat(199)}.${'b'.repeat(50)}`;
  recorder.record(about(configMap(namespace, {}, name), 'long'));
  await recorder.drain();
  expect((await eventsAbout(client, name)).length).toBe(1);
});

it('says once that it may not write events, and never throws', async () => {
  const lines: string[] = [];
  const redactor = createRedactor();
  const log = createLog({ level: 'debug', redactor, write: (line) => lines.push(line) });
  const recorder = createEventRecorder(testClient(await powerlessConnection(namespace)), { namespace, redactor, log, clock: systemClock });
  for (const message of ['a', 'b', 'c']) recorder.record(about(configMap(namespace, {}, 'x'), message));
  await expect.poll(() => lines.length).toBe(1);
  await recorder.drain();
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 'warn', message: 'event not written', reason: 'AuthFailed' }]);
});

it('drops what it cannot send when the process ends, without waiting for each', async () => {
  const client = testClient({ ...(await adminConnection()), server: 'https://127.0.0.1:1' });
  const recorder = createEventRecorder(client, { namespace, redactor: createRedactor(), log: silentLog, clock: systemClock });
  for (let i = 0; i < 200; i++) recorder.record(about(configMap(namespace, {}, 'x'), String(i)));
  const begun = performance.now();
  await recorder.drain();
  expect(performance.now() - begun).toBeLessThan(2_000);
});
