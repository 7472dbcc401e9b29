import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Exit, logTail, type ManagedProcess, startProcess } from '#dev/lifeline.ts';
import { freePorts } from '#dev/ports.ts';
import { PROGRAM_STARTS } from '#dev/program-start.ts';
import { shipped } from './shipped-programs.ts';

/** On a busy machine. */
const READY_DEADLINE_MS = 45_000;
const STOP_DEADLINE_MS = 15_000;
const POLL_MS = 50;

export interface AgentOptions {
  namespace: string;
  /** Absent: it finds what the kubelet mounts into a Pod. */
  kubeconfig?: string;
  /** Beside PATH; of agentPod where there is no kubeconfig. */
  environment?: Record<string, string>;
  kustomize: string;
  /** Of the log and the cache. */
  folder: string;
  /** More settings: `{ 'min-interval': '10s' }`. */
  flags?: Record<string, string>;
  /** Started instead of the agent as it is shipped: a command and what stands before the settings. */
  program?: readonly [command: string, ...args: string[]];
}

/** The agent as a process of its own. */
export interface AgentProcess {
  pid: number;
  /** `http://127.0.0.1:PORT`, with /healthz and /readyz. */
  healthUrl: string;
  /** Everything that it, and its predecessors in the same folder, have logged. */
  log(): Promise<string>;
  /** SIGTERM. Resolves when it has ended. */
  stop(): Promise<Exit>;
  /** SIGKILL. */
  kill(): Promise<Exit>;
}

function settingsOf({ namespace, kubeconfig, kustomize, folder, flags = {} }: AgentOptions, healthAddress: string): string[] {
  const settings = {
    namespace,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    kustomize,
    'cache-dir': join(folder, 'cache'),
    'health-address': healthAddress,
    'min-interval': '1s',
    // So that one which follows a killed one need not wait for long.
    'lease-duration': '2s',
    ...flags,
  };
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
}

/** Starts the agent by path and resolves when it is ready; rejects with the end of its log where it does not get there. */
export async function startAgentProcess(options: AgentOptions): Promise<AgentProcess> {
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const healthUrl = `http://${address}`;
  const logFile = join(options.folder, 'agent.log');
  // As in a Pod: nothing of the developer's own environment may help it.
  const env = { PATH: process.env['PATH'], ...PROGRAM_STARTS['lateen-agent'].environment, ...options.environment };
  const [command, ...args] = options.program ?? shipped('lateen-agent');
  args.push(...settingsOf(options, address));
  const started = await startProcess({ name: 'lateen-agent', command, args, logFile, env });
  await untilReady(started, healthUrl);
  return {
    pid: started.pid,
    healthUrl,
    log: () => readFile(logFile, 'utf8'),
    async stop() {
      await started.stop(STOP_DEADLINE_MS);
      return started.exited;
    },
    async kill() {
      await started.stop();
      return started.exited;
    },
  };
}

async function untilReady(started: ManagedProcess, healthUrl: string): Promise<void> {
  let ended: Exit | undefined;
  void started.exited.then((exit) => (ended = exit));
  for (const until = Date.now() + READY_DEADLINE_MS; Date.now() < until && !ended; await sleep(POLL_MS)) {
    const answer = await fetch(`${healthUrl}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok) return;
  }
  await started.stop();
  throw new Error(`lateen-agent did not get ready (${JSON.stringify(ended)}); the end of its log:\n${await logTail(started.logFile)}`);
}
