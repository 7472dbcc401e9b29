import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Client, createClient } from '#agent/cluster/client.ts';
import { type InventoryEntry, toConfigMap } from '#agent/manifest/inventory.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION } from '#api/names.ts';
import { nodesOf } from '#cli/tree-nodes.ts';
import { silentLog } from '#core/log.ts';
import { adminConnection, configMap } from '#test/support/api-client.ts';
import { lateen, type Ran } from '#test/support/lateen.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';

let client: Client;
let namespace: string;
let folder: string;

beforeAll(async () => {
  client = createClient(await adminConnection(), { log: silentLog, userAgent: 'lateen-test' });
  namespace = await createNamespace({ waitForServiceAccount: true });
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterAll(async () => {
  client.transport.close();
  await rm(folder, { recursive: true });
});

const entry = (apiVersion: string, kind: string, name: string, line = 1): InventoryEntry => {
  return { component: 'infra', apiVersion, kind, namespace, name, file: 'a.yaml', line };
};

/** An Application with the inventory that an agent would have written. */
async function applied(application: string, entries: InventoryEntry[]): Promise<KubeObject> {
  const components = [{ name: 'infra', type: 'webservice', properties: { image: 'nginx' } }];
  const metadata = { name: application, namespace };
  const { metadata: made } = await client.create({ apiVersion: API_VERSION, kind: 'Application', metadata, spec: { components } });
  const inventory = { application, uid: made.uid ?? '', keep: [], entries };
  return client.create(toConfigMap(inventory, namespace));
}

/** The kubeconfig of somebody who may read these and nothing else. */
async function reader(name: string, resources: string): Promise<string> {
  await kubectl('create', 'serviceaccount', name, '-n', namespace);
  await kubectl('create', 'role', name, '-n', namespace, '--verb=get,list', `--resource=${resources}`);
  await kubectl('create', 'rolebinding', name, '-n', namespace, `--role=${name}`, `--serviceaccount=${namespace}:${name}`);
  const token = (await kubectl('create', 'token', name, '-n', namespace)).trim();
  const { server, caFile } = inject('plane');
  const file = join(folder, name);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'one',
    contexts: [{ name: 'one', context: { cluster: 'one', user: 'one', namespace } }],
    clusters: [{ name: 'one', cluster: { server, 'certificate-authority': caFile } }],
    users: [{ name: 'one', user: { token } }],
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

/** `├─ Secret/hidden Unknown`, from the table. */
function healthOf({ stdout }: Ran): string[] {
  const rows = stdout.split('\n').map((line) => line.split('\t').map((cell) => cell.trimEnd()));
  return rows.slice(1).flatMap(([object = '', , health]) => (object === '' ? [] : [`${object} ${health}`]));
}

it('shows all objects where one cannot be read: its kind is gone, or nobody lets this user', async () => {
  await client.create(configMap(namespace, {}, 'there'));
  await client.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hidden', namespace }, stringData: { word: 'S3CRETWORD' } });
  await applied('mixed', [
    entry('v1', 'ConfigMap', 'there', 1),
    entry('v1', 'Secret', 'hidden', 2),
    entry('gone.example.com/v1', 'Widget', 'w', 3),
    entry('v1', 'ConfigMap', 'missing', 4),
    entry('autoscaling/v1beta9', 'HorizontalPodAutoscaler', 'scaler', 5),
  ]);
  const scaler = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }, maxReplicas: 2 };
  await client.create({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'scaler', namespace },
    spec: scaler,
  });
  const kubeconfig = await reader('few', 'applications.core.oam.dev,configmaps,horizontalpodautoscalers.autoscaling');

  const ran = await lateen(['tree', 'mixed', '-o', 'json', '--kubeconfig', kubeconfig]);
  expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 1, stderr: '' });
  const { items } = JSON.parse(ran.stdout) as { items: Record<string, string>[] };
  const of = { namespace, component: 'infra' };
  const missing = 'an object that was applied is not in the cluster';
  const denied = `you may not get secrets in the namespace ${namespace}`;
  const unknown = 'the API server no longer knows Widget of gone.example.com/v1';
  expect(items).toEqual([
    { ...of, apiVersion: 'v1', kind: 'ConfigMap', name: 'there', health: 'Current', message: '', from: 'a.yaml:1' },
    { ...of, apiVersion: 'v1', kind: 'Secret', name: 'hidden', health: 'Unknown', message: denied, from: 'a.yaml:2' },
    { ...of, apiVersion: 'gone.example.com/v1', kind: 'Widget', name: 'w', health: 'NotFound', message: unknown, from: 'a.yaml:3' },
    { ...of, apiVersion: 'v1', kind: 'ConfigMap', name: 'missing', health: 'NotFound', message: missing, from: 'a.yaml:4' },
    // Recorded in a version that is served no longer: the object is there.
    {
      ...of,
      apiVersion: 'autoscaling/v1beta9',
      kind: 'HorizontalPodAutoscaler',
      name: 'scaler',
      health: 'Current',
      message: '',
      from: 'a.yaml:5',
    },
  ]);
  expect(healthOf(await lateen(['tree', 'mixed', '--kubeconfig', kubeconfig]))).toEqual([
    '├─ ConfigMap/there Current',
    '├─ Secret/hidden Unknown',
    '├─ Widget/w NotFound',
    '├─ ConfigMap/missing NotFound',
    '└─ HorizontalPodAutoscaler/scaler Current',
  ]);
});

it('shows a nested Application whose inventory cannot be read, and all others', async () => {
  const { metadata } = await applied('inner', []);
  await client.mergePatch(
    { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: metadata.name ?? '' },
    { data: { 'inventory.json': '{' } },
  );
  await client.mergePatch({ apiVersion: API_VERSION, kind: 'Application', namespace, name: 'inner' }, running, { subresource: 'status' });
  await applied('outer', [entry(API_VERSION, 'Application', 'inner'), entry('v1', 'ConfigMap', 'kube-root-ca.crt', 2)]);
  const ran = await lateen(['tree', 'outer', '-n', namespace, '--kubeconfig', inject('plane').kubeconfig]);
  expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 1, stderr: '' });
  expect(healthOf(ran)).toEqual(['├─ Application/inner Unknown', '└─ ConfigMap/kube-root-ca.crt Current']);
  expect(ran.stdout).toContain('the inventory ConfigMap/lateen-inner cannot be read:');
});

const running = { status: { status: 'running', observedGeneration: 1 } };

it('reads a few objects at a time, those of nested Applications too', async () => {
  const many = (from: number) => Array.from({ length: 40 }, (_, index) => entry('v1', 'ConfigMap', `c-${from + index}`));
  const nested = ['n-1', 'n-2', 'n-3'];
  for (const [index, name] of nested.entries()) await applied(name, many(index * 40));
  await applied('large', [...nested.map((name) => entry(API_VERSION, 'Application', name)), ...many(200)]);
  const reads = { open: 0, most: 0, all: 0 };
  const counting: Client = {
    ...client,
    async get(...args) {
      reads.all += 1;
      reads.most = Math.max(reads.most, ++reads.open);
      return client.get(...args).finally(() => reads.open--);
    },
  };
  const nodes = await nodesOf({ client: counting, server: inject('plane').server, namespace }, 'large');
  expect(nodes.map(({ children }) => children.length).slice(0, 4)).toEqual([40, 40, 40, 0]);
  expect(reads.all).toBeGreaterThan(160);
  expect([reads.most > 1, reads.most <= 16]).toEqual([true, true]);
});
