import type { Application } from '#api/application.ts';
import { pushUrl } from '../git-endpoint.ts';
import { SEED_REPOSITORY } from '../seed.ts';
import { shownPath } from '../shell-setup.ts';
import type { Bench, Chapter, Stage, Try } from './chapter.ts';
import { applicationNamed, cloneFolder, configMapNamed, removeApplications, removeClone, restoreSeed } from './prepare.ts';

const NAME = 'sync';
const APPLICATION = 'infra-gitops';
const INTERVAL = '2s';
const CONFIG = 'my-second-config';

/** The clone as it is written in commands. */
const CLONE = shownPath(cloneFolder(NAME));
const CONFIG_FILE = 'infrastructure/server-config.yaml';

/** The first example of the seed document. */
export const sync: Chapter = {
  name: NAME,
  title: 'a folder of a Git repository is kept in sync with a namespace',

  async prepare(bench) {
    // The lists of this chapter show the whole namespace: what later chapters left goes too.
    await removeApplications(bench, [APPLICATION, 'server', 'shop', 'image-gitops', 'my-app', 'podinfo']);
    await restoreSeed(bench);
    await removeClone(NAME);
  },

  async play(stage, bench) {
    await showRepository(stage, bench);
    await deploy(stage, bench);
    await pushChange(stage, bench);
    await pushRemoval(stage, bench);
    await pushRestoration(stage, bench);
  },

  tries,
};

async function showRepository({ say, run }: Stage, { keeper }: Bench): Promise<void> {
  const url = pushUrl(keeper.plane.git.url, keeper.plane.git.users);
  say('The repository has a folder with two manifests: an Application of KubeVela and a ConfigMap.');
  await run(`git clone --quiet ${url}/${SEED_REPOSITORY} ${CLONE}`);
  await run(`git -C ${CLONE} config user.name Ada && git -C ${CLONE} config user.email ada@example.com`);
  await run(`head -n 20 ${CLONE}/infrastructure/*.yaml`);
}

async function deploy({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('Another Application says what to pull. Only the host of the URL and the interval of the documented one are replaced.');
  await run(
    `sed -e 's|https://github.com/|${bench.keeper.plane.git.url}/|' -e 's|pullInterval: 10m|pullInterval: ${INTERVAL}|' \\\n` +
      '    docs/examples/infra-gitops.yaml | kubectl apply -f -',
  );
  await until(
    `the Applications ${APPLICATION} and server are healthy`,
    async () => (await healthy(bench, APPLICATION)) && healthy(bench, 'server'),
  );
  say('The agent of the namespace has pulled it: the Application server runs, and the ConfigMap is there.');
  await run('lateen ls');
  await run('kubectl get app');
  await run('kubectl get configmap server-config');
  await run(`lateen status ${APPLICATION}`);
}

async function pushChange({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('From now on Git is all you need. Change the ConfigMap there:');
  await run(`sed -i 's/config: my-config/config: ${CONFIG}/' ${CLONE}/${CONFIG_FILE}`);
  await run(`git -C ${CLONE} commit --quiet -am 'Give the server another config'`);
  await run(`git -C ${CLONE} push --quiet`);
  const seconds = await until('the new config is in the cluster', async () => (await configOf(bench)) === CONFIG);
  say(`It was in the cluster ${seconds.toFixed(1)} s after the push; the agent pulls every ${INTERVAL}.`);
  await run(`kubectl get configmap server-config -o jsonpath='{.data.config}{"\\n"}'`);
}

async function pushRemoval({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('What leaves the repository leaves the cluster:');
  await run(`git -C ${CLONE} rm --quiet ${CONFIG_FILE}`);
  await run(`git -C ${CLONE} commit --quiet -m 'Remove the config'`);
  await run(`git -C ${CLONE} push --quiet`);
  const seconds = await until(
    'server-config is removed',
    async () => (await bench.client.get(configMapNamed('server-config'))) === undefined,
  );
  say(`It was removed ${seconds.toFixed(1)} s after the push. The lateen-… list what each Application has applied.`);
  await run('kubectl get configmap --ignore-not-found server-config lateen-infra-gitops lateen-server');
}

async function pushRestoration({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('And what is taken back in Git comes back:');
  await run(`git -C ${CLONE} revert --no-edit HEAD`);
  await run(`git -C ${CLONE} push --quiet`);
  await until('server-config is back', async () => (await configOf(bench)) === CONFIG && (await healthy(bench, APPLICATION)));
  await run('kubectl get configmap server-config');
  await run('lateen ls');
}

async function healthy({ client }: Bench, name: string): Promise<boolean> {
  const { status } = (await client.get(applicationNamed(name))) as unknown as Application;
  const services = status?.services ?? [];
  return status?.status === 'running' && services.length > 0 && services.every((service) => service.healthy);
}

async function configOf({ client }: Bench): Promise<string | undefined> {
  const object = await client.get(configMapNamed('server-config'));
  return (object as { data?: Record<string, string> } | undefined)?.data?.['config'];
}

function tries(): Try[] {
  const commitAndPush = (subject: string): string => `git -C ${CLONE} commit -qam '${subject}' && git -C ${CLONE} push -q`;
  return [
    {
      what: 'Deploy another image from Git, and pull now instead of waiting for the interval:',
      commands: [
        `sed -i 's/image: nginx.*/image: nginx:1.29/' ${CLONE}/infrastructure/server.yaml`,
        commitAndPush('Use nginx 1.29'),
        `lateen reconcile ${APPLICATION} && kubectl get deployment server -o wide`,
      ],
    },
    {
      what: 'Delete something behind the back of Git, and see it come back:',
      commands: ['kubectl delete configmap server-config; sleep 3; kubectl get configmap server-config'],
    },
    {
      what: 'Push a mistake, read where it is, and take it back:',
      commands: [
        `echo 'data: {' >> ${CLONE}/${CONFIG_FILE}`,
        commitAndPush('Break the config'),
        `lateen reconcile ${APPLICATION}`,
        `git -C ${CLONE} revert --no-edit HEAD && git -C ${CLONE} push -q`,
      ],
    },
  ];
}
