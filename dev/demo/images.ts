import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../ports.ts';
import { pushUrl } from '../git-endpoint.ts';
import { RUN_FOLDER } from '../keeper-state.ts';
import { programs } from '../programs.ts';
import { registryArguments, registryReady, registryTags } from '../registry.ts';
import { SEED_REPOSITORY } from '../seed.ts';
import { shownPath } from '../shell-setup.ts';
import type { Bench, Chapter, Stage, Try } from './chapter.ts';
import { cloneFolder, DEMO_NAMESPACE, removeApplications, removeClone, restoreSeed } from './prepare.ts';

const NAME = 'images';
const APPLICATION = 'image-gitops';
const IMAGE = 'fogdong/test-fog';
const OLD_TAG = 'latest';
const FIRST_TAG = 'master-cba5605f-1632714412';
const SECOND_TAG = 'master-c38379ba-1634977126';
const FOLDER = join(RUN_FOLDER, 'registry');
const CLONE = shownPath(cloneFolder(NAME));
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: DEMO_NAMESPACE, name: 'my-app' };

/** The second example of the seed document. */
export const images: Chapter = {
  name: NAME,
  title: 'a new tag in the registry becomes a commit in Git and a rollout',

  async prepare(bench) {
    const host = await ensureRegistry(bench);
    await removeApplications(bench, [APPLICATION, 'my-app']);
    await restoreSeed(bench);
    await removeClone(NAME);
    const tags = registryTags(host);
    await tags.remove(IMAGE, [FIRST_TAG, SECOND_TAG]);
    await tags.push(IMAGE, [OLD_TAG]);
  },

  async play(stage, bench) {
    const host = await hostOf();
    const { crane } = await programs(['crane'], { log: bench.log, signal: bench.signal });
    await deploy(stage, bench, host);
    await pushTag(stage, bench, { host, crane: shownPath(crane), tag: FIRST_TAG });
    await showCommit(stage);
    await pushTag(stage, bench, { host, crane: shownPath(crane), tag: SECOND_TAG });
    await stage.run(`lateen image explain ${APPLICATION}`);
  },

  tries,
};

/** The registry runs under the keeper, as the agents do, and at the same address until `make down`. */
async function ensureRegistry({ keeper, log, signal }: Bench): Promise<string> {
  const { crane } = await programs(['crane'], { log, signal });
  await mkdir(join(FOLDER, 'blobs'), { recursive: true });
  const known = await hostOf().catch(() => undefined);
  const host = known ?? `127.0.0.1:${(await freePorts(1))[0]!}`;
  await writeFile(join(FOLDER, 'host'), host);
  const argv = [crane, ...registryArguments(host, FOLDER)];
  await keeper.start({ name: 'registry', keep: true, argv, logFile: join(FOLDER, 'registry.log') });
  await registryReady(host);
  return host;
}

function hostOf(): Promise<string> {
  return readFile(join(FOLDER, 'host'), 'utf8');
}

async function deploy({ say, run, until }: Stage, bench: Bench, host: string): Promise<void> {
  const { git } = bench.keeper.plane;
  const user = git.users.find(({ write }) => write)!;
  say('The repository has an Application with a marker behind its image:');
  await run(`git clone --quiet --branch image ${pushUrl(git.url, git.users)}/${SEED_REPOSITORY} ${CLONE}`);
  await run(`tail -n 6 ${CLONE}/application/my-app.yaml`);
  say('The Secret of a user who may push, and the documented Application; hosts and intervals are replaced.');
  await run(
    `kubectl create secret generic git-secret --from-literal=username=${user.name} --from-literal=password=${user.password} \\\n` +
      '    --dry-run=client -o yaml | kubectl apply -f -',
  );
  await run(
    `sed -e 's|https://github.com/|${git.url}/|' -e 's|pullInterval: 1m|pullInterval: 2s|' \\\n` +
      `    -e 's|^\\( *\\)image: ghcr.io|\\1interval: 1s\\n\\1image: ${host}|' \\\n` +
      '    docs/examples/image-gitops.yaml | kubectl apply -f -',
  );
  await until('my-app runs', async () => (await imageOf(bench)) !== undefined);
  await run(`kubectl get deployment my-app -o jsonpath='{.spec.template.spec.containers[0].image}{"\\n"}'`);
}

async function pushTag(
  { say, run, until }: Stage,
  bench: Bench,
  { host, crane, tag }: { host: string; crane: string; tag: string },
): Promise<void> {
  say('A build pushes an image:');
  await run(`${crane} tag ${host}/${IMAGE}:${OLD_TAG} ${tag} 2>/dev/null`);
  const seconds = await until('my-app has the new image', async () => (await imageOf(bench)) === `${host}/${IMAGE}:${tag}`);
  say(`It was in the cluster ${seconds.toFixed(1)} s after the push:`);
  await run(`kubectl get deployment my-app -o jsonpath='{.spec.template.spec.containers[0].image}{"\\n"}'`);
}

async function showCommit({ say, run }: Stage): Promise<void> {
  say('Git says who did it, and what: one line of one file.');
  await run(`git -C ${CLONE} pull --quiet && git -C ${CLONE} log -1 --format='%an <%ae>%n%n%B'`);
  await run(`git -C ${CLONE} show -U0 --format= | tail -n 2`);
}

async function imageOf({ client }: Bench): Promise<string | undefined> {
  const deployment = (await client.get(DEPLOYMENT)) as { spec?: { template: { spec: { containers: { image: string }[] } } } } | undefined;
  return deployment?.spec?.template.spec.containers[0]?.image;
}

function tries(): Try[] {
  return [
    {
      what: 'Go back to the image before; Lateen leaves the tag alone that you took away',
      commands: [
        `git -C ${CLONE} pull --quiet`,
        `git -C ${CLONE} revert --no-edit HEAD`,
        `git -C ${CLONE} push --quiet`,
        `lateen image explain ${APPLICATION}`,
      ],
    },
    { what: 'Let it set the latest again', commands: [`lateen image resume ${APPLICATION}`] },
  ];
}
