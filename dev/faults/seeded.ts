import { setTimeout as sleep } from 'node:timers/promises';
import { firstWanted, nextSuspension, nextWanted } from './changes.ts';
import { Injector } from './injector.ts';
import { createRandom } from './random.ts';
import { Story } from './story.ts';
import { objectsOf, type Wanted } from './wanted.ts';
import { comesToRest } from './traffic.ts';
import type { World } from './world.ts';

export interface SeededResult {
  seed: number;
  /** What was decided and in which order, for a person who looks at a violation. */
  changes: string[];
  /** Faults by name. */
  faults: ReadonlyMap<string, number>;
  lost: string[];
  wronglyDeleted: string[];
  problems: string[];
}

/** Some decisions of a person one after the other, while everything goes wrong; then what must hold in the end. */
export async function playSeed(seed: number, world: World): Promise<SeededResult> {
  const random = createRandom(seed);
  // Numbers of its own: what else a seed decides stays as it was.
  const suspending = createRandom(-seed);
  const story = new Story(world, `seed-${seed}`, { kustomized: random.chance(0.5) });
  const changes: string[] = [];
  let wanted = firstWanted(random, story.name);
  await story.want(wanted);
  if (random.chance(0.5)) await story.converged();
  const injector = new Injector(world, story.name, random);
  for (let step = random.between(2, 5); step > 0; step -= 1) {
    for (let faults = random.between(1, 3); faults > 0; faults -= 1) injector.inject();
    if (suspending.chance(0.3)) wanted = await suspend(story, nextSuspension(suspending, wanted), changes);
    const next = nextWanted(random, wanted, story.name);
    // Back to what was before, as after a revert.
    const back = random.chance(0.15) ? wanted : undefined;
    changes.push(next.name, ...(back ? ['back'] : []));
    await story.want(next.wanted);
    if (back) await sleep(random.between(0, 2_000)).then(() => story.want(back));
    wanted = back ?? next.wanted;
    if (random.chance(0.2)) await story.drift(random.pick(Object.keys(objectsOf(wanted)).concat('ConfigMap/none')));
    await sleep(random.between(0, 2_500));
    if (random.chance(0.6)) await injector.revive();
  }
  // What was suspended has to get there too.
  if (wanted.suspended !== undefined) wanted = await suspend(story, nextSuspension(suspending, wanted), changes);
  await injector.end();
  const problems: string[] = [];
  const note = (error: Error): number => problems.push(error.message);
  await story.converged({ keepHistory: true }).catch(note);
  await comesToRest(world).catch(note);
  // What came late may have been wrong.
  if (problems.length === 0) await story.converged({ keepHistory: true }).catch(note);
  const lost = problems.filter((problem) => problem.includes('is lost'));
  const wronglyDeleted = story.wronglyDeleted();
  const leak = await world.leak();
  if (leak) problems.push(`a secret is shown: ${leak}`);
  await story.want({ ...wanted, deleted: true });
  await story.converged().catch((error: Error) => problems.push(`after the deletion: ${error.message}`));
  return { seed, changes, faults: injector.counts, lost, wronglyDeleted, problems };
}

async function suspend(story: Story, { name, wanted }: ReturnType<typeof nextSuspension>, changes: string[]): Promise<Wanted> {
  changes.push(name);
  await story.want(wanted);
  return wanted;
}
