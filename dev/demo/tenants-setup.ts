import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubeObject } from '#api/kubernetes.ts';
import { VERSION } from '#agent/version.ts';
import { systemClock } from '#core/clock.ts';
import { kubeconfigText } from '../control-plane-files.ts';
import { commitFiles, initRepository, resetBranch } from '../git-repository.ts';
import { RUN_FOLDER } from '../keeper-state.ts';
import type { KubeletArguments } from '#dev/kubelet/main.ts';
import { NODE_LABEL } from '#dev/kubelet/node.ts';
import { logTail } from '../lifeline.ts';
import { freePorts } from '../ports.ts';
import { makeRootfs } from '../rootfs.ts';
import type { Bench } from './chapter.ts';

/** What the chapter `tenants` is played on: a node that runs the Pods of the charts, two namespaces, and two people. */

export const SYSTEM = 'lateen-system';
export const TENANTS = ['team-blue', 'team-red'] as const;
export type Tenant = (typeof TENANTS)[number];

const NODE = 'demo';
const IMAGE = 'registry.example.com/lateen';
const FOLDER = join(RUN_FOLDER, 'demo', 'tenants');
/** Values that the charts need on this machine. */
export const VALUES = join(FOLDER, 'here.yaml');
const KUBELET = join(RUN_FOLDER, 'kubelet');
const MAIN = fileURLToPath(new URL('../kubelet/main.ts', import.meta.url));
const WEBHOOK_PORT = 9443;
const DEADLINE_MS = 90_000;
const POLL_MS = 200;

export const kubeconfigOf = (tenant: Tenant): string => join(FOLDER, `${tenant}.kubeconfig`);
export const manifestOf = (tenant: Tenant): string => join(FOLDER, `${tenant}.yaml`);

/** Resolves to the port on which the API server reaches the webhook. */
export async function setUpTenants(bench: Bench): Promise<number> {
  await removeEarlier(bench);
  await mkdir(FOLDER, { recursive: true });
  const port = await startNode(bench);
  await writeFile(VALUES, VALUES_YAML);
  for (const tenant of TENANTS) {
    await bench.client.apply(namespace(tenant), { signal: bench.signal });
    await writePerson(bench, tenant);
    await writeRepository(bench, tenant);
  }
  return port;
}

const VALUES_YAML = `image:
  repository: ${IMAGE}
# The one node of this cluster that runs what a Pod says; the other only claims to.
nodeSelector:
  ${NODE_LABEL}: ${NODE}
tolerations:
  - key: ${NODE_LABEL}
    operator: Exists
`;

/** What an earlier run installed goes with its namespaces; a node that still runs has to end its Pods first. */
async function removeEarlier({ client, signal, log }: Bench): Promise<void> {
  const names = [SYSTEM, ...TENANTS];
  const reference = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', name });
  const left = await Promise.all(names.map((name) => client.get(reference(name), { signal })));
  if (left.every((object) => object === undefined)) return;
  log(`removing what an earlier run left: the namespaces ${names.join(', ')}`);
  await Promise.all(names.map((name) => client.delete(reference(name), { signal })));
  await until('the namespaces of an earlier run are gone', signal, async () => {
    const now = await Promise.all(names.map((name) => client.get(reference(name), { signal })));
    return now.every((object) => object === undefined);
  });
}

async function startNode({ keeper, client, signal, log }: Bench): Promise<number> {
  log('making the files of the image, and starting a node that runs them');
  await keeper.stop('kubelet');
  await rm(join(KUBELET, 'pods'), { recursive: true, force: true });
  await mkdir(KUBELET, { recursive: true });
  const rootfs = join(KUBELET, 'rootfs');
  await makeRootfs(rootfs);
  const port = await portOf();
  const { kubeconfig, server } = keeper.plane;
  const labels = { 'app.kubernetes.io/name': 'lateen-webhook' };
  const settings: KubeletArguments = {
    kubeconfig,
    server,
    directory: join(KUBELET, 'pods'),
    node: NODE,
    images: { [`${IMAGE}:${VERSION}`]: rootfs },
    fronts: [{ namespace: SYSTEM, labels, port, targetPort: WEBHOOK_PORT }],
  };
  const logFile = join(KUBELET, 'kubelet.log');
  await rm(logFile, { force: true });
  const argv = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, JSON.stringify(settings)];
  await keeper.start({ name: 'kubelet', argv, logFile });
  await until(`the node is ready; see ${logFile}`, signal, async () => /^ready/m.test(await logTail(logFile)));
  await client.get({ apiVersion: 'v1', kind: 'Node', name: NODE }, { signal });
  return port;
}

/** The same until `make down`. */
async function portOf(): Promise<number> {
  const file = join(KUBELET, 'port');
  const known = Number(await readFile(file, 'utf8').catch(() => ''));
  const port = known > 0 ? known : (await freePorts(1))[0]!;
  await writeFile(file, String(port));
  return port;
}

function namespace(tenant: Tenant): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: tenant, labels: { 'lateen.dev/applications': 'all', 'lateen.dev/webhook': 'enabled' } },
  };
}

/** Somebody who is admin in the namespace of the team, and nothing else. */
async function writePerson({ client, keeper, signal }: Bench, tenant: Tenant): Promise<void> {
  const metadata = { name: 'admin', namespace: tenant };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' };
  const subjects = [{ kind: 'ServiceAccount', ...metadata }];
  await client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }, { signal });
  await client.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata, roleRef, subjects }, { signal });
  const path = `/api/v1/namespaces/${tenant}/serviceaccounts/admin/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: [], expirationSeconds: 86_400 } };
  const answer = await client.transport.request({ method: 'POST', path, body, signal });
  const { token } = (answer.body as { status: { token: string } }).status;
  const access = { server: keeper.plane.server, ca: await readFile(keeper.plane.caFile, 'utf8'), token, user: 'admin', namespace: tenant };
  await writeFile(kubeconfigOf(tenant), kubeconfigText(access), { mode: 0o600 });
}

/** A repository and an Application for each; that of team-red holds an object for the other team. */
async function writeRepository({ keeper }: Bench, tenant: Tenant): Promise<void> {
  const { directory, url, users } = keeper.plane.git;
  const repository = join(directory, `${tenant}.git`);
  await initRepository(repository);
  await resetBranch(repository, 'main', undefined);
  await commitFiles(repository, 'main', REPOSITORIES[tenant], { message: 'Begin' });
  const reader = users.find(({ write }) => !write)!;
  const secret = `apiVersion: v1\nkind: Secret\nmetadata:\n  name: git\nstringData:\n  username: ${reader.name}\n  password: ${reader.password}\n`;
  await writeFile(manifestOf(tenant), `${secret}---\n${applicationYaml(`${url}/${tenant}`)}`);
}

function applicationYaml(url: string): string {
  return `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: shop
spec:
  components:
    - name: shop
      type: kustomize
      properties:
        url: ${url}
        secretRef: git
        pullInterval: 30s
        path: ./
`;
}

function settingsYaml(namespaceLine: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\n${namespaceLine}data:\n  title: Shop\n`;
}

const REPOSITORIES: Record<Tenant, Record<string, string>> = {
  'team-blue': { 'shop.yaml': settingsYaml('') },
  'team-red': { 'shop.yaml': settingsYaml('  namespace: team-blue\n') },
};

async function until(what: string, signal: AbortSignal, isTrue: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await systemClock.sleep(POLL_MS, signal))
    if (await isTrue().catch(() => false)) return;
  throw new Error(`waited ${DEADLINE_MS / 1000} s until ${what}, in vain`);
}
