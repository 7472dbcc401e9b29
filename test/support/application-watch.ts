import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '#agent/cluster/client.ts';
import { watchKind } from '#agent/cluster/watch.ts';
import type { Application, ServiceStatus } from '#api/application.ts';
import { API_VERSION } from '#api/names.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';

/** Two busy cores, a pull a second: what takes longer does not come. */
const DEADLINE_MS = 25_000;
const POLL_MS = 100;
const TAIL_LINES = 15;

export interface ApplicationWatch {
  application(name: string): Application | undefined;
  service(application: string, component: string): ServiceStatus | undefined;
  /** Resolves to the Application as soon as it is so; rejects after a deadline with its status and the agent's last words. */
  until(name: string, what: string, isTrue: (application: Application) => boolean): Promise<Application>;
  /** Phase `running` for its current generation. */
  untilRunning(name: string): Promise<Application>;
  /** Asks until there is an answer. */
  eventually<Answer>(what: string, ask: () => Promise<Answer | undefined | false>): Promise<Answer>;
  stop(): void;
}

/** The Applications of a namespace as they are now. */
export async function watchApplications(client: Client, namespace: string, agentLog: () => Promise<string>): Promise<ApplicationWatch> {
  const kind = await client.kinds.find(API_VERSION, 'Application');
  if (!kind) throw new Error('the API server does not know Applications');
  const listeners = new Set<() => void>();
  const tell = (): void => listeners.forEach((listener) => listener());
  const watch = watchKind(client, { kind, namespace, onEvent: tell, clock: systemClock, random: Math.random, log: silentLog });
  await watch.synced;
  const find = (name: string): Application | undefined => watch.get(name) as Application | undefined;

  async function until(name: string, what: string, isTrue: (application: Application) => boolean): Promise<Application> {
    const late = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const application = find(name);
      if (application && isTrue(application)) return application;
      if (late.aborted) throw new Error(`${name}: not ${what}; ${described(application)}\n${lastLines(await agentLog())}`);
      await nextChange(listeners, late);
    }
  }

  return {
    application: find,
    service: (application, component) => find(application)?.status?.services?.find(({ name }) => name === component),
    until,
    untilRunning: (name) =>
      until(name, 'running', ({ status, metadata }) => status?.status === 'running' && status.observedGeneration === metadata.generation),
    async eventually(what, ask) {
      for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await sleep(POLL_MS)) {
        const answer = await ask();
        if (answer !== undefined && answer !== false) return answer;
      }
      throw new Error(`not ${what} within ${DEADLINE_MS / 1000} s\n${lastLines(await agentLog())}`);
    },
    stop: () => watch.stop(),
  };
}

function nextChange(listeners: Set<() => void>, late: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      listeners.delete(done);
      late.removeEventListener('abort', done);
      resolve();
    };
    listeners.add(done);
    late.addEventListener('abort', done);
  });
}

/** What tells most comes first: whoever reads the end of a long log sees few lines of it. */
function described(application: Application | undefined): string {
  if (!application) return 'it is not there';
  const { metadata, status = {} } = application;
  const conditions = (status.conditions ?? []).map(({ type, status: is, reason, message }) => `  ${type}=${is} ${reason}: ${message}`);
  const head = `version ${metadata.resourceVersion}, generation ${metadata.generation}, annotations ${JSON.stringify(metadata.annotations)}`;
  return [`it is ${status.status ?? 'without a status'}, ${head}`, ...conditions, JSON.stringify(status)].join('\n');
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}
