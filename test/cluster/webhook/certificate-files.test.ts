import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from '#agent/cluster/client.ts';
import { certificatesIn } from '#certs/bundle.ts';
import { issueAuthority, issueServing, type KeyPair } from '#certs/issue.ts';
import { silentLog } from '#core/log.ts';
import { type Front, openFront } from '#dev/kubelet/front.ts';
import { freePorts } from '#dev/ports.ts';
import { webhookConfigurations } from '#dev/webhook.ts';
import { adminConnection } from '#test/support/api-client.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';
import { startWebhook, type WebhookProcess } from '#test/support/webhook-process.ts';

/** A look every 10 s. */
const LOOK_MS = 10_000;
const SETUP_MS = 120_000;

let folder: string;
let namespace: string;
let system: string;
let replicas: WebhookProcess[];
let front: Front;
let client: Client;
let configuration: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  [namespace, system] = (await Promise.all([createNamespace(), createNamespace()])) as [string, string];
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
  const pair = await newPair();
  replicas = [];
  for (const [index, port] of ports.entries()) {
    await mount(mountOf(index), pair);
    replicas.push(startWebhook(port, { namespace: system, configuration, 'certificate-files': mountOf(index) }));
  }
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

const mountOf = (replica: number): string => join(folder, `mount-${replica}`);

interface Pair {
  authority: KeyPair;
  serving: KeyPair;
}

async function newPair(): Promise<Pair> {
  const validity = { nowMs: Date.now(), lifeMs: 3_600_000 };
  const authority = await issueAuthority(validity);
  const service = `lateen-webhook.${system}.svc`;
  return { authority, serving: await issueServing(authority, [service, '127.0.0.1'], validity) };
}

let versions = 0;

/** As the kubelet does: a folder of its own, and one link that is put in the place of another. */
async function mount(path: string, { authority, serving }: Pair): Promise<void> {
  const version = `..${(versions += 1)}`;
  await mkdir(join(path, version), { recursive: true });
  const files = { 'tls.crt': serving.cert, 'tls.key': serving.key, 'ca.crt': authority.cert };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(path, version, name), text);
    await symlink(`..data/${name}`, join(path, name)).catch(() => undefined);
  }
  await symlink(version, join(path, '..new'));
  await rename(join(path, '..new'), join(path, '..data'));
}

async function liveBundle(): Promise<string[]> {
  const path = '{.webhooks[0].clientConfig.caBundle}';
  const text = await kubectl('get', 'validatingwebhookconfiguration', configuration, '-o', `jsonpath=${path}`);
  return certificatesIn(Buffer.from(text, 'base64').toString());
}

/** The PEM of the certificate that a replica serves. */
async function served(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(5_000) });
    return socket.getPeerX509Certificate()!.toString();
  } finally {
    socket.destroy();
  }
}

/** Applications, judged under `failurePolicy: Fail`, until `work` is done. Resolves to what failed. */
async function underTraffic(work: () => Promise<void>): Promise<string[]> {
  const failures: string[] = [];
  let over = false;
  const ask = async (): Promise<void> => {
    for (let index = 0; !over; index += 1) {
      const component = { name: 'a', type: 'kustomize', properties: { url: 'https://git.example/x', path: '.' } };
      const metadata = { name: `app-${index}`, namespace };
      const object = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata, spec: { components: [component] } };
      await client.create(object, { dryRun: true }).catch((error: Error) => failures.push(error.message));
      await sleep(20);
    }
  };
  const asking = ask();
  await work().finally(() => {
    over = true;
  });
  await asking;
  return failures;
}

it('serves the files, writes their authority into the configurations, and makes no Secret', async () => {
  expect(await liveBundle()).toHaveLength(1);
  expect(await kubectl('get', 'secrets', '-n', system, '-o', 'name')).toBe('');
});

it(
  'follows new files of another authority, one replica after the other, without a failed request',
  async () => {
    const [old] = await liveBundle();
    const pair = await newPair();
    const failures = await underTraffic(async () => {
      await mount(mountOf(0), pair);
      // The watch brings it forward: much sooner than the next look.
      await expect.poll(liveBundle, { timeout: LOOK_MS / 2 }).toHaveLength(2);
      await expect.poll(() => served(replicas[0]!.port), { timeout: 2 * LOOK_MS }).toBe(pair.serving.cert);
      // The other one still has the old files: its authority stays.
      expect(await liveBundle()).toContain(old);
      await mount(mountOf(1), pair);
      await expect.poll(() => served(replicas[1]!.port), { timeout: 2 * LOOK_MS }).toBe(pair.serving.cert);
    });
    expect(failures).toEqual([]);
  },
  SETUP_MS,
);

it(
  'goes on with what it has while the files do not fit, and says why',
  async () => {
    const [{ port, lines }] = replicas as [WebhookProcess];
    const before = await served(port);
    const [one, other] = [await newPair(), await newPair()];
    await mount(mountOf(0), { authority: one.authority, serving: { cert: one.serving.cert, key: other.serving.key } });
    await sleep(1_000);
    expect(await served(port)).toBe(before);
    await mount(mountOf(0), one);
    await expect.poll(() => served(port), { timeout: 2 * LOOK_MS }).toBe(one.serving.cert);
    const told = lines.filter(({ message }) => message === 'certificate files are not used');
    expect(told.map(({ error }) => error)).toEqual([expect.stringContaining('is not that of the certificate in tls.crt')]);
  },
  SETUP_MS,
);

it(
  'finds new files without being told: a folder in the place of the watched one',
  async () => {
    const { port } = replicas[0]!;
    await rename(mountOf(0), join(folder, 'away'));
    const pair = await newPair();
    await sleep(LOOK_MS / 2);
    await mount(mountOf(0), pair);
    await expect.poll(() => served(port), { timeout: 3 * LOOK_MS }).toBe(pair.serving.cert);
  },
  SETUP_MS,
);
