import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { agentKubeconfig } from './agent-access.ts';
import { agentLogTail } from './agent-log.ts';
import type { Keeper } from './keeper.ts';
import { CHECKOUT, RUN_FOLDER } from './keeper-state.ts';
import { freePorts } from './ports.ts';

/** Measured: under a second; two busy cores may take a few. */
const READY_DEADLINE_MS = 30_000;
const POLL_MS = 50;

export interface AgentOptions {
  namespace: string;
  /** More settings of lateen-agent as flags: `{ 'min-interval': '1s' }`. */
  flags?: Record<string, string>;
  /** Values of charts/lateen-agent for its Role. */
  values?: Record<string, unknown>;
  /** Leaves an agent of that namespace that runs alone; else it is stopped first. */
  keep?: boolean;
}

export interface RunningAgent {
  /** Under which the keeper knows it. */
  name: string;
  logFile: string;
  /** False where one was kept. */
  started: boolean;
}

function agentName(namespace: string): string {
  return `lateen-agent-${namespace}`;
}

/** The command of an agent with the rights that its chart gives it and nothing else. */
async function agentCommand(keeper: Keeper, options: AgentOptions, healthAddress: string): Promise<string[]> {
  const { namespace, flags = {}, values = {} } = options;
  const folder = join(RUN_FOLDER, 'agents');
  await mkdir(folder, { recursive: true });
  const kubeconfig = await agentKubeconfig(keeper.plane, { namespace, values, file: join(folder, `${namespace}.kubeconfig`) });
  const settings = {
    namespace,
    kubeconfig,
    kustomize: keeper.plane.programs.kustomize,
    'cache-dir': join(folder, `${namespace}.cache`),
    'health-address': healthAddress,
    ...flags,
  };
  return [join(CHECKOUT, 'bin/lateen-agent'), ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`)];
}

/** Starts the agent of a namespace under the keeper and waits until it is ready. */
export async function startAgent(keeper: Keeper, options: AgentOptions): Promise<RunningAgent> {
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const name = agentName(options.namespace);
  const logFile = join(RUN_FOLDER, 'agents', `${options.namespace}.log`);
  const argv = await agentCommand(keeper, options, address);
  const { started } = await keeper.start({ name, argv, logFile, keep: options.keep ?? false });
  if (!started) return { name, logFile, started };
  const until = Date.now() + READY_DEADLINE_MS;
  while (Date.now() < until) {
    const ready = await fetch(`http://${address}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      (one) => one.ok,
      () => false,
    );
    if (ready) return { name, logFile, started };
    const { programs } = await keeper.status();
    if (programs.every((program) => program.name !== name || !program.running)) break;
    await sleep(POLL_MS);
  }
  throw new Error(`the agent of namespace ${options.namespace} did not get ready; the end of ${logFile}:\n${await agentLogTail(logFile)}`);
}
