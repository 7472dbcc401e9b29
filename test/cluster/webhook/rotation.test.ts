import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import { createClient } from '#agent/cluster/client.ts';
import { parseDuration } from '#api/duration.ts';
import { silentLog } from '#core/log.ts';
import { type Front, openFront } from '#dev/kubelet/front.ts';
import { freePorts } from '#dev/ports.ts';
import { webhookConfigurations } from '#dev/webhook.ts';
import { adminConnection } from '#test/support/api-client.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';
import { startWebhook, type WebhookProcess } from '#test/support/webhook-process.ts';

/** `make test-certs`: two minutes and ten minutes. An authority lives for four certificates and is renewed at two thirds of that. */
const LIFE = process.env['LATEEN_CERTIFICATE_LIFE'] ?? '30s';
const LIFE_MS = parseDuration(LIFE)!;
const TRAFFIC = process.env['LATEEN_CERTIFICATE_TRAFFIC'];
/** Without a time: until one authority has followed another, which takes about five lives of a certificate. */
const TRAFFIC_MS = TRAFFIC === undefined ? LIFE_MS * 8 : parseDuration(TRAFFIC)!;
const SETUP_MS = 120_000;

let folder: string;
let namespace: string;
let replicas: WebhookProcess[];
let front: Front;
let client: Client;
let configuration: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  namespace = await createNamespace();
  const system = await createNamespace();
  const ports = await freePorts(2);
  front = await openFront({ port: 0, targets: () => ports.map((port) => ({ host: '127.0.0.1', port })) });
  configuration = `lateen-${front.port}`;
  const options = {
    url: `https://127.0.0.1:${front.port}`,
    name: configuration,
    namespaces: [namespace],
    failurePolicy: 'Fail' as const,
  };
  const file = join(folder, 'configurations.json');
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: webhookConfigurations(options) }));
  await kubectl('apply', '--server-side', '-f', file);
  // Both at once: two replicas that race for the first certificate.
  replicas = ports.map((port) => startWebhook(port, { namespace: system, configuration, 'certificate-life': LIFE }));
  await Promise.all(replicas.map((one) => one.untilReady()));
  client = createClient(await adminConnection(), { log: silentLog, userAgent: 'lateen-test' });
}, SETUP_MS);

afterAll(async () => {
  await kubectl('delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', configuration);
  await Promise.all(replicas.map((one) => one.kill()));
  await front.close();
  client.transport.close();
  await rm(folder, { recursive: true, force: true });
});

async function liveBundle(): Promise<string> {
  const path = '{.webhooks[0].clientConfig.caBundle}';
  return Buffer.from(await kubectl('get', 'validatingwebhookconfiguration', configuration, '-o', `jsonpath=${path}`), 'base64').toString();
}

/** The certificate that a replica serves, once it is verified with a bundle; rejects where it cannot be. */
async function served(port: number, ca: string): Promise<X509Certificate> {
  const socket = connect({ host: '127.0.0.1', port, ca });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(5_000) });
    return socket.getPeerX509Certificate()!;
  } finally {
    socket.destroy();
  }
}

const steps = (step: string): number =>
  replicas.flatMap(({ lines }) => lines).filter((line) => line['message'] === 'certificates changed' && line['step'] === step).length;

it(
  `two replicas with certificates of ${LIFE} rotate them and their authority without a failed request`,
  async () => {
    const first = await liveBundle();
    const counts = { requests: 0, handshakes: 0 };
    const failures: string[] = [];
    const serials = new Set<string>();
    const until = Date.now() + TRAFFIC_MS;
    const goesOn = (): boolean => Date.now() < until && (TRAFFIC !== undefined || steps('forget') === 0);

    const ask = async (worker: number): Promise<void> => {
      for (let index = 0; goesOn(); index++) {
        const component = { name: 'a', type: 'kustomize', properties: { url: 'https://git.example/x', path: '.' } };
        const metadata = { name: `app-${worker}-${index}`, namespace };
        const object = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata, spec: { components: [component] } };
        await client.create(object, { dryRun: true }).catch((error: Error) => failures.push(`request: ${error.message}`));
        counts.requests += 1;
        await sleep(20);
      }
    };
    /** New connections to each replica: the API server keeps its own for long. */
    const shake = async (port: number): Promise<void> => {
      while (goesOn()) {
        const bundle = await liveBundle();
        const certificate = await served(port, bundle).catch((error: Error) => void failures.push(`handshake: ${error.message}`));
        if (certificate) serials.add(certificate.serialNumber);
        counts.handshakes += 1;
        await sleep(200);
      }
    };
    await Promise.all([ask(1), ask(2), ...replicas.map(({ port }) => shake(port))]);

    process.stderr.write(
      `certificates of ${LIFE}: ${counts.requests} requests, ${counts.handshakes} handshakes, ${serials.size} certificates, ${steps('promote')} new authorities, ${failures.length} failures\n`,
    );
    expect(failures).toEqual([]);
    expect(counts.requests).toBeGreaterThan(50);
    expect(steps('create')).toBe(1);
    expect(steps('promote')).toBeGreaterThanOrEqual(1);
    expect(steps('fall')).toBe(0);
    expect(serials.size).toBeGreaterThanOrEqual(4);
    // The first authority is gone, and both replicas serve the same.
    const last = await liveBundle();
    expect(last.includes(first.trim())).toBe(false);
    const now = await Promise.all(replicas.map(({ port }) => served(port, last)));
    expect(now[0]!.serialNumber).toBe(now[1]!.serialNumber);
  },
  TRAFFIC_MS + SETUP_MS,
);

it('an emptied bundle and a deleted Secret are mended, and the replicas go on as they were', async () => {
  const before = await liveBundle();
  const empty = JSON.stringify([{ op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value: '' }]);
  await kubectl('patch', 'mutatingwebhookconfiguration', configuration, '--type=json', '-p', empty);
  const mutating = async (): Promise<string> =>
    Buffer.from(
      await kubectl('get', 'mutatingwebhookconfiguration', configuration, '-o', 'jsonpath={.webhooks[0].clientConfig.caBundle}'),
      'base64',
    ).toString();
  await expect.poll(mutating, { timeout: 20_000 }).toContain('BEGIN CERTIFICATE');
  expect((await mutating()).split('BEGIN').length).toBeGreaterThanOrEqual(2);
  const secrets = await kubectl(
    'get',
    'secret',
    '-A',
    '--field-selector',
    'metadata.name=lateen-webhook-tls',
    '-o',
    'jsonpath={range .items[*]}{.metadata.namespace} {end}',
  );
  const system = replicas[0]!.child.spawnargs.find((arg) => arg.startsWith('--namespace='))!.slice('--namespace='.length);
  expect(secrets.split(' ')).toContain(system);
  await kubectl('delete', 'secret', 'lateen-webhook-tls', '-n', system);
  await expect
    .poll(() => kubectl('get', 'secret', 'lateen-webhook-tls', '-n', system, '-o', 'name').catch(() => ''), { timeout: 20_000 })
    .toBe('secret/lateen-webhook-tls\n');
  const after = await liveBundle();
  // Rotation may go on meanwhile, but nothing starts anew.
  expect(before.split('-----END').some((one) => one.length > 100 && after.includes(one.slice(-200)))).toBe(true);
  expect(steps('create')).toBe(1);
});

it('says when its certificate ends, and tells an Event of what it did', async () => {
  const { text } = await replicas[0]!.get('/metrics');
  const expiry = Number(/^lateen_webhook_certificate_expiry_timestamp_seconds (\S+)$/m.exec(text)?.[1]);
  expect(Math.abs(expiry * 1000 - Date.now())).toBeLessThan(LIFE_MS + 10_000);
  const system = replicas[0]!.child.spawnargs.find((arg) => arg.startsWith('--namespace='))!.slice('--namespace='.length);
  const events = await kubectl('get', 'events', '-n', system, '-o', 'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}');
  expect(events).toContain('CertificateRotated: made a new authority and a certificate: there is no certificate yet');
  expect(events).toContain('CertificateRotated: the next authority signs from now on: the new authority has stood long enough');
});

it('drains on SIGTERM, while the other one answers', async () => {
  const [leaving] = replicas;
  const failures: string[] = [];
  let over = false;
  const ask = async (): Promise<void> => {
    for (let index = 0; !over; index++) {
      const component = { name: 'a', type: 'kustomize', properties: { url: 'https://git.example/x', path: '.' } };
      const object = {
        apiVersion: 'core.oam.dev/v1beta1',
        kind: 'Application',
        metadata: { name: `drain-${index}`, namespace },
        spec: { components: [component] },
      };
      await client.create(object, { dryRun: true }).catch((error: Error) => failures.push(error.message));
    }
  };
  const traffic = Promise.all([ask(), ask()]);
  await sleep(500);
  expect(await leaving!.stop()).toBe(0);
  await sleep(500);
  over = true;
  await traffic;
  expect(failures).toEqual([]);
  expect(leaving!.lines.at(-1)).toMatchObject({ message: 'stopped' });
});
