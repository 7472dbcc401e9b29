import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent } from './agent-run.ts';
import type { Laboratory } from './laboratory.ts';
import { type Memory, memoryOf } from './process-cost.ts';

export interface Idle {
  seconds: number;
  agent: Memory;
  bareNode: Memory;
  rssRatio: number;
}

/** Part (e): an agent of a namespace without Applications, and a Node that does nothing. */
export async function idle(laboratory: Laboratory, seconds: number): Promise<Idle> {
  const agent = await startAgent({ laboratory, place: await laboratory.place() });
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)'], { stdio: ['ignore', 'ignore', 'ignore'] });
  try {
    await once(bare, 'spawn');
    await sleep(seconds * 1000);
    const [ours, bareNode] = [await agent.memory(), await memoryOf(bare.pid!)];
    return { seconds, agent: ours, bareNode, rssRatio: ours.rssMb / bareNode.rssMb };
  } finally {
    bare.kill('SIGKILL');
    await agent.stop();
  }
}
