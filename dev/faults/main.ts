// `make test-faults`: every crash point of every play, then seeded scenarios; exit 1 where anything was violated.
// SEED=7 plays that one alone; SCENARIOS=20 fewer; PLAY=delete the crash points of that alone; LANES=3 worlds side by side.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '#core/errors.ts';
import { untilSignal } from '#core/lifecycle.ts';
import { RUN_FOLDER } from '../keeper-state.ts';
import { crashAt, undisturbed } from './crash-points.ts';
import { PLAYS } from './crash-plays.ts';
import { numberOf } from './environment.ts';
import { type Task, playAll } from './lanes.ts';
import { type FaultBench, openBench } from './plane.ts';
import { Report } from './report.ts';
import { playSeed } from './seeded.ts';
import { openWorld, type World } from './world.ts';

const SCENARIOS = 200;
const LANES = 3;
const EVERY = 20;
/** Of the seeds, every so manieth is played with shared inventories. */
const SHARED_EVERY = 3;

const log = (line: string): void => console.error(line);

/** As Applications of a crowd have them: one ConfigMap for the inventories of many. */
const SHARED = { 'shared-inventories': 'always' };

/** Each write of each play, both sides of it; after it once more with the change taken back while no agent runs. */
async function crashTasks(bench: FaultBench, report: Report, flags: Record<string, string> = {}): Promise<Task[]> {
  const only = process.env['PLAY'] ?? '';
  const world = await openWorld(bench.plane, bench.command, flags);
  const kind = flags === SHARED ? 'shared' : 'crash';
  const tasks: Task[] = [];
  try {
    for (const [index, play] of PLAYS.filter(({ name }) => name.includes(only)).entries()) {
      const writes = await undisturbed(play, world, `play-${index}`);
      log(`${play.name}: ${writes.length} writes${flags === SHARED ? ', inventories shared' : ''}`);
      const points = writes.flatMap((_, at) => [
        { write: at + 1, side: 'before' as const, reverted: false },
        { write: at + 1, side: 'after' as const, reverted: false },
        { write: at + 1, side: 'after' as const, reverted: true },
      ]);
      for (const point of points) {
        const side = `${point.side} write ${point.write} (${writes[point.write - 1]})${point.reverted ? ', taken back' : ''}`;
        const name = `${kind}-${tasks.length}`;
        tasks.push({
          name: `${play.name}, killed ${side}${flags === SHARED ? ', inventories shared' : ''}`,
          flags,
          async run(at) {
            const { problems, killedAt } = await crashAt(play, point, { world: at, name });
            report.crashed(problems, killedAt !== undefined);
            return problems;
          },
        });
      }
    }
  } finally {
    await world.close();
  }
  return tasks;
}

function seedTasks(seeds: readonly number[], report: Report): Task[] {
  return seeds.map((seed) => ({
    name: `SEED=${seed}`,
    flags: seed % SHARED_EVERY === 0 ? SHARED : {},
    async run(world) {
      const result = await playSeed(seed, world);
      report.seeded(result);
      const told = [...result.problems, ...result.wronglyDeleted.map((one) => `wrongly deleted: ${one}`)];
      if (told.length === 0) return [];
      const plot = [`changes: ${result.changes.join(', ')}`, `faults: ${JSON.stringify([...result.faults])}`];
      return [...plot, ...told, `what the agent logged: ${await keepLog(seed, world)}`];
    },
  }));
}

/** A violation may not come again. */
async function keepLog(seed: number, world: World): Promise<string> {
  const folder = join(RUN_FOLDER, 'faults');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `seed-${seed}.log`);
  await writeFile(file, await world.agentLog());
  return file;
}

async function main(): Promise<number> {
  const signal = untilSignal();
  const seed = numberOf('SEED', -1);
  const lanes = numberOf('LANES', LANES);
  const begun = performance.now();
  const bench = await openBench(signal, log);
  const report = new Report();
  let brokenOff = 0;
  try {
    const seeds = seed >= 0 ? [seed] : Array.from({ length: numberOf('SCENARIOS', SCENARIOS) }, (_, index) => index + 1);
    const crashes = seed >= 0 ? [] : [...(await crashTasks(bench, report)), ...(await crashTasks(bench, report, SHARED))];
    const tasks = [...crashes, ...seedTasks(seeds, report)];
    // Those of the same settings one after the other: each change of settings costs a world.
    tasks.sort((one, other) => Number(one.flags === SHARED) - Number(other.flags === SHARED));
    await playAll(bench, tasks, {
      lanes,
      signal,
      onDone(done, violation) {
        if (violation?.problems.some((problem) => problem.startsWith('it broke off'))) brokenOff += 1;
        if (violation) log(`VIOLATED ${violation.name}\n  ${violation.problems.join('\n  ')}`);
        if (done % EVERY === 0) log(`${done} of ${tasks.length} played after ${Math.round((performance.now() - begun) / 1_000)} s`);
      },
    });
  } finally {
    await bench.close();
  }
  console.log(report.text());
  if (brokenOff > 0) console.log(`${brokenOff} broke off`);
  return signal.aborted ? 130 : report.ok && brokenOff === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  log(messageOf(error));
  process.exitCode = 1;
}
