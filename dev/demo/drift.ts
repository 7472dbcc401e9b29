import { join } from 'node:path';
import type { Application, ServiceStatus } from '#api/application.ts';
import { pushUrl } from '../git-endpoint.ts';
import { commitFiles } from '../git-repository.ts';
import { resetBranch, SEED_REPOSITORY } from '../seed.ts';
import { shownPath } from '../shell-setup.ts';
import type { Bench, Chapter, Stage, Try } from './chapter.ts';
import { applicationNamed, cloneFolder, configMapNamed, DEMO_NAMESPACE, removeApplications, removeClone } from './prepare.ts';

const NAME = 'drift';
const APPLICATION = 'shop';
const BRANCH = 'shop';
const PAGES = 12;
const REPLICAS = 2;
const CLONE = shownPath(cloneFolder(NAME));
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: DEMO_NAMESPACE, name: APPLICATION };

/** What people do behind the back of Git is put back; what a commit would remove too much of waits for a word. */
export const drift: Chapter = {
  name: NAME,
  title: 'what is changed behind the back of Git is put back, and a large prune waits',

  async prepare(bench) {
    await removeApplications(bench, [APPLICATION]);
    const { directory } = bench.keeper.plane.git;
    const repository = join(directory, `${SEED_REPOSITORY}.git`);
    await resetBranch(repository, BRANCH, undefined);
    await commitFiles(repository, BRANCH, shopFiles(), { message: 'Open the shop' });
    await removeClone(NAME);
  },

  async play(stage, bench) {
    await deploy(stage, bench);
    await deleted(stage, bench);
    await edited(stage, bench);
    await held(stage, bench);
  },

  tries,
};

function shopFiles(): Record<string, string> {
  const pages = Array.from({ length: PAGES }, (_, index) => [
    `shop/pages/page-${index + 1}.yaml`,
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: page-${index + 1}\ndata:\n  title: Page ${index + 1}\n`,
  ]);
  return { ...Object.fromEntries(pages), 'shop/deployment.yaml': DEPLOYMENT_YAML, 'shop/service.yaml': SERVICE_YAML };
}

const DEPLOYMENT_YAML = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: ${REPLICAS}
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
        - name: web
          image: nginx:1.29
`;

const SERVICE_YAML = `apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  selector: {app: shop}
  ports:
    - port: 80
`;

async function deploy({ say, run, until }: Stage, bench: Bench): Promise<void> {
  const { git } = bench.keeper.plane;
  say('A branch with a Deployment, a Service and twelve ConfigMaps, in sync with the namespace:');
  await run(`git clone --quiet --branch ${BRANCH} ${pushUrl(git.url, git.users)}/${SEED_REPOSITORY} ${CLONE}`);
  await run(`git -C ${CLONE} config user.name Ada && git -C ${CLONE} config user.email ada@example.com`);
  await run(
    `sed -e 's|https://github.com/|${git.url}/|' -e 's|infra-gitops|${APPLICATION}|' -e 's|database-config|${APPLICATION}|' \\\n` +
      `    -e 's|pullInterval: 10m|pullInterval: 2s|' -e 's|branch: infra|branch: ${BRANCH}|' -e 's|./infrastructure|./shop|' \\\n` +
      '    docs/examples/infra-gitops.yaml | kubectl apply -f -',
  );
  await until(`${APPLICATION} is healthy`, () => healthy(bench));
  await run(`lateen tree ${APPLICATION}`);
}

async function deleted({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('Somebody deletes the Deployment:');
  await run(`kubectl delete deployment ${APPLICATION}`);
  const seconds = await until('the Deployment is back', async () => (await bench.client.get(DEPLOYMENT)) !== undefined);
  say(`It was back ${seconds.toFixed(1)} s after it was gone.`);
  // What the Application says may still be of before.
  await until('its pods are ready', async () => (await readyReplicas(bench)) === REPLICAS && (await healthy(bench)));
  await run(`kubectl get deployment ${APPLICATION}`);
}

async function edited({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('Somebody edits it:');
  await run(`KUBE_EDITOR='sed -i s/nginx:1.29/nginx:latest/' kubectl edit deployment ${APPLICATION}`);
  const seconds = await until('the image is put back', async () => (await imageOf(bench)) === 'nginx:1.29');
  say(`It was put back ${seconds.toFixed(1)} s after the edit. Each time an Event says what, and who:`);
  await until('both are told', async () => (await corrections(bench)) >= 2);
  await run(
    `kubectl get events --field-selector reason=DriftCorrected --sort-by .metadata.resourceVersion -o custom-columns=MESSAGE:.message`,
  );
}

async function held({ say, run, until }: Stage, bench: Bench): Promise<void> {
  say('A commit removes all the pages at once. Did somebody mean that?');
  await run(
    `git -C ${CLONE} rm --quiet -r shop/pages && git -C ${CLONE} commit --quiet -m 'Remove the pages' && git -C ${CLONE} push --quiet`,
  );
  await until('the prune is held', async () => (await serviceOf(bench))?.details?.['heldPrune'] !== undefined);
  say('More than ten objects: the agent asks. Everything still stands; here is the list (exit status 1):');
  await run(`lateen approve ${APPLICATION} || true`);
  await run(`lateen approve ${APPLICATION} $(git -C ${CLONE} rev-parse HEAD)`);
  await until(
    'the pages are gone',
    async () => (await bench.client.get(configMapNamed('page-12'))) === undefined && (await healthy(bench)),
  );
  await run(`lateen tree ${APPLICATION}`);
}

async function serviceOf({ client }: Bench): Promise<ServiceStatus | undefined> {
  const application = (await client.get(applicationNamed(APPLICATION))) as unknown as Application | undefined;
  return application?.status?.services?.[0];
}

async function healthy(bench: Bench): Promise<boolean> {
  const { client } = bench;
  const application = (await client.get(applicationNamed(APPLICATION))) as unknown as Application | undefined;
  const service = application?.status?.services?.[0];
  return application?.status?.status === 'running' && service?.healthy === true && service.details?.['heldPrune'] === undefined;
}

async function readyReplicas({ client }: Bench): Promise<number | undefined> {
  const deployment = (await client.get(DEPLOYMENT)) as { status?: { readyReplicas?: number } } | undefined;
  return deployment?.status?.readyReplicas;
}

async function imageOf({ client }: Bench): Promise<string | undefined> {
  const deployment = (await client.get(DEPLOYMENT)) as { spec?: { template: { spec: { containers: { image: string }[] } } } } | undefined;
  return deployment?.spec?.template.spec.containers[0]?.image;
}

async function corrections({ client }: Bench): Promise<number> {
  const kind = await client.kinds.find('v1', 'Event');
  const events = kind ? await client.list(kind, { namespace: DEMO_NAMESPACE, fieldSelector: 'reason=DriftCorrected' }) : [];
  return events.length;
}

function tries(): Try[] {
  return [
    {
      what: 'Add something by hand, and see it taken back:',
      commands: [`kubectl label service ${APPLICATION} sale=yes; sleep 2; kubectl get service ${APPLICATION} --show-labels`],
    },
    {
      what: 'Let a controller have a field of its own: what Git does not set stays:',
      commands: [`kubectl rollout restart deployment ${APPLICATION}; sleep 3; kubectl rollout status deployment ${APPLICATION}`],
    },
    {
      what: 'Bring the pages back:',
      commands: [
        `git -C ${CLONE} revert --no-edit HEAD && git -C ${CLONE} push -q`,
        `lateen reconcile ${APPLICATION} && lateen tree ${APPLICATION}`,
      ],
    },
  ];
}
