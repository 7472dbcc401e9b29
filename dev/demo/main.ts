// `make demo`: plays chapters on a real control plane, and leaves everything running to go on by hand.
import { createClient } from '#agent/cluster/client.ts';
import { kubeconfigConnection } from '#agent/cluster/connection.ts';
import { messageOf } from '#core/errors.ts';
import { untilSignal } from '#core/lifecycle.ts';
import { silentLog } from '#core/log.ts';
import { startAgent } from '../agent.ts';
import { ensureKeeper } from '../keeper.ts';
import { runningState } from '../keeper-state.ts';
import type { Bench, Chapter } from './chapter.ts';
import { chaptersOf, UnknownChapter } from './chapters.ts';
import { DEMO_NAMESPACE } from './prepare.ts';
import { closing, createStage, heading, opening } from './stage.ts';

const exit = { failed: 1, usage: 2, interrupted: 130 } as const;

const log = (line: string): void => console.error(line);
const print = (text: string): void => void process.stdout.write(text);

async function openBench(signal: AbortSignal): Promise<Bench> {
  const keeper = await ensureKeeper({ log, signal });
  log(`starting the agent of namespace ${DEMO_NAMESPACE}`);
  // Anew each time: it runs the code of this checkout as it is now.
  const agent = await startAgent(keeper, { namespace: DEMO_NAMESPACE, flags: { 'min-interval': '1s' } });
  const connection = await kubeconfigConnection({ path: keeper.plane.kubeconfig });
  const client = createClient(connection, { log: silentLog, userAgent: 'lateen-demo' });
  return { keeper, client, agentLog: agent.logFile, log, print, signal };
}

async function playAll(chapters: readonly Chapter[], bench: Bench): Promise<void> {
  for (const chapter of chapters) await chapter.prepare(bench);
  const stage = createStage(bench);
  opening(chapters, bench);
  for (const chapter of chapters) {
    heading(chapter, bench);
    await chapter.play(stage, bench);
  }
  closing(chapters, bench);
}

async function main(names: string[]): Promise<number> {
  const signal = untilSignal();
  try {
    const chapters = chaptersOf(names);
    const bench = await openBench(signal);
    await playAll(chapters, bench).finally(() => bench.client.transport.close());
    return 0;
  } catch (error) {
    if (error instanceof UnknownChapter) {
      log(error.message);
      return exit.usage;
    }
    log(signal.aborted ? '\nInterrupted.' : `\n${messageOf(error)}`);
    if (await runningState()) log('What was started keeps running: make demo plays again from the start, make down stops everything.');
    return signal.aborted ? exit.interrupted : exit.failed;
  }
}

process.exitCode = await main(process.argv.slice(2));
