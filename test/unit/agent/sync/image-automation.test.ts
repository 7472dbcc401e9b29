import { expect, it } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import type { CommitChange, Git, PushOutcome } from '#agent/git/git.ts';
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

/** Of a machine that has other things to do. */
const DEADLINE_MS = 10_000;
const key = { url: 'https://git.example/team/app', branch: 'main' };
const line = (image: string): string => `image: ${image} # {"$imagepolicy": "a:web"}\n`;

/** A repository of two files; what is published stands in it once the server has answered. `lost`: that answer never comes. */
function repository() {
  const files = new Map([
    ['held.yaml', line('app:1.0.0')],
    ['old.yaml', line('app:1.0.0')],
  ]);
  const pushes: ((answer?: 'lost') => void)[] = [];
  let commits = 0;
  const idOf = (number: number): string => String(number).padStart(40, '0');
  const state = (): Source['state'] => {
    const id = idOf(commits);
    const entries = [...files].map(([path, text]) => ({ path, kind: 'file', size: text.length, oid: `${path}${text}`, executable: false }));
    const read = async (paths: string[]) => new Map(paths.map((path) => [path, Buffer.from(files.get(path) ?? '')]));
    const revision = { tip: { branch: 'main', commit: id }, commit: { id }, tree: { entries, read } };
    return { revision } as unknown as Source['state'];
  };
  const publish: Git['publish'] = async (_, __, change: CommitChange, { beforePush }): Promise<PushOutcome> => {
    await beforePush?.(idOf(commits + 1));
    const answer = await new Promise<'lost' | undefined>((answered) => pushes.push(answered));
    for (const { path, content } of change.files) files.set(path, content.toString());
    const commit = idOf(++commits);
    if (answer === 'lost') throw new Error('no answer');
    return { outcome: 'pushed', commit };
  };
  const source = {
    key,
    get state() {
      return state();
    },
    pollNow: async () => undefined,
  } as unknown as Source;
  return { files, pushes, source, git: { publish, holds: async () => true } };
}

/** With a marker that a person has taken back. */
async function automation({ source, git }: Pick<ReturnType<typeof repository>, 'source' | 'git'>) {
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
  const context = { ...around, inventories, scans, git, events: { record: () => undefined }, metrics: new AgentMetrics() };
  return new ImageAutomation({ ...context, gitTimeoutMs: 1_000, quietWindowMs: 0 } as unknown as ImageAutomationContext);
}

const followOf = (source: Source, hold?: string): ImageFollow =>
  ({
    application: { metadata: { name: 'app', uid: 'u', annotations: hold === undefined ? {} : { [annotation.imageHold]: hold } } },
    component: 'web',
    repository: { image: 'app', policy: { semver: { range: '*' } }, interval: '5m', allowDowngrade: false },
    path: '',
    source,
    wake: () => undefined,
  }) as unknown as ImageFollow;

it.each([undefined, 'lost'] as const)(
  'a marker that a person resumes while others are being pushed is not held by what was known before (answer: %s)',
  async (answer) => {
    const { files, pushes, source, git } = repository();
    const images = await automation({ source, git });
    await images.follow(followOf(source));
    await expect.poll(() => pushes.length, { timeout: DEADLINE_MS }).toBe(1);
    await images.follow(followOf(source, 'resume now'));
    pushes[0]?.(answer);
    await expect.poll(() => files.get('old.yaml'), { timeout: DEADLINE_MS }).toBe(line('app:1.1.0'));
    await expect.poll(() => pushes.length, { timeout: DEADLINE_MS }).toBe(2);
    pushes[1]?.();
    await expect.poll(() => files.get('held.yaml'), { timeout: DEADLINE_MS }).toBe(line('app:1.1.0'));
    await images.stop();
  },
);
