import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { certificatesIn } from '#certs/bundle.ts';
import { issueAuthority, issueServing, type KeyPair } from '#certs/issue.ts';
import { kubectl } from '#test/support/namespace.ts';
import type { WebhookProcess } from '#test/support/webhook-process.ts';
import { served, startReplicas, type WebhookReplicas } from '#test/support/webhook-replicas.ts';

/** A look every 10 s. */
const LOOK_MS = 10_000;
const SETUP_MS = 120_000;

let folder: string;
let bench: WebhookReplicas;
let replicas: WebhookProcess[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  let first: Promise<Pair> | undefined;
  bench = await startReplicas(async (index, system) => {
    await mount(mountOf(index), await (first ??= newPair(system)));
    return { 'certificate-files': mountOf(index) };
  });
  ({ replicas } = bench);
}, SETUP_MS);

afterAll(async () => {
  await bench?.close();
  await rm(folder, { recursive: true, force: true });
});

const mountOf = (replica: number): string => join(folder, `mount-${replica}`);

interface Pair {
  authority: KeyPair;
  serving: KeyPair;
}

async function newPair(system = bench.system): Promise<Pair> {
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

const liveBundle = async (): Promise<string[]> => certificatesIn(await bench.liveBundle());

/** The PEM of the certificate that a replica serves. */
const servedBy = async (port: number): Promise<string> => (await served(port)).toString();

it('serves the files, writes their authority into the configurations, and makes no Secret', async () => {
  expect(await liveBundle()).toHaveLength(1);
  expect(await kubectl('get', 'secrets', '-n', bench.system, '-o', 'name')).toBe('');
});

it(
  'follows new files of another authority, one replica after the other, without a failed request',
  async () => {
    const [old] = await liveBundle();
    const pair = await newPair();
    const failures = await bench.underTraffic(async () => {
      await mount(mountOf(0), pair);
      // The watch brings it forward: much sooner than the next look.
      await expect.poll(liveBundle, { timeout: LOOK_MS / 2 }).toHaveLength(2);
      await expect.poll(() => servedBy(replicas[0]!.port), { timeout: 2 * LOOK_MS }).toBe(pair.serving.cert);
      // The other one still has the old files: its authority stays.
      expect(await liveBundle()).toContain(old);
      await mount(mountOf(1), pair);
      await expect.poll(() => servedBy(replicas[1]!.port), { timeout: 2 * LOOK_MS }).toBe(pair.serving.cert);
    });
    expect(failures).toEqual([]);
  },
  SETUP_MS,
);

it(
  'goes on with what it has while the files do not fit, and says why',
  async () => {
    const [{ port, lines }] = replicas as [WebhookProcess];
    const before = await servedBy(port);
    const [one, other] = [await newPair(), await newPair()];
    await mount(mountOf(0), { authority: one.authority, serving: { cert: one.serving.cert, key: other.serving.key } });
    await sleep(1_000);
    expect(await servedBy(port)).toBe(before);
    await mount(mountOf(0), one);
    await expect.poll(() => servedBy(port), { timeout: 2 * LOOK_MS }).toBe(one.serving.cert);
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
    await expect.poll(() => servedBy(port), { timeout: 3 * LOOK_MS }).toBe(pair.serving.cert);
  },
  SETUP_MS,
);
