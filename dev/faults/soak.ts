// `make soak`: an agent under connections that drop now and then; MINUTES=10 by default, SEED=1.
// Exit 1 where a drift is not put back, a push is not applied, or memory grows.
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#core/errors.ts';
import { untilSignal } from '#core/lifecycle.ts';
import { numberOf } from './environment.ts';
import { openBench } from './plane.ts';
import { createRandom, type Random } from './random.ts';
import { Story } from './story.ts';
import type { Wanted } from './wanted.ts';
import { openWorld, type World } from './world.ts';

interface Minute {
  drops: number;
  watches: number;
  /** Seconds until a deleted object was back, and until a push was applied. */
  restored: number;
  applied: number;
  /** Median of the minute. */
  megabytes: number;
}

const MINUTES = 10;
const APPLICATIONS = 5;
/** Drops end so long before the minute does, so that what is measured then is the agent and not the last drop. */
const CALM_MS = 5_000;
const MINUTE_MS = 60_000;
/** A watch that has failed some times waits up to 30 s. */
const BACK_MS = 45_000;
const POLL_MS = 50;
const SAMPLE_MS = 2_000;
/** Of the first minutes' memory; node's own caches fill up in the first. */
const GROWTH = 1.1;
const GRAIN_MEGABYTES = 6;

const log = (line: string): void => console.error(line);
const seconds = (ms: number): number => Math.round(ms / 100) / 10;

function wantedOf(name: string, value: string): Wanted {
  const objects = Object.fromEntries(['a', 'b', 'c'].map((one) => [`ConfigMap/${name}-${one}`, value]));
  return { components: { a: 'x' }, folders: { x: { ...objects, [`ServiceAccount/${name}-d`]: value } } };
}

async function drop(world: World, random: Random): Promise<void> {
  const { proxy } = world;
  const kind = random.pick(['connections', 'end', 'reset', 'away'] as const);
  if (kind === 'connections') return proxy.cut();
  if (kind !== 'away') return proxy.endWatches(kind);
  proxy.hooks = { before: () => ({ cut: 'before' }) };
  await sleep(random.between(100, 1_500));
  proxy.hooks = {};
}

/** Resolves to the seconds that it took until the answer was yes. */
async function until(what: string, isTrue: () => Promise<boolean>): Promise<number> {
  const begun = performance.now();
  while (!(await isTrue())) {
    if (performance.now() - begun > BACK_MS) throw new Error(`${what} not within ${BACK_MS / 1_000} s`);
    await sleep(POLL_MS);
  }
  return seconds(performance.now() - begun);
}

async function playMinute(stories: readonly Story[], number: number, random: Random): Promise<Minute> {
  const { world } = stories[0]!;
  const samples: number[] = [];
  const end = performance.now() + MINUTE_MS;
  let drops = 0;
  let nextDrop = performance.now() + random.between(1_000, 10_000);
  while (performance.now() < end) {
    if (performance.now() > nextDrop && performance.now() < end - CALM_MS) {
      await drop(world, random);
      drops += 1;
      nextDrop = performance.now() + random.between(1_000, 10_000);
    }
    samples.push(await world.agent.residentMegabytes());
    await sleep(Math.max(0, Math.min(SAMPLE_MS, end - performance.now())));
  }
  const { watches } = world.proxy;
  const story = random.pick(stories);
  const id = `ConfigMap/${story.name}-a`;
  const before = (await story.object(id))?.metadata.uid;
  await story.drift(id);
  const restored = await until(`${id} put back`, async () => {
    const uid = (await story.object(id))?.metadata.uid;
    return uid !== undefined && uid !== before;
  });
  const value = `minute ${number}`;
  await story.want(wantedOf(story.name, value));
  const applied = await until(`the push to ${story.name} applied`, async () => {
    const live = (await story.object(id))?.['data'] as { key?: string } | undefined;
    return live?.key === value;
  });
  return { drops, watches, restored, applied, megabytes: median(samples) };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? 0;
}

/** The last third beside the first, without the first minute; undefined where that is too short to tell. */
function growth(minutes: readonly Minute[]): { from: number; to: number } | undefined {
  const warm = minutes.slice(1).map(({ megabytes }) => megabytes);
  const third = Math.floor(warm.length / 3);
  return third === 0 ? undefined : { from: median(warm.slice(0, third)), to: median(warm.slice(-third)) };
}

function row(number: number, { drops, watches, restored, applied, megabytes }: Minute): string {
  const cells = [number, drops, watches, restored.toFixed(1), applied.toFixed(1), megabytes.toFixed(1)];
  return cells.map((cell) => String(cell).padStart(12)).join('');
}

async function soak(world: World, count: number, signal: AbortSignal): Promise<number> {
  const random = createRandom(numberOf('SEED', 1));
  const stories = Array.from({ length: APPLICATIONS }, (_, index) => new Story(world, `soak-${index}`));
  for (const story of stories) await story.want(wantedOf(story.name, 'one'));
  for (const story of stories) await story.converged();
  console.log(['minute', 'drops', 'watches', 'restored s', 'applied s', 'RSS MB'].map((cell) => cell.padStart(12)).join(''));
  const minutes: Minute[] = [];
  for (let number = 1; number <= count && !signal.aborted; number += 1) {
    const minute = await playMinute(stories, number, random);
    minutes.push(minute);
    console.log(row(number, minute));
  }
  for (const story of stories) await story.converged();
  const leak = await world.leak();
  if (leak) throw new Error(`a secret is shown: ${leak}`);
  const grown = growth(minutes);
  if (!grown) return 0;
  const limit = grown.from * GROWTH + GRAIN_MEGABYTES;
  console.log(`memory: ${grown.from.toFixed(1)} MB at first, ${grown.to.toFixed(1)} MB at last, at most ${limit.toFixed(1)} MB`);
  return grown.to <= limit ? 0 : 1;
}

async function main(): Promise<number> {
  const signal = untilSignal();
  const bench = await openBench(signal, log);
  try {
    const world = await openWorld(bench.plane, bench.command);
    try {
      return await soak(world, numberOf('MINUTES', MINUTES), signal);
    } finally {
      await world.close();
    }
  } finally {
    await bench.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  log(messageOf(error));
  process.exitCode = 1;
}
