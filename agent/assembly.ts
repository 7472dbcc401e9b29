import { systemClock } from '#core/clock.ts';
import { createLanes } from '#core/lanes.ts';
import type { Log } from '#core/log.ts';
import type { Redactor } from '#core/redact.ts';
import type { Settings } from '#core/settings.ts';
import { Supervisor } from './application/supervisor.ts';
import type { Client } from './cluster/client.ts';
import { createEventRecorder } from './cluster/events.ts';
import { LiveObjects } from './cluster/live-objects.ts';
import { credentialsFromSecret } from './git/credentials.ts';
import { createGit } from './git/git.ts';
import { assembleImages } from './image-assembly.ts';
import type { AgentMetrics } from './metrics.ts';
import type { agentSettings } from './settings.ts';
import { Autoscalers } from './sync/autoscalers.ts';
import { Claims } from './sync/claims.ts';
import { Inventories } from './sync/inventories.ts';
import { OwnNamespace } from './sync/own-namespace.ts';
import { Secrets } from './sync/secrets.ts';
import { Sources } from './sync/source.ts';
import { VERSION } from './version.ts';

export type AgentSettings = Settings<typeof agentSettings>;

/** Builds side by side: each is a process of its own and up to 100 MB. A slow one lets others pass. */
const BUILDS = { quick: 2, slowAfterMs: 3_000, most: 4 };
const BUILD_TIMEOUT_MS = 30_000;
/**
 * Components that write side by side. More of them would only queue for the API server, and all be done at the very end; fewer
 * would leave it idle while each waits for its inventory. One that takes long (many objects) lets others pass.
 */
const WRITERS = { quick: 128, slowAfterMs: 10_000, most: 256 };

export interface Plumbing {
  log: Log;
  redactor: Redactor;
  metrics: AgentMetrics;
}

/** What reconciles, for as long as this process holds the Lease. */
export interface Agent {
  /** Resolves when the Applications of the namespace are known and worked on; throws where they cannot be known yet. */
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** Everything that the agent consists of, wired. */
export function assemble(settings: AgentSettings, client: Client, { log, redactor, metrics }: Plumbing): Agent {
  const { namespace, gitTimeout: gitTimeoutMs, quietWindow: quietWindowMs, insecureRegistries } = settings;
  const clock = systemClock;
  const around = { namespace, clock, random: Math.random, log };
  const git = createGit({ cacheDir: settings.cacheDir, userAgent: `lateen-agent/${VERSION}`, redactor, log });
  const live = new LiveObjects(client, around);
  const ownNamespace = new OwnNamespace({ ...around, client });
  const events = createEventRecorder(client, { namespace, redactor, log, clock });
  const secrets = new Secrets(client, around);
  const credentials = async (name: string, url: string) => credentialsFromSecret(await secrets.read(name), name, url);
  const sources = new Sources({ ...around, git, credentials, metrics });
  const inventories = new Inventories({ client, namespace, clock, log, sharing: settings.sharedInventories });
  const writing = { ...around, git, credentials, gitTimeoutMs, quietWindowMs };
  const { images, scans } = assembleImages({ ...writing, secrets, redactor, inventories, events, insecureRegistries, metrics });
  secrets.users.push(sources, scans);
  const supervisor = new Supervisor({
    ...around,
    client,
    redactor,
    live,
    ownNamespace,
    inventories,
    images,
    claims: new Claims(() => performance.now()),
    autoscalers: new Autoscalers(live),
    writing: createLanes(WRITERS),
    events,
    metrics,
    sources,
    authors: new Map(),
    build: { kustomize: settings.kustomize, timeoutMs: BUILD_TIMEOUT_MS, lanes: createLanes(BUILDS) },
    mode: settings.applications,
    velaCore: settings.applications === 'gitops' ? { identity: settings.velaCoreIdentity } : undefined,
    minIntervalMs: settings.minInterval,
    revisionLimit: settings.revisionLimit,
    gitTimeoutMs,
  });
  return {
    start: (signal) => supervisor.start(signal),
    async stop() {
      await supervisor.stop();
      await images.stop();
      await Promise.all([sources.stop(), secrets.stop()]);
      live.stop();
      ownNamespace.stop();
      await events.drain();
      await git.close();
    },
  };
}
