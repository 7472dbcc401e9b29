import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { bundledAgent } from '#dev/faults/agent.ts';
import { crashAt, type CrashPoint } from '#dev/faults/crash-points.ts';
import { PLAYS } from '#dev/faults/crash-plays.ts';
import { playSeed } from '#dev/faults/seeded.ts';
import { openWorld, type World } from '#dev/faults/world.ts';

/** Some of what `make test-faults` plays whole: an agent that is killed, and everything else that goes wrong. */

const TIMEOUT_MS = 240_000;
const WORLDS = 3;

let folder: string;
const worlds: World[] = [];
/** In which inventories stand as those of a crowd do. */
let sharing: World;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  const command = await bundledAgent(join(folder, 'agent'));
  const open = (flags = {}): Promise<World> => openWorld(inject('plane'), command, flags);
  worlds.push(...(await Promise.all(Array.from({ length: WORLDS }, () => open()))));
  sharing = await open({ 'shared-inventories': 'always' });
}, TIMEOUT_MS);

afterAll(async () => {
  await Promise.all([...worlds, sharing].map((world) => world?.close()));
  await rm(folder, { recursive: true, force: true });
});

/** Every world takes the next of the list when it is free. */
async function spread<Item>(items: readonly Item[], play: (item: Item, world: World, index: number) => Promise<void>): Promise<void> {
  const waiting = [...items.entries()];
  const lane = async (world: World): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await play(next[1], world, next[0]);
  };
  await Promise.all(worlds.map(lane));
}

const POINTS: readonly [play: string, point: CrashPoint & { write: RegExp }][] = [
  ['create', { write: /configmaps\/lateen-/, side: 'after', reverted: false }],
  ['create', { write: /configmaps\/fast-\d+-a/, side: 'after', reverted: false }],
  ['update', { write: /configmaps\/fast-\d+-b/, side: 'before', reverted: false }],
  ['rename', { write: /configmaps\/fast-\d+-a/, side: 'after', reverted: false }],
  ['move', { write: /serviceaccounts\/fast-\d+-moved/, side: 'after', reverted: false }],
  ['prune', { write: /DELETE configmaps/, side: 'after', reverted: false }],
  ['delete', { write: /DELETE serviceaccounts/, side: 'before', reverted: false }],
  ['delete', { write: /DELETE configmaps\/lateen-/, side: 'after', reverted: false }],
];

describe('an agent that is killed at a write', () => {
  it(
    'leaves nothing that its successor does not bring to what Git has, and deletes nothing that Git has',
    async () => {
      await spread(POINTS, async ([start, point], world, index) => {
        const play = PLAYS.find(({ name }) => name.startsWith(start))!;
        const { killedAt, problems } = await crashAt(play, point, { world, name: `fast-${index}` });
        expect([play.name, problems]).toEqual([play.name, []]);
        expect(killedAt).toMatch(point.write);
      });
    },
    TIMEOUT_MS,
  );
});

const SHARED: typeof POINTS = [
  ['create', { write: /POST .*configmaps$/, side: 'after', reverted: false }],
  ['create', { write: /configmaps\/shared-\d+-a/, side: 'after', reverted: true }],
  ['create', { write: /serviceaccounts\/shared-\d+-c/, side: 'after', reverted: false }],
  ['update', { write: /PATCH configmaps\/lateen--/, side: 'before', reverted: false }],
  ['rename', { write: /PATCH configmaps\/lateen--/, side: 'after', reverted: false }],
  ['delete', { write: /DELETE configmaps\/lateen--/, side: 'after', reverted: false }],
];

describe('an agent whose Applications share a ConfigMap for their inventories, and that is killed at a write', () => {
  it(
    'leaves nothing that its successor does not bring to what Git has, and deletes nothing that Git has',
    async () => {
      for (const [index, [start, point]] of SHARED.entries()) {
        const play = PLAYS.find(({ name }) => name.startsWith(start))!;
        const { killedAt, problems } = await crashAt(play, point, { world: sharing, name: `shared-${index}` });
        expect([play.name, problems]).toEqual([play.name, []]);
        expect(killedAt).toMatch(point.write);
      }
    },
    TIMEOUT_MS,
  );
});

describe('an agent around which everything goes wrong', () => {
  it(
    'brings the cluster to what Git has in the end, loses nothing and deletes nothing that Git has',
    async () => {
      const seeds = [2, 3, 6, 7, 9, 12, 46, 47, 53, 58];
      await spread(seeds, async (seed, world) => {
        const { problems, lost, wronglyDeleted } = await playSeed(seed, world);
        expect({ seed, problems, lost, wronglyDeleted }).toEqual({ seed, problems: [], lost: [], wronglyDeleted: [] });
      });
    },
    TIMEOUT_MS,
  );
});
