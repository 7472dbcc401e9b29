import { messageOf } from '#core/errors.ts';
import type { FaultBench } from './plane.ts';
import { openWorld, type World } from './world.ts';

/** One scenario: what it is called, and what it does to a world. */
export interface Task {
  name: string;
  /** Settings of the agent that differ from those of the chart. */
  flags?: Record<string, string>;
  /** Resolves to what was violated. */
  run: (world: World) => Promise<string[]>;
}

export interface Violation {
  name: string;
  problems: string[];
}

/**
 * Plays the tasks, several worlds side by side. A world in which something was violated, or whose agent has other settings,
 * is left for a fresh one.
 */
export async function playAll(
  bench: FaultBench,
  tasks: readonly Task[],
  options: { lanes: number; signal: AbortSignal; onDone: (done: number, violation: Violation | undefined) => void },
): Promise<void> {
  const waiting = [...tasks];
  let done = 0;
  const lane = async (): Promise<void> => {
    let world: World | undefined;
    let settings = '';
    for (let task = waiting.shift(); task && !options.signal.aborted; task = waiting.shift()) {
      const { flags = {} } = task;
      if (JSON.stringify(flags) !== settings) {
        await world?.close();
        world = undefined;
      }
      settings = JSON.stringify(flags);
      world ??= await openWorld(bench.plane, bench.command, flags);
      const problems = await task.run(world).catch((error: unknown) => [`it broke off: ${messageOf(error)}`]);
      options.onDone(++done, problems.length > 0 ? { name: task.name, problems } : undefined);
      if (problems.length === 0) continue;
      await world.close();
      world = undefined;
    }
    await world?.close();
  };
  await Promise.all(Array.from({ length: Math.min(options.lanes, tasks.length) }, lane));
}
