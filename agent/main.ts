import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { systemClock } from '#core/clock.ts';
import { messageOf, toError } from '#core/errors.ts';
import { untilSignal } from '#core/lifecycle.ts';
import { createLog, type Log } from '#core/log.ts';
import { runProgram } from '#core/program.ts';
import { createRedactor } from '#core/redact.ts';
import { type Agent, type AgentSettings, assemble, type Plumbing } from './assembly.ts';
import { type Client, createClient } from './cluster/client.ts';
import { inClusterConnection, kubeconfigConnection } from './cluster/connection.ts';
import { Leader, type Term } from './cluster/lease.ts';
import { startHealthServer } from './health-server.ts';
import { AgentMetrics } from './metrics.ts';
import { agentSettings } from './settings.ts';
import { failureFields, failureOf } from './sync/failures.ts';
import { VERSION } from './version.ts';

/** How long a stop may take before the process ends anyway. */
const STOP_DEADLINE_MS = 10_000;
const START_RETRY_MS = 5_000;

/** Where this process stands; asked for by /readyz. */
interface Standing {
  /** Undefined while it acts, or stands by and would act at once. */
  notReady: string | undefined;
}

const STARTING = 'the Applications of the namespace are not known yet';

async function connect(settings: AgentSettings, { log, metrics }: Plumbing, mayWrite: () => void): Promise<Client> {
  const { kubeconfig, context } = settings;
  const connection =
    kubeconfig || context
      ? await kubeconfigConnection({ ...(kubeconfig ? { path: kubeconfig } : {}), ...(context ? { context } : {}) })
      : inClusterConnection();
  return createClient(connection, {
    log,
    userAgent: `lateen-agent/${VERSION}`,
    maxInFlight: settings.maxRequests,
    beforeWrite: mayWrite,
    onAnswer: ({ method, status }) => metrics.apiRequests.add({ method, status: String(status) }),
  });
}

/** Starts the agent, again and again while the API server or the CRDs are not there, with one clear line for each reason. */
async function startUntilReady(agent: Agent, log: Log, signal: AbortSignal): Promise<boolean> {
  let told: string | undefined;
  while (!signal.aborted) {
    try {
      await agent.start(signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const failure = failureOf(error, 'watch Applications');
      if (failure.message !== told) log.warn('not ready yet', failureFields(failure));
      told = failure.message;
      await systemClock.sleep(START_RETRY_MS, signal).catch(() => undefined);
    }
  }
  return false;
}

/** Acts until the Lease is lost or the process is asked to stop. */
async function lead(term: Term, agent: Agent, around: { standing: Standing; plumbing: Plumbing; signal: AbortSignal }): Promise<void> {
  const { standing, plumbing, signal } = around;
  const { log, metrics } = plumbing;
  const over = AbortSignal.any([signal, term.lost]);
  metrics.leader.set({}, 1);
  standing.notReady = STARTING;
  if (await startUntilReady(agent, log, over)) {
    standing.notReady = undefined;
    log.info('ready');
  }
  if (!over.aborted) await once(over, 'abort');
  standing.notReady = 'stopping';
  metrics.leader.set({}, 0);
  log.info('stopping', { why: messageOf(over.reason) });
  await agent.stop();
  await term.release();
}

async function run(settings: AgentSettings): Promise<number> {
  const redactor = createRedactor();
  const log = createLog({ level: settings.logLevel, redactor, write: (line) => process.stdout.write(line) });
  const metrics = new AgentMetrics();
  const plumbing = { log, redactor, metrics };
  const signal = untilSignal();
  process.on('unhandledRejection', (error) => log.error('unhandled rejection', { error: messageOf(error), stack: toError(error).stack }));
  const { namespace, applications, leaseDuration } = settings;
  log.info('lateen-agent', { version: VERSION, node: process.version, namespace, applications });
  const client = await connect(settings, plumbing, () => leader.assertMayWrite());
  const standing: Standing = { notReady: STARTING };
  const leader = new Leader(client.transport, {
    namespace,
    identity: settings.identity || `${hostname()}_${randomBytes(4).toString('hex')}`,
    durationMs: leaseDuration,
    clock: systemClock,
    monotonicNow: () => performance.now(),
    log,
    onStandby: () => {
      standing.notReady = undefined;
    },
  });
  const server = await startHealthServer(settings.healthAddress, {
    live: () => leader.stuck(),
    ready: () => standing.notReady,
    metrics: () => metrics.text(),
  });
  signal.addEventListener('abort', () => setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref());
  while (!signal.aborted) {
    const term = await leader.acquire(signal).catch(() => undefined);
    if (term) await lead(term, assemble(settings, client, plumbing), { standing, plumbing, signal });
  }
  server.close();
  client.transport.close();
  log.info('stopped');
  return 0;
}

process.exitCode = await runProgram(
  {
    name: 'lateen-agent',
    version: VERSION,
    summary: 'reconciles the KubeVela Applications of one namespace from Git.',
    usage: '--namespace NS [settings]',
    settings: agentSettings,
    run,
  },
  process.argv.slice(2),
);
