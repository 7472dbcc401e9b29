import { ApiError } from '#agent/cluster/client.ts';
import type { Application } from '#api/application.ts';
import { parseDuration } from '#api/duration.ts';
import { waitForApplication } from './application-watch.ts';
import { getApplication } from './applications.ts';
import { type Cluster, withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { type CommitMemory, commitVerdict } from './commit-verdict.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import type { Io } from './io.ts';
import { askToPull, foreignHolder } from './pull-now.ts';
import { gitParentOf } from './publish-rules.ts';
import { listRevisions } from './revisions.ts';
import type { Verdict } from './verdict.ts';
import { formerVerdict, versionVerdict } from './version-verdict.ts';

const DEFAULT_TIMEOUT = '5m';
const COMMIT = /^[0-9a-f]{7,64}$/;

const STATUS = { done: exit.yes, failed: exit.no, held: exit.held, superseded: exit.superseded } as const;

/** `lateen wait APP --commit SHA|--version V [--timeout DURATION]`: until it is applied and healthy, or never will be. */
export async function wait(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, timeout = DEFAULT_TIMEOUT } = options;
  const wanted = wantedOf(options);
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === undefined || timeoutMs <= 0)
    throw new CommandError(exit.usage, `--timeout: received ${JSON.stringify(timeout)}`, 'write a Go duration such as 60s or 5m');
  return withCluster(io, options, async (cluster) => {
    const application = await getApplication(cluster, app);
    const judge =
      'commit' in wanted ? judgeCommit(io, application, wanted.commit) : await judgeVersion(cluster, application, wanted.version);
    let verdict: Verdict = { state: 'waiting', text: '' };
    const until = (now: Application): boolean => {
      const { text } = verdict;
      verdict = judge(now);
      if (verdict.state === 'waiting' && verdict.text !== text) io.stderr.write(`Waiting: ${verdict.text}.\n`);
      return verdict.state !== 'waiting';
    };
    const settled = until(application);
    if (verdict.unpulled && foreignHolder(application) === undefined) await pullNow(io, cluster, app);
    if (!settled) await waitForApplication(io, cluster, { name: app, timeoutMs, until });
    return answer(io, verdict, { app, timeout, wanted });
  });
}

type Wanted = { commit: string } | { version: string };

function wantedOf({ argument: app, commit, version }: Invocation): Wanted {
  if ((commit === undefined) === (version === undefined))
    throw new CommandError(exit.usage, 'one of --commit and --version is needed', `write lateen wait ${app} --commit SHA`);
  if (version !== undefined) return { version };
  const id = (commit ?? '').toLowerCase();
  if (COMMIT.test(id)) return { commit: id };
  throw new CommandError(exit.usage, `--commit: received ${JSON.stringify(commit)}`, 'write the id of a commit, seven digits or more');
}

type Judge = (application: Application) => Verdict;

function judgeCommit(io: Io, application: Application, commit: string): Judge {
  const { name } = application.metadata;
  if (!(application.spec?.components ?? []).some(({ type }) => type === 'kustomize')) {
    const parent = gitParentOf(application);
    const remedy =
      parent === undefined
        ? `wait for a version: lateen wait ${name} --version V`
        : `wait for what applies it: lateen wait ${parent} --commit SHA`;
    throw new CommandError(exit.no, `the Application ${name} has no kustomize component, so it applies no commit`, remedy);
  }
  const memory: CommitMemory = { sinceMs: io.clock.now(), holding: new Set(), tips: new Map() };
  return (now) => commitVerdict(now, commit, memory, io.clock.now());
}

async function judgeVersion(cluster: Cluster, application: Application, version: string): Promise<Judge> {
  const former = formerVerdict(application, version, await listRevisions(cluster, application.metadata.name));
  let ran = false;
  return (now) => {
    if (former) return former;
    const verdict = versionVerdict(now, version, ran);
    ran ||= now.status?.workflow?.appRevision === version;
    return verdict;
  };
}

/**
 * Once, so that a wait of a minute is enough for an interval of ten, and so that the status tells a commit which changes nothing in
 * the folder of the component. Whoever may only read waits for the interval.
 */
async function pullNow(io: Io, cluster: Cluster, app: string): Promise<void> {
  try {
    await askToPull(cluster, app, io.clock.now());
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    io.stderr.write(`The agent was not asked to pull now, and pulls at its interval: ${error.message}\n`);
  }
}

function answer(io: Io, { state, text }: Verdict, asked: { app: string; timeout: string; wanted: Wanted }): Exit {
  const { app, timeout, wanted } = asked;
  if (state === 'done') {
    io.stdout.write(`${text}\n`);
    return exit.yes;
  }
  if (state !== 'waiting') throw new CommandError(STATUS[state], text);
  const remedy =
    'commit' in wanted
      ? `lateen status ${app} shows more; where the commit was pushed after the wait began, lateen reconcile ${app} lets the agent pull it now`
      : `lateen status ${app} shows more`;
  throw new CommandError(exit.timeout, `${text}, and that did not change within ${timeout}`, remedy);
}
