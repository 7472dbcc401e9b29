import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import type { CommitChange, PushOutcome } from '#agent/git/git.ts';
import { inventoryName, toConfigMap } from '#agent/manifest/inventory.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import { ImageAutomation, type ImageAutomationContext } from '#agent/sync/image-automation.ts';
import type { ImageFollow } from '#agent/sync/image-member.ts';
import { ImageWriter } from '#agent/sync/image-writer.ts';
import { Inventories } from '#agent/sync/inventories.ts';
import type { Source } from '#agent/sync/source.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { annotation } from '#api/names.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

const key = { url: 'https://git.example/team/app', branch: 'main' };
const line = (image: string): string => `image: ${image} # {"$imagepolicy": "a:web"}\n`;

/** A repository of two files; what is published stands in it once the server has answered. */
function repository() {
  const files = new Map([
    ['held.yaml', line('app:1.0.0')],
    ['old.yaml', line('app:1.0.0')],
  ]);
  const pushes: (() => void)[] = [];
  let commits = 0;
  const state = (): Source['state'] => {
    const id = String(commits).padStart(40, '0');
    const entries = [...files].map(([path, text]) => ({ path, kind: 'file', size: text.length, oid: `${path}${text}`, executable: false }));
    const read = async (paths: string[]) => new Map(paths.map((path) => [path, Buffer.from(files.get(path) ?? '')]));
    const revision = { tip: { branch: 'main', commit: id }, commit: { id }, tree: { entries, read } };
    return { revision } as unknown as Source['state'];
  };
  const publish = async (_: unknown, __: unknown, change: CommitChange): Promise<PushOutcome> => {
    await new Promise<void>((answered) => pushes.push(answered));
    for (const { path, content } of change.files) files.set(path, content.toString());
    return { outcome: 'pushed', commit: String(++commits).padStart(40, '0') };
  };
  const source = {
    key,
    get state() {
      return state();
    },
    pollNow: async () => undefined,
  } as unknown as Source;
  return { files, pushes, source, publish };
}

it('a marker that a person resumes while others are being pushed is not held by what was known before', async () => {
  const { files, pushes, source, publish } = repository();
  const around = { namespace: 'a', clock: systemClock, random: () => 0, log: silentLog };
  const { place } = new ImageWriter(source, around as never, {} as never);
  const held = { [`${place}:held.yaml a:web 1`]: { value: 'app:1.1.0', tag: '1.1.0', held: true as const } };
  const stored = toConfigMap({ application: 'app', uid: 'u', keep: [], entries: [], images: { web: { markers: held } } }, 'a');
  const client = {
    kinds: { find: async () => ({}) },
    transport: { crowded: () => false },
    list: async () => [{ ...stored, metadata: { ...stored.metadata, uid: inventoryName('app') } }],
    apply: async (object: KubeObject) => object,
  } as unknown as Client;
  const inventories = new Inventories({ ...around, client, sharing: 'never' });
  await inventories.start(new AbortController().signal);
  const scan = { state: { version: 1, tags: ['1.0.0', '1.1.0'] } };
  const scans = { use: () => ({ scan, release: () => undefined }), stop: async () => undefined };
  const context = { ...around, inventories, scans, git: { publish }, events: { record: () => undefined }, metrics: new AgentMetrics() };
  const images = new ImageAutomation({ ...context, gitTimeoutMs: 1_000, quietWindowMs: 0 } as unknown as ImageAutomationContext);
  const follow = (hold?: string): ImageFollow =>
    ({
      application: { metadata: { name: 'app', uid: 'u', annotations: hold === undefined ? {} : { [annotation.imageHold]: hold } } },
      component: 'web',
      repository: { image: 'app', policy: { semver: { range: '*' } }, interval: '5m', allowDowngrade: false },
      path: '',
      source,
      wake: () => undefined,
    }) as unknown as ImageFollow;

  await images.follow(follow());
  await expect.poll(() => pushes.length).toBe(1);
  await images.follow(follow('resume now'));
  pushes[0]?.();
  await expect.poll(() => files.get('old.yaml')).toBe(line('app:1.1.0'));
  await expect.poll(() => pushes.length).toBe(2);
  pushes[1]?.();
  await expect.poll(() => files.get('held.yaml')).toBe(line('app:1.1.0'));
  await sleep(10);
  await images.stop();
});
