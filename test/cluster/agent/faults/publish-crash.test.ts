import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { bundledAgent } from '#dev/faults/agent.ts';
import { armCrash, type Side } from '#dev/faults/crash-points.ts';
import { quiet, watchWrites } from '#dev/faults/traffic.ts';
import { openWorld, type World } from '#dev/faults/world.ts';

/** `kill -9` at every write of a publish, a rollback and a hold: what comes after is as if nothing had happened. */

const TIMEOUT_MS = 240_000;
const DEADLINE_MS = 25_000;
const VERSION = 'app.oam.dev/publishVersion';
const API_VERSION = 'core.oam.dev/v1beta1';

let folder: string;
const worlds: World[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  const command = await bundledAgent(join(folder, 'agent'));
  worlds.push(...(await Promise.all([1, 2].map(() => openWorld(inject('plane'), command, { 'revision-limit': '1' })))));
}, TIMEOUT_MS);

afterAll(async () => {
  await Promise.all(worlds.map((world) => world.close()));
  await rm(folder, { recursive: true, force: true });
});

interface State {
  image: string;
  version: string;
  hold?: string;
}

/** What a person does, and what has to come of it. */
interface Play {
  name: string;
  before: State[];
  act: State;
  runs: { image: string; version: string; revision: string };
  /** Versions of the revisions that are left, by number. */
  left: Record<string, string>;
}

const A = { image: 'a', version: 'v1' };
const B = { image: 'b', version: 'v2' };
const STUCK = { image: 'bxxx', version: 'v2' };

const PLAYS: Play[] = [
  { name: 'publish', before: [A], act: B, runs: { ...B, revision: 'v2' }, left: { v1: 'a', v2: 'b' } },
  {
    name: 'publish beyond the limit',
    before: [A, B],
    act: { image: 'c', version: 'v3' },
    runs: { image: 'c', version: 'v3', revision: 'v3' },
    left: { v2: 'b', v3: 'c' },
  },
  { name: 'rollback of what never came up', before: [A, STUCK], act: A, runs: { ...A, revision: 'v1' }, left: { v1: 'a', v2: 'bxxx' } },
  {
    name: 'hold',
    before: [A, STUCK],
    act: { ...STUCK, hold: 'v1' },
    runs: { ...A, revision: 'v1' },
    left: { v1: 'a', v2: 'bxxx' },
  },
];

async function write({ client, namespace }: World, name: string, { image, version, hold }: State): Promise<void> {
  const annotations = { [VERSION]: version, ...(hold ? { 'lateen.dev/hold': `${name}-${hold}` } : {}) };
  const components = [{ name, type: 'webservice', properties: { image: `web:${image}` } }];
  const object: KubeObject = {
    apiVersion: API_VERSION,
    kind: 'Application',
    metadata: { name, namespace, annotations },
    spec: { components },
  };
  await client.apply(object, { fieldManager: 'person' });
}

async function seen({ client, namespace }: World, name: string) {
  const reference = (kind: string, apiVersion = API_VERSION) => ({ apiVersion, kind, namespace, name });
  const application = (await client.get(reference('Application'))) as unknown as Application | undefined;
  const deployment = (await client.get(reference('Deployment', 'apps/v1'))) as
    | { spec?: { template: { spec: { containers: { image: string }[] } } } }
    | undefined;
  const kind = await client.kinds.find(API_VERSION, 'ApplicationRevision');
  const revisions = await client.list(kind!, { namespace, labelSelector: `app.oam.dev/name=${name}` });
  const left = revisions.map(({ metadata, spec }) => {
    const { components } = (spec as { application: Application }).application.spec;
    return [metadata.name?.slice(name.length + 1), String(components[0]?.properties?.['image']).replace('web:', '')] as const;
  });
  const { workflow, latestRevision } = application?.status ?? {};
  return {
    image: deployment?.spec?.template.spec.containers[0]?.image.replace('web:', ''),
    version: workflow?.appRevision,
    revision: latestRevision?.name.slice(name.length + 1),
    finished: workflow?.finished,
    left: Object.fromEntries(left),
  };
}

async function until(world: World, name: string, wanted: object): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const now = await seen(world, name);
    if (Object.entries(wanted).every(([key, value]) => JSON.stringify(now[key as keyof typeof now]) === JSON.stringify(value))) return;
    if (Date.now() > end) {
      expect(now).toMatchObject(wanted);
      return;
    }
    await sleep(100);
  }
}

async function begin(world: World, name: string, { before }: Play): Promise<void> {
  const traffic = watchWrites(world);
  for (const state of before) {
    await write(world, name, state);
    await until(world, name, { version: state.version, ...(state === STUCK ? {} : { finished: true }), image: state.image });
  }
  await quiet(traffic);
}

function come(world: World, name: string, { runs, left }: Play): Promise<void> {
  return until(world, name, { ...runs, finished: true, left });
}

async function end(world: World, name: string): Promise<void> {
  world.proxy.hooks = {};
  await world.client.delete({ apiVersion: API_VERSION, kind: 'Application', namespace: world.namespace, name });
  await until(world, name, { image: undefined });
}

/** The writes of a play with nothing in the way. */
async function undisturbed(world: World, play: Play, name: string): Promise<string[]> {
  await begin(world, name, play);
  const traffic = watchWrites(world);
  await write(world, name, play.act);
  await come(world, name, play);
  await quiet(traffic);
  const names = traffic.names.filter((one) => !/events/.test(one));
  await end(world, name);
  return names;
}

async function crash(world: World, play: Play, at: { write: number; side: Side; name: string }): Promise<void> {
  await begin(world, at.name, play);
  const armed = armCrash(world, at);
  await write(world, at.name, play.act);
  await Promise.race([armed.killed, sleep(6_000)]);
  world.proxy.hooks = {};
  if (armed.isOver()) await armed.killed;
  else await world.agent.kill();
  await world.startAgent();
  await come(world, at.name, play);
  await end(world, at.name);
}

describe('an agent that is killed at any write', () => {
  it.each(PLAYS)(
    'of a $name runs what is asked for in the end, and keeps every revision as it was',
    async (play) => {
      // Numbers go on where an Application of the same name has been.
      const prefix = `play-${PLAYS.indexOf(play)}`;
      const names = await undisturbed(worlds[0]!, play, `${prefix}-calm`);
      expect(names.length).toBeGreaterThanOrEqual(3);
      // What the server never saw is what it saw one write earlier: both sides are played of one story, one side of the others.
      const sides = play.name === 'publish' ? (['before', 'after'] as const) : (['after'] as const);
      const points = names.flatMap((_, index) => sides.map((side) => ({ write: index + 1, side })));
      const waiting = [...points.entries()];
      const lane = async (world: World): Promise<void> => {
        for (let next = waiting.shift(); next; next = waiting.shift())
          await crash(world, play, { ...next[1], name: `${prefix}-${next[0]}` });
      };
      await Promise.all(worlds.map(lane));
    },
    TIMEOUT_MS,
  );
});
