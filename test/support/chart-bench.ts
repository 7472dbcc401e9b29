import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { type Client, createClient } from '#agent/cluster/client.ts';
import { kubeconfigConnection } from '#agent/cluster/connection.ts';
import type { Application, Component } from '#api/application.ts';
import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { API_VERSION } from '#api/names.ts';
import { silentLog } from '#core/log.ts';
import { type ControlPlane, startControlPlane } from '#dev/control-plane.ts';
import { kubeconfigText } from '#dev/control-plane-files.ts';
import { type Kubelet, startKubelet } from '#dev/kubelet/kubelet.ts';
import { NODE_LABEL } from '#dev/kubelet/node.ts';
import type { PodRunner } from '#dev/kubelet/pod-runner.ts';
import { logTail } from '#dev/lifeline.ts';
import { VERSION } from '#agent/version.ts';
import { makeRootfs } from '#dev/rootfs.ts';
import { CHARTS } from './helm.ts';

const run = promisify(execFile);

const NODE = 'workbench';
const IMAGE = 'registry.test/lateen';
/** A webhook and two agents start on two busy cores. */
const HELM_DEADLINE = '120s';
const COMMAND_DEADLINE_MS = 150_000;
const DEADLINE_MS = 60_000;
const POLL_MS = 200;

/**
 * A cluster of its own, since the charts install what is there once: with helm, a node that runs the Pods of the charts from the
 * files of `make rootfs`, and a way for the API server to reach the webhook.
 */
export interface ChartBench {
  plane: ControlPlane;
  /** With all rights. */
  client: Client;
  kubelet: Kubelet;
  folder: string;
  /** What `make rootfs` has made. */
  rootfs: string;
  /** `--set=webhook.url=…`: the API server is on this machine and reaches no Service. */
  webhookUrl: string;
  /** What happened to Pods, for messages. */
  told: string[];
  helm(...args: string[]): Promise<string>;
  kubectl(...args: string[]): Promise<string>;
  /** As whoever has this kubeconfig. */
  as(kubeconfig: string): Pick<ChartBench, 'helm' | 'kubectl'>;
  /** `helm install` of a chart of this checkout, or of another folder; waits until it runs. */
  install(chart: string, namespace: string, ...args: string[]): Promise<string>;
  upgrade(chart: string, namespace: string, ...args: string[]): Promise<string>;
  /** What each chart needs here beside its own defaults: its image, and the node that runs it. */
  here: readonly string[];
  /** What a chart needs here that another one depends on. */
  subchart(name: string): string[];
  /** A namespace in which Pod Security enforces `restricted`. */
  namespace(name?: string): Promise<string>;
  /** A kubeconfig of a new ServiceAccount that has one of the built-in roles in its namespace, and nothing else. */
  person(namespace: string, role: 'admin' | 'edit' | 'view'): Promise<string>;
  /** A kubeconfig with a token of a ServiceAccount that is there. */
  kubeconfigOf(namespace: string, serviceAccount: string): Promise<string>;
  /** `kubectl apply` of a manifest. */
  applyText(text: string, namespace: string): Promise<string>;
  get(kind: string, namespace: string, name: string): Promise<KubeObject | undefined>;
  application(namespace: string, name: string): Promise<Application | undefined>;
  /** Makes or changes an Application of one component. */
  apply(namespace: string, name: string, component: Component): Promise<void>;
  untilRunning(namespace: string, name: string): Promise<void>;
  /** Asks until there is an answer. */
  eventually<Answer>(what: string, ask: () => Promise<Answer | undefined | false>): Promise<Answer>;
  /** The log of the only Pod of a namespace. */
  podLog(namespace: string): Promise<string>;
  close(): Promise<void>;
}

const HERE = [
  `--set=image.repository=${IMAGE}`,
  `--set=nodeSelector.${NODE_LABEL.replaceAll('.', '\\.')}=${NODE}`,
  `--set-json=tolerations=${JSON.stringify([{ key: NODE_LABEL, operator: 'Exists' }])}`,
];

const API_VERSIONS: Record<string, string> = {
  Application: API_VERSION,
  Deployment: 'apps/v1',
  MutatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
  ValidatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
};

export async function openChartBench(): Promise<ChartBench> {
  const { programs } = inject('plane');
  const folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  const rootfs = join(folder, 'rootfs');
  const told: string[] = [];
  const [plane] = await Promise.all([startControlPlane({ directory: join(folder, 'plane'), programs }), makeRootfs(rootfs)]);
  const client = createClient(await kubeconfigConnection({ path: plane.kubeconfig }), { log: silentLog, userAgent: 'lateen-test' });
  const images = { [`${IMAGE}:${VERSION}`]: rootfs };
  const log = (line: string): void => void told.push(line);
  const kubelet = await startKubelet({ client, server: plane.server, directory: join(folder, 'pods'), node: NODE, images, log });
  const front = await kubelet.front({ ...webhookPods(), port: 0, targetPort: 9443 });
  const programsAs = (kubeconfig: string): Pick<ChartBench, 'helm' | 'kubectl'> => commands(programs, kubeconfig);
  const admin = programsAs(plane.kubeconfig);
  const chart = (name: string): string => (name.includes('/') ? name : `${CHARTS}${name}`);
  const release = (name: string): string => name.split('/').at(-1)!;
  const application = async (namespace: string, name: string): Promise<Application | undefined> =>
    (await client.get(referenceOf('Application', namespace, name))) as Application | undefined;
  async function eventually<Answer>(what: string, ask: () => Promise<Answer | undefined | false>): Promise<Answer> {
    for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await sleep(POLL_MS)) {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    }
    const logs = await Promise.all(kubelet.pods().map(tailOf));
    throw new Error(`not ${what} within ${DEADLINE_MS / 1000} s\n${[...told.slice(-20), ...logs].join('\n')}`);
  }
  return {
    plane,
    client,
    kubelet,
    folder,
    rootfs,
    told,
    webhookUrl: `--set=webhook.url=https://127.0.0.1:${front.port}`,
    ...admin,
    as: programsAs,
    install: (name, namespace, ...args) =>
      admin.helm('install', release(name), chart(name), '--namespace', namespace, ...HERE, ...WAIT, ...args),
    upgrade: (name, namespace, ...args) =>
      admin.helm('upgrade', release(name), chart(name), '--namespace', namespace, ...HERE, ...WAIT, ...args),
    here: HERE,
    subchart: (name) => HERE.map((arg) => arg.replace(/^(--set(?:-json)?=)/, `$1${name}.`)),
    async namespace(name = `test-${randomBytes(4).toString('hex')}`) {
      await admin.kubectl('create', 'namespace', name);
      await admin.kubectl('label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted', 'lateen.dev/applications=all');
      return name;
    },
    person: (namespace, role) => personOf(plane, admin, { namespace, role, folder }),
    kubeconfigOf: (namespace, name) => kubeconfigOf(plane, admin, { namespace, name, folder }),
    async applyText(text, namespace) {
      const file = join(folder, `${randomBytes(4).toString('hex')}.yaml`);
      await writeFile(file, text);
      return admin.kubectl('apply', '-n', namespace, '-f', file);
    },
    get: (kind, namespace, name) => client.get(referenceOf(kind, namespace, name)),
    application,
    async apply(namespace, name, component) {
      const object = { apiVersion: API_VERSION, kind: 'Application', metadata: { name, namespace }, spec: { components: [component] } };
      await client.apply(object as unknown as KubeObject, { fieldManager: 'person' });
    },
    async untilRunning(namespace, name) {
      await eventually(`${name} runs`, async () => (await application(namespace, name))?.status?.status === 'running');
    },
    eventually,
    podLog: (namespace) => logOf(kubelet, namespace),
    async close() {
      await kubelet.stop();
      client.transport.close();
      await plane.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Until what was installed runs. */
export const WAIT = ['--wait', `--timeout=${HELM_DEADLINE}`];

/** The namespace in which the tests install the chart lateen. */
export const SYSTEM = 'lateen-system';

function webhookPods(): { namespace: string; labels: Record<string, string> } {
  return { namespace: SYSTEM, labels: { 'app.kubernetes.io/name': 'lateen-webhook' } };
}

function commands(programs: { helm: string; kubectl: string }, kubeconfig: string): Pick<ChartBench, 'helm' | 'kubectl'> {
  const options = { timeout: COMMAND_DEADLINE_MS, maxBuffer: 64 * 1024 * 1024 };
  return {
    helm: async (...args) => (await run(programs.helm, ['--kubeconfig', kubeconfig, ...args], options)).stdout,
    kubectl: async (...args) => (await run(programs.kubectl, ['--kubeconfig', kubeconfig, ...args], options)).stdout,
  };
}

function referenceOf(kind: string, namespace: string, name: string): ObjectReference {
  return { apiVersion: API_VERSIONS[kind] ?? 'v1', kind, ...(namespace === '' ? {} : { namespace }), name };
}

async function personOf(
  plane: ControlPlane,
  { kubectl }: Pick<ChartBench, 'kubectl'>,
  { namespace, role, folder }: { namespace: string; role: string; folder: string },
): Promise<string> {
  const name = `person-${role}`;
  await kubectl('create', 'serviceaccount', name, '-n', namespace);
  await kubectl('create', 'rolebinding', name, `--clusterrole=${role}`, `--serviceaccount=${namespace}:${name}`, '-n', namespace);
  return kubeconfigOf(plane, { kubectl }, { namespace, name, folder });
}

async function kubeconfigOf(
  plane: ControlPlane,
  { kubectl }: Pick<ChartBench, 'kubectl'>,
  { namespace, name, folder }: { namespace: string; name: string; folder: string },
): Promise<string> {
  const token = (await kubectl('create', 'token', name, '-n', namespace)).trim();
  const file = join(folder, `${namespace}-${name}.kubeconfig`);
  const text = kubeconfigText({ server: plane.server, ca: await readFile(plane.caFile, 'utf8'), token, user: name, namespace });
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

/** Where a Pod fails, its log says why. */
async function tailOf(runner: PodRunner): Promise<string> {
  const texts = runner.pod.spec.containers.map(({ name }) => logTail(runner.logFile(name)));
  return `${runner.pod.metadata.name}:\n${(await Promise.all(texts)).join('\n')}`;
}

async function logOf(kubelet: Kubelet, namespace: string): Promise<string> {
  const texts = kubelet.pods(namespace).flatMap((runner) => {
    const { initContainers = [], containers } = runner.pod.spec;
    return [...initContainers, ...containers].map(({ name }) => readFile(runner.logFile(name), 'utf8').catch(() => ''));
  });
  return (await Promise.all(texts)).join('');
}
