import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '#api/kubernetes.ts';
import { systemClock } from '#core/clock.ts';
import { CHECKOUT, RUN_FOLDER } from '../keeper-state.ts';
import { freePorts } from '../ports.ts';
import { shownPath } from '../shell-setup.ts';
import { webhookConfigurations } from '../webhook.ts';
import type { Bench, Chapter, Stage, Try } from './chapter.ts';

const NAME = 'admission';
const APPLICATION = 'infra-gitops';
/** A namespace of its own: the other chapters are played without a webhook. */
const NAMESPACE = 'team-a';
const FOLDER = join(RUN_FOLDER, 'webhook');
const PATH = join(RUN_FOLDER, 'demo', 'admission.yaml');
const FILE = shownPath(PATH);
/** The kubeconfig library alone takes seconds to load. */
const READY_MS = 30_000;
const POLL_MS = 200;

/** What is wrong is said at kubectl apply, and before it by lateen check. */
export const admission: Chapter = {
  name: NAME,
  title: 'kubectl apply says what is wrong, where, and how to mend it',

  async prepare(bench) {
    const { client, signal } = bench;
    await client.apply(namespace(), { signal });
    const port = await startWebhook(bench);
    for (const one of webhookConfigurations({ url: `https://127.0.0.1:${port}`, namespaces: [NAMESPACE] }))
      await client.apply(one, { signal });
    await client.delete({ apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace: NAMESPACE, name: APPLICATION }, { signal });
    await untilJudged(bench);
    await mkdir(join(RUN_FOLDER, 'demo'), { recursive: true });
    await writeFile(PATH, WRONG);
  },

  async play(stage) {
    await denied(stage);
    await mended(stage);
  },

  tries,
};

function namespace(): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels: { 'lateen.dev/applications': 'all' } } };
}

/** An Application that no rule lets pass. */
function wrongApplication(): KubeObject {
  const spec = { components: [{ name: 'a', type: 'kustomize', properties: {} }] };
  return { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name: 'wrong', namespace: NAMESPACE }, spec };
}

const WRONG = `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: infra-gitops
spec:
  components:
  - name: database-config
    type: kustomize
    properties:
      urll: https://git.example.com/infra
      pullInterval: 2d
      path: ./infrastructure
`;

async function startWebhook({ keeper }: Bench): Promise<number> {
  await mkdir(FOLDER, { recursive: true });
  const known = Number(await readFile(join(FOLDER, 'port'), 'utf8').catch(() => ''));
  const port = known > 0 ? known : (await freePorts(1))[0]!;
  await writeFile(join(FOLDER, 'port'), String(port));
  const settings = { address: `127.0.0.1:${port}`, hosts: '127.0.0.1', namespace: NAMESPACE, kubeconfig: keeper.plane.kubeconfig };
  const argv = [join(CHECKOUT, 'bin/lateen-webhook'), ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`)];
  await keeper.start({ name: 'lateen-webhook', keep: true, argv, logFile: join(FOLDER, 'webhook.log') });
  return port;
}

/** Until it has its certificate and the API server trusts it: then a wrong Application is refused. */
async function untilJudged({ client, signal }: Bench): Promise<void> {
  const until = Date.now() + READY_MS;
  while (Date.now() < until) {
    const refused = await client.create(wrongApplication(), { dryRun: true, signal }).then(
      () => false,
      () => true,
    );
    if (refused) return;
    await systemClock.sleep(POLL_MS, signal);
  }
  throw new Error(`the webhook does not judge after ${READY_MS / 1000} s; see ${join(FOLDER, 'webhook.log')}`);
}

async function denied(stage: Stage): Promise<void> {
  stage.say(`The webhook runs in front of the API server. An Application with mistakes, for the namespace ${NAMESPACE}:`);
  await stage.run(`cat ${FILE}`);
  stage.say('It is refused, with all of its mistakes at once:');
  await stage.run(`kubectl apply -n ${NAMESPACE} -f ${FILE} || true`);
  stage.say('The same is said without a cluster, before a push, with file and line:');
  await stage.run(`lateen check ${FILE} || true`);
}

async function mended(stage: Stage): Promise<void> {
  stage.say('Mended as it says. What is right and unusual is stored, with a warning:');
  await stage.run(`sed -i -e 's/urll:/url:/' -e 's/2d/48h/' ${FILE}`);
  await stage.run(`kubectl apply -n ${NAMESPACE} -f ${FILE}`);
  stage.say('The defaults are filled in, and who asked for it is noted:');
  await stage.run(`kubectl get app infra-gitops -n ${NAMESPACE} -o jsonpath='{.spec.components[0].properties}{"\\n"}'`);
  await stage.run(`kubectl get app infra-gitops -n ${NAMESPACE} -o jsonpath='{.metadata.annotations.lateen\\.dev/requested-by}{"\\n"}'`);
}

function tries(): Try[] {
  return [
    {
      what: 'change the spec of a pinned Application without a new version',
      commands: [
        `kubectl annotate app infra-gitops -n ${NAMESPACE} app.oam.dev/publishVersion=v1`,
        `kubectl patch app infra-gitops -n ${NAMESPACE} --type=json -p '[{"op":"replace","path":"/spec/components/0/properties/prune","value":false}]'`,
      ],
    },
    {
      what: 'turn the webhook off, as in an emergency',
      commands: ['kubectl delete mutatingwebhookconfiguration,validatingwebhookconfiguration lateen'],
    },
  ];
}
