import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Application } from '#api/application.ts';
import { CHECKOUT, RUN_FOLDER } from '../keeper-state.ts';
import { shownPath } from '../shell-setup.ts';
import type { Bench, Chapter, Stage, Try } from './chapter.ts';
import { applicationNamed, removeApplications } from './prepare.ts';

const NAME = 'versions';
const APPLICATION = 'podinfo';
const PATH = join(RUN_FOLDER, 'demo', 'podinfo.yaml');
const FILE = shownPath(PATH);

/** A publishVersion, an edit that does nothing, a version that never comes up, the way back, and an old state published again. */
export const versions: Chapter = {
  name: NAME,
  title: 'an Application runs the version that it says, and goes back to any that it has run',

  async prepare(bench) {
    await removeApplications(bench, [APPLICATION]);
    await mkdir(join(RUN_FOLDER, 'demo'), { recursive: true });
    await copyFile(join(CHECKOUT, 'docs/examples/podinfo.yaml'), PATH);
  },

  async play(stage, bench) {
    await publish(stage, bench);
    await edit(stage, bench);
    await fail(stage, bench);
    await goBack(stage, bench);
    await again(stage, bench);
  },

  tries,
};

async function publish({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('An Application with a publishVersion:');
  await run(`cat ${FILE}`);
  await run(`kubectl apply -f ${FILE}`);
  await until('alpha1 runs', () => runs(bench, 'alpha1'));
  await run(`lateen revision list ${APPLICATION}`);
}

async function edit({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('Its spec is edited, and the version is left as it is. Nothing is rolled out, and the status says so:');
  await run(`sed -i 's/podinfo:6.0.1/podinfo:6.0.xxx/' ${FILE} && kubectl apply -f ${FILE}`);
  await until('the edit is reported', async () => (await notes(bench)).includes('PublishVersionUnchanged'));
  await run(`kubectl get app ${APPLICATION} -o jsonpath='{.status.conditions[?(@.type=="Ready")].message}{"\\n"}'`);
  say('What would change? (Exit status 1: there are differences.)');
  await run(`lateen diff ${APPLICATION} || true`);
}

async function fail({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('It is published as alpha2. The image does not exist, so the new version never comes up; the old one goes on:');
  await run(`lateen publish ${APPLICATION} --version alpha2`);
  await until('the new pod waits', async () => (await stateOf(bench)) === 'alpha2 runningWorkflow' && (await podIsStuck(bench)));
  await run('kubectl get pods -l app.oam.dev/component=podinfo');
  await run(`lateen revision list ${APPLICATION}`);
}

async function goBack({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('Back to the latest version that succeeded:');
  await run(`lateen rollback ${APPLICATION}`);
  await until('alpha1 runs again', () => runs(bench, 'alpha1'));
  await run(`lateen revision list ${APPLICATION}`);
}

async function again({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('And an old state published again, under a new name:');
  await run(`lateen publish ${APPLICATION} --revision podinfo-v1 --version beta1`);
  await until('beta1 runs', () => runs(bench, 'beta1'));
  await run(`lateen revision list ${APPLICATION}`);
}

async function application({ client }: Bench): Promise<Application | undefined> {
  return (await client.get(applicationNamed(APPLICATION))) as unknown as Application | undefined;
}

async function notes(bench: Bench): Promise<string[]> {
  return ((await application(bench))?.status?.conditions ?? []).map(({ reason }) => reason);
}

async function stateOf(bench: Bench): Promise<string> {
  const { status } = (await application(bench)) ?? {};
  return `${status?.workflow?.appRevision ?? ''} ${status?.status ?? ''}`;
}

/** Its revision says so, too. */
async function runs(bench: Bench, version: string): Promise<boolean> {
  const current = await application(bench);
  const { namespace } = applicationNamed(APPLICATION);
  const name = current?.status?.latestRevision?.name ?? '';
  if (current?.status?.status !== 'running' || current.status.workflow?.appRevision !== version) return false;
  const revision = await bench.client.get({
    apiVersion: current.apiVersion,
    kind: 'ApplicationRevision',
    namespace: namespace ?? '',
    name,
  });
  return (revision?.['status'] as { succeeded?: boolean } | undefined)?.succeeded === true;
}

async function podIsStuck({ client }: Bench): Promise<boolean> {
  const kind = await client.kinds.find('v1', 'Pod');
  const { namespace = '' } = applicationNamed(APPLICATION);
  const pods = kind ? await client.list(kind, { namespace, labelSelector: 'app.oam.dev/component=podinfo' }) : [];
  return pods.some((pod) => JSON.stringify(pod['status'] ?? {}).includes('ImagePullBackOff'));
}

function tries(): Try[] {
  return [
    {
      what: 'Compare two states, and look at one:',
      commands: [`lateen diff ${APPLICATION} podinfo-v1 podinfo-v2; lateen revision get podinfo-v2`],
    },
    {
      what: 'Ask to go back where there is nothing to go back from: it lists what there is',
      commands: [`lateen rollback ${APPLICATION}; lateen rollback ${APPLICATION} --to podinfo-v1`],
    },
  ];
}
