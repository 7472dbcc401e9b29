import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseDuration } from '#api/duration.ts';
import { kubectl } from '#test/support/namespace.ts';
import type { WebhookProcess } from '#test/support/webhook-process.ts';
import { served, startReplicas, type WebhookReplicas } from '#test/support/webhook-replicas.ts';

/** `make test-certs`: two minutes and ten minutes. An authority lives for four certificates and is renewed at two thirds of that. */
const LIFE = process.env['LATEEN_CERTIFICATE_LIFE'] ?? '30s';
const LIFE_MS = parseDuration(LIFE)!;
const TRAFFIC = process.env['LATEEN_CERTIFICATE_TRAFFIC'];
/** Without a time: until one authority has followed another, which takes about five lives of a certificate. */
const TRAFFIC_MS = TRAFFIC === undefined ? LIFE_MS * 8 : parseDuration(TRAFFIC)!;
const SETUP_MS = 120_000;

let bench: WebhookReplicas;
let replicas: WebhookProcess[];
let system: string;
let configuration: string;

beforeAll(async () => {
  bench = await startReplicas(async () => ({ 'certificate-life': LIFE }));
  ({ replicas, system, configuration } = bench);
}, SETUP_MS);

afterAll(() => bench?.close());

const liveBundle = (): Promise<string> => bench.liveBundle();

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
        await bench.admit(`app-${worker}-${index}`).catch((error: Error) => failures.push(`request: ${error.message}`));
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
  const events = await kubectl('get', 'events', '-n', system, '-o', 'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}');
  expect(events).toContain('CertificateRotated: made a new authority and a certificate: there is no certificate yet');
  expect(events).toContain('CertificateRotated: the next authority signs from now on: the new authority has stood long enough');
});

it('drains on SIGTERM, while the other one answers', async () => {
  const [leaving] = replicas;
  const failures = await bench.underTraffic(
    async () => {
      await sleep(500);
      expect(await leaving!.stop()).toBe(0);
      await sleep(500);
    },
    { workers: 2, pauseMs: 0 },
  );
  expect(failures).toEqual([]);
  expect(leaving!.lines.at(-1)).toMatchObject({ message: 'stopped' });
});
