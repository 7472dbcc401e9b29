import { once } from 'node:events';
import type { Server } from 'node:http';
import pLimit from 'p-limit';
import { systemClock } from '#core/clock.ts';
import { messageOf, toError } from '#core/errors.ts';
import { untilSignal } from '#core/lifecycle.ts';
import { createLog, type Log } from '#core/log.ts';
import { createRedactor, type Redactor } from '#core/redact.ts';
import { readSettings, type Settings, settingsHelp, UsageError } from '#core/settings.ts';
import { Supervisor } from './application/supervisor.ts';
import { type Client, createClient } from './cluster/client.ts';
import { inClusterConnection, kubeconfigConnection } from './cluster/connection.ts';
import { createEventRecorder } from './cluster/events.ts';
import { LiveObjects } from './cluster/live-objects.ts';
import { credentialsFromSecret } from './git/credentials.ts';
import { createGit } from './git/git.ts';
import { startHealthServer } from './health-server.ts';
import { agentSettings } from './settings.ts';
import { Autoscalers } from './sync/autoscalers.ts';
import { Claims } from './sync/claims.ts';
import { failureFields, failureOf } from './sync/failures.ts';
import { Inventories } from './sync/inventories.ts';
import { Secrets } from './sync/secrets.ts';
import { Sources } from './sync/source.ts';
import { VERSION } from './version.ts';

type AgentSettings = Settings<typeof agentSettings>;

/** Builds side by side: each is a process of its own and up to 100 MB. */
const BUILDS = 2;
const BUILD_TIMEOUT_MS = 30_000;
/** How long a stop may take before the process ends anyway. */
const STOP_DEADLINE_MS = 10_000;
const START_RETRY_MS = 5_000;

const HELP = `lateen-agent ${VERSION}: reconciles the KubeVela Applications of one namespace from Git.

Usage: lateen-agent --namespace NS [settings]

Each setting is a flag or an environment variable; the flag wins.

${settingsHelp(agentSettings)}
`;

async function connect(settings: AgentSettings, log: Log): Promise<Client> {
  const { kubeconfig, context } = settings;
  const connection =
    kubeconfig || context
      ? await kubeconfigConnection({ ...(kubeconfig ? { path: kubeconfig } : {}), ...(context ? { context } : {}) })
      : inClusterConnection();
  return createClient(connection, { log, userAgent: `lateen-agent/${VERSION}`, maxInFlight: settings.maxRequests });
}

/** Everything that the agent consists of, wired. */
function assemble(settings: AgentSettings, client: Client, plumbing: { log: Log; redactor: Redactor }): Agent {
  const { log, redactor } = plumbing;
  const { namespace } = settings;
  const random = Math.random;
  const clock = systemClock;
  const git = createGit({ cacheDir: settings.cacheDir, redactor, log });
  const live = new LiveObjects(client, { namespace, clock, random, log });
  const events = createEventRecorder(client, { namespace, redactor, log, clock });
  const secrets = new Secrets(client, { namespace, clock, random, log, onChange: (name) => sources.secretChanged(name) });
  const credentials = async (name: string, url: string) => credentialsFromSecret(await secrets.read(name), name, url);
  const sources = new Sources({ namespace, git, credentials, clock, random, log });
  const supervisor = new Supervisor({
    client,
    live,
    inventories: new Inventories({ client, namespace, log }),
    claims: new Claims(() => clock.now()),
    autoscalers: new Autoscalers(live),
    namespace,
    clock,
    random,
    events,
    log,
    sources,
    build: { kustomize: settings.kustomize, timeoutMs: BUILD_TIMEOUT_MS, limit: pLimit(BUILDS) },
    mode: settings.applications,
    minIntervalMs: settings.minInterval,
    gitTimeoutMs: settings.gitTimeout,
  });
  return {
    start: (signal) => supervisor.start(signal),
    async stop() {
      await supervisor.stop();
      await Promise.all([sources.stop(), secrets.stop()]);
      live.stop();
      await events.drain();
      await git.close();
      client.transport.close();
    },
  };
}

interface Agent {
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the agent, again and again while the API server or the CRDs are not there, with one clear line each time. */
async function startUntilReady(agent: Agent, log: Log, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await agent.start(signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      log.warn('not ready yet', failureFields(failureOf(error, 'watch Applications')));
      await systemClock.sleep(START_RETRY_MS, signal).catch(() => undefined);
    }
  }
  return false;
}

async function run(settings: AgentSettings): Promise<number> {
  const redactor = createRedactor();
  const log = createLog({ level: settings.logLevel, redactor, write: (line) => process.stdout.write(line) });
  const signal = untilSignal();
  process.on('unhandledRejection', (error) => log.error('unhandled rejection', { error: messageOf(error), stack: toError(error).stack }));
  log.info('lateen-agent', { version: VERSION, node: process.version, namespace: settings.namespace, applications: settings.applications });
  const client = await connect(settings, log);
  const agent = assemble(settings, client, { log, redactor });
  let ready = false;
  const server: Server = await startHealthServer(settings.healthAddress, {
    live: () => undefined,
    ready: () => (ready ? undefined : 'the Applications of the namespace are not known yet'),
  });
  ready = await startUntilReady(agent, log, signal);
  if (ready) log.info('ready', { namespace: settings.namespace });
  if (!signal.aborted) await once(signal, 'abort');
  log.info('stopping');
  ready = false;
  const forced = setTimeout(() => process.exit(1), STOP_DEADLINE_MS);
  forced.unref();
  server.close();
  await agent.stop();
  log.info('stopped');
  return 0;
}

async function main(argv: string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  if (argv.includes('--version')) {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  try {
    return await run(readSettings(agentSettings, argv, process.env));
  } catch (error) {
    const hint = error instanceof UsageError ? '\nlateen-agent --help lists every setting.' : '';
    process.stderr.write(`lateen-agent: ${messageOf(error)}${hint}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
