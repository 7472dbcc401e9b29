import { readFileSync } from 'node:fs';
import { createClient } from '#agent/cluster/client.ts';
import { inClusterConnection } from '#agent/cluster/connection.ts';
import { watchKind } from '#agent/cluster/watch.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

/** A process as the agent is: four watches, some requests, then nothing. Prints what it cost, closes, and is to end. */
const [idleMs = '0'] = process.argv.slice(2);
const connection = inClusterConnection();
const client = createClient(connection, { log: silentLog, userAgent: 'lateen-test' });
const { namespace = '' } = connection;

const wanted = [
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['apps/v1', 'Deployment'],
  ['core.oam.dev/v1beta1', 'Application'],
] as const;
const watches = await Promise.all(
  wanted.map(async ([apiVersion, name]) => {
    const kind = await client.kinds.find(apiVersion, name);
    if (!kind) throw new Error(`${name} is not known`);
    return watchKind(client, { kind, namespace, onEvent: () => undefined, clock: systemClock, random: Math.random, log: silentLog });
  }),
);
await Promise.all(watches.map(({ synced }) => synced));
const begun = performance.now();
for (let i = 0; i < 100; i++) await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'kube-root-ca.crt' });
const gets = performance.now() - begun;
await systemClock.sleep(Number(idleMs));
const status = readFileSync('/proc/self/status', 'utf8');
const kib = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]);
for (const watch of watches) watch.stop();
client.transport.close();
process.stdout.write(`${JSON.stringify({ gets100Ms: Math.round(gets), rssMb: kib('VmRSS') / 1024, privateMb: kib('RssAnon') / 1024 })}\n`);
