import type { Application } from '#api/application.ts';
import { parseDuration } from '#api/duration.ts';
import { annotation } from '#api/names.ts';
import { getApplication } from './applications.ts';
import { type Cluster, withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { propertiesOf } from './git-block.ts';
import type { Io } from './io.ts';
import { askToPull, foreignHolder } from './pull-now.ts';
import { outcomes, pendingOf } from './reconcile-outcome.ts';
import { waitForApplication } from './application-watch.ts';

const DEFAULT_TIMEOUT = '60s';
/** An agent answers within a second or two; a slow Git server may take longer. */
const HINT_AFTER_MS = 10_000;

/** `lateen reconcile APP [--timeout DURATION]`: asks the agent to pull now, and waits until it has. */
export async function reconcile(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, timeout = DEFAULT_TIMEOUT } = options;
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === undefined || timeoutMs <= 0) {
    throw new CommandError(exit.usage, `--timeout: received ${JSON.stringify(timeout)}`, 'write a Go duration such as 60s or 5m');
  }
  return withCluster(io, options, async (cluster) => {
    const names = componentsToPull(io, await getApplication(cluster, app));
    const token = await askToPull(cluster, app, io.clock.now());
    return settle(io, cluster, { app, names, token, timeoutMs, timeout });
  });
}

/** The kustomize components that will be pulled; says which will not. */
function componentsToPull(io: Io, application: Application): string[] {
  const { name, namespace } = application.metadata;
  const holder = foreignHolder(application);
  if (holder !== undefined) {
    throw new CommandError(
      exit.no,
      `the Application ${name} belongs to another controller: ${annotation.controllerVersionRequire} is ${JSON.stringify(holder)}`,
    );
  }
  const components = (application.spec?.components ?? []).filter(({ type }) => type === 'kustomize');
  if (components.length === 0) {
    throw new CommandError(
      exit.no,
      `the Application ${name} in the namespace ${namespace} has no kustomize component: there is nothing to pull`,
    );
  }
  const suspended = components.filter((component) => propertiesOf(component)?.suspend).map((component) => component.name);
  for (const component of suspended) io.stdout.write(`${component}: suspended; nothing is pulled until suspend is false\n`);
  if (suspended.length === components.length)
    throw new CommandError(exit.no, `every kustomize component of ${name} is suspended: nothing was pulled`);
  return components.map((component) => component.name).filter((component) => !suspended.includes(component));
}

interface Run {
  app: string;
  names: string[];
  token: string;
  timeoutMs: number;
  timeout: string;
}

async function settle(io: Io, cluster: Cluster, run: Run): Promise<Exit> {
  const { app, names, token, timeoutMs, timeout } = run;
  const answered = new AbortController();
  let latest: Application | undefined;
  void io.clock.sleep(HINT_AFTER_MS, answered.signal).then(
    () =>
      io.stderr.write(
        `No answer yet. Is an agent running for the namespace ${cluster.namespace}? (lateen-agent --namespace ${cluster.namespace})\n`,
      ),
    () => undefined,
  );
  const until = (application: Application): boolean => {
    latest = application;
    return pendingOf(application, names, token).length === 0;
  };
  const done = await waitForApplication(io, cluster, { name: app, timeoutMs, until }).finally(() => answered.abort());
  if (done) return print(io, outcomes(done, names));
  const left = latest ? pendingOf(latest, names, token) : names;
  throw new CommandError(
    exit.timeout,
    `the agent did not pull ${left.join(', ')} within ${timeout}`,
    `check that an agent runs for the namespace ${cluster.namespace}; lateen status ${app} -n ${cluster.namespace} shows more`,
  );
}

function print(io: Io, results: ReturnType<typeof outcomes>): Exit {
  for (const { text } of results) io.stdout.write(`${text}\n`);
  return results.some(({ failed }) => failed) ? exit.no : exit.yes;
}
