import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { issueAuthority, issueServing } from '#certs/issue.ts';
import { freePorts } from '#dev/ports.ts';
import { askOnce, underTraffic } from '#test/support/admission-traffic.ts';
import { type ChartBench, openChartBench, SYSTEM } from '#test/support/chart-bench.ts';
import { CHARTS } from '#test/support/helm.ts';
import { startWebhook } from '#test/support/webhook-process.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';

const SETUP_MS = 180_000;
const FIXTURE = fileURLToPath(new URL('../../fixtures/charts/with-sidecar', import.meta.url));
const REPLICAS = 2;
/** A certificate of another authority is served two seconds after it was read. */
const SERVED_MS = 4_000;
const AGENT = '--set=applications=all';

let bench: ChartBench;
let repositories: Repositories;
/** Values under which the API server reaches the webhook. */
let reached: string;

beforeAll(async () => {
  bench = await openChartBench();
  repositories = await startRepositories();
}, SETUP_MS);

afterAll(async () => {
  await repositories?.close();
  await bench?.close();
});

/** A Secret as `kubectl create secret generic` makes it, with a certificate for the webhook. */
async function provideSecret(name: string, hosts: readonly string[] = []): Promise<void> {
  const validity = { nowMs: Date.now(), lifeMs: 3_600_000 };
  const authority = await issueAuthority(validity);
  const { cert, key } = await issueServing(authority, [`lateen-webhook.${SYSTEM}.svc`, '127.0.0.1', ...hosts], validity);
  const files = { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert };
  const data = Object.fromEntries(Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString('base64')]));
  await bench.client.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: SYSTEM }, data }, { fieldManager: 'person' });
}

/** An Application `shop` that follows a repository with these files. */
async function shop(namespace: string, files: Record<string, string>): Promise<void> {
  const { url } = await repositories.create(namespace, files);
  await bench.apply(namespace, 'shop', kustomize('all', url, { pullInterval: '10s' }));
}

describe('the webhook', () => {
  it('serves a provided certificate on another port, for namespaces that opted in', { timeout: SETUP_MS }, async () => {
    await bench.namespace(SYSTEM);
    await provideSecret('corporate-tls');
    const labels = { 'app.kubernetes.io/name': 'lateen-webhook' };
    const front = await bench.kubelet.front({ namespace: SYSTEM, labels, port: 0, targetPort: 10250 });
    reached = `--set=webhook.url=https://127.0.0.1:${front.port},webhook.port=10250,webhook.namespaces=opt-in,webhook.failurePolicy=Fail`;
    const provided = '--set=certificates.mode=provided,certificates.secretName=corporate-tls,networkPolicy.enabled=false';
    await bench.install('lateen', SYSTEM, reached, provided);
    const [inside, outside] = [await judgedNamespace(), await bench.namespace()];
    await bench.eventually('judged', async () => (await askOnce(bench.client, inside, true)) === undefined);
    expect(await askOnce(bench.client, outside, true)).toBe('a wrong Application: stored');
    expect(await bench.get('Secret', SYSTEM, 'lateen-webhook-tls')).toBeUndefined();
  });

  it('follows a provided Secret that is changed', { timeout: SETUP_MS }, async () => {
    const namespace = await judgedNamespace();
    const { failures, asked } = await underTraffic(bench.client, namespace, async () => {
      await provideSecret('corporate-tls');
      await bench.eventually('read again', async () => (await bench.podLog(SYSTEM)).split('"certificate read"').length > 2 * REPLICAS);
      await sleep(SERVED_MS);
    });
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(10);
  });

  it('lets cert-manager take over without a failed request', { timeout: SETUP_MS }, async () => {
    const namespace = await judgedNamespace();
    await installKinds('cert-manager.io', 'v1', { Certificate: 'certificates', Issuer: 'issuers' });
    const { failures } = await underTraffic(bench.client, namespace, async () => {
      const upgraded = bench.upgrade('lateen', SYSTEM, reached, '--set=certificates.mode=cert-manager');
      await Promise.all([issueAsked(), upgraded]);
    });
    expect(failures).toEqual([]);
  });

  it('goes back to making its own, without a failed request either', { timeout: SETUP_MS }, async () => {
    const namespace = await judgedNamespace();
    const { failures } = await underTraffic(bench.client, namespace, async () => {
      await bench.upgrade('lateen', SYSTEM, reached, '--set=certificates.secretName=made-by-itself');
    });
    expect(failures).toEqual([]);
    expect(await bench.get('Secret', SYSTEM, 'made-by-itself')).toMatchObject({ type: 'kubernetes.io/tls' });
  });
});

describe('a webhook outside of the cluster', () => {
  it('has the rights of the chart by a token, and judges', { timeout: SETUP_MS }, async () => {
    const [port] = (await freePorts(1)) as [number];
    const url = `--set=webhook.replicas=0,webhook.url=https://127.0.0.1:${port},webhook.failurePolicy=Ignore`;
    await bench.upgrade('lateen', SYSTEM, url);
    await bench.eventually('none here', async () => bench.kubelet.pods(SYSTEM).length === 0);
    const kubeconfig = await bench.kubeconfigOf(SYSTEM, 'lateen-webhook');
    const outside = startWebhook(port, { namespace: SYSTEM, kubeconfig });
    try {
      await outside.untilReady();
      const [namespace, left] = [await bench.namespace(), await bench.namespace()];
      await bench.kubectl('label', 'namespace', left, 'lateen.dev/webhook=disabled');
      await bench.eventually('judged', async () => (await askOnce(bench.client, namespace, true)) === undefined);
      expect(await askOnce(bench.client, left, true)).toBe('a wrong Application: stored');
    } finally {
      await outside.kill();
    }
  });
});

async function judgedNamespace(): Promise<string> {
  const namespace = await bench.namespace();
  await bench.kubectl('label', 'namespace', namespace, 'lateen.dev/webhook=enabled');
  return namespace;
}

/** cert-manager and vela-core are not to be had here: their kinds, without schemas. */
async function installKinds(group: string, version: string, kinds: Record<string, string>): Promise<void> {
  for (const [kind, plural] of Object.entries(kinds)) {
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const spec = {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: version, served: true, storage: true, schema }],
    };
    const metadata = { name: `${plural}.${group}` };
    const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec };
    await bench.client.apply(crd as unknown as KubeObject, { fieldManager: 'person' });
    await bench.kubectl('wait', '--for=condition=Established', '--timeout=30s', `crd/${metadata.name}`);
  }
}

/** What cert-manager does where a Certificate asks for it. */
async function issueAsked(): Promise<void> {
  const certificate = await bench.eventually('a Certificate', async () => {
    const printed = await bench
      .kubectl('get', 'certificates.cert-manager.io', 'lateen-webhook', '-n', SYSTEM, '-o', 'json')
      .catch(() => '');
    return printed === ''
      ? undefined
      : (JSON.parse(printed) as { spec: { secretName: string; dnsNames: string[]; ipAddresses?: string[] } });
  });
  const { secretName, dnsNames, ipAddresses = [] } = certificate.spec;
  expect(dnsNames).toContain(`lateen-webhook.${SYSTEM}.svc`);
  expect(ipAddresses).toEqual(['127.0.0.1']);
  await provideSecret(secretName, dnsNames);
}

describe('the agent', () => {
  it('runs twice with a volume of its own, and one follows the other', { timeout: SETUP_MS }, async () => {
    const namespace = await bench.namespace();
    await makeVolume('cache-of-agents');
    const cache = '--set=replicas=2,cache.volume=persistentVolumeClaim,cache.accessMode=ReadWriteMany,cache.size=1Gi';
    await bench.install('lateen-agent', namespace, AGENT, cache);
    await shop(namespace, { 'map.yaml': configMapYaml('shop') });
    await bench.untilRunning(namespace, 'shop');
    const holder = async (): Promise<string> =>
      bench.kubectl('get', 'lease', 'lateen-agent', '-n', namespace, '-o', 'jsonpath={.spec.holderIdentity}');
    const first = await holder();
    expect(bench.kubelet.pods(namespace).map(({ pod }) => pod.metadata.name)).toContain(first);
    await bench.kubectl('delete', 'pod', first, '-n', namespace, '--wait=false');
    // By the one that stood by, or the one that came for it: whichever asks first.
    await bench.eventually('followed', async () => ![first, ''].includes(await holder()));
  });

  it('reads Secrets and writes none, where the value says so, and says which one it left out', { timeout: SETUP_MS }, async () => {
    const namespace = await bench.namespace();
    await bench.install('lateen-agent', namespace, AGENT, '--set=rbac.secrets=read,healthPort=8090,networkPolicy.enabled=false');
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n  key: value\n';
    await shop(namespace, { 'secret.yaml': secret });
    const message = await bench.eventually('refused', async () => {
      const [service] = (await bench.application(namespace, 'shop'))?.status?.services ?? [];
      return service?.healthy === false && service.message?.includes('secret.yaml') ? service.message : undefined;
    });
    expect(message).toMatch(/Secret\/token/);
    expect(message).toMatch(/may not|rbac/i);
    expect(await bench.get('Secret', namespace, 'token')).toBeUndefined();
  });
});

describe('the agent beside vela-core', () => {
  it('takes what has a kustomize component, and brings a definition of it', { timeout: SETUP_MS }, async () => {
    await installKinds('core.oam.dev', 'v1beta1', { ComponentDefinition: 'componentdefinitions' });
    const namespace = await bench.namespace();
    const values = '--set=applications=gitops,velaCore.identity=trusted,velaCore.componentDefinition=true';
    await bench.install('lateen-agent', namespace, values);
    expect(await bench.kubectl('get', 'componentdefinitions', '-n', namespace, '-o', 'name')).toContain('/kustomize\n');
    await bench.apply(namespace, 'web', { name: 'web', type: 'webservice', properties: { image: 'nginx' } });
    await shop(namespace, { 'map.yaml': configMapYaml('shop') });
    await bench.untilRunning(namespace, 'shop');
    expect((await bench.application(namespace, 'web'))?.status).toBeUndefined();
    await bench.helm('uninstall', 'lateen-agent', '--namespace', namespace, '--wait');
    expect(await bench.kubectl('get', 'componentdefinitions', '-n', namespace, '-o', 'name')).toBe('');
  });
});

/** A volume that any claim without a class gets: there is no provisioner here. */
async function makeVolume(name: string): Promise<void> {
  const spec = {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteMany'],
    hostPath: { path: join(bench.folder, name) },
    persistentVolumeReclaimPolicy: 'Retain',
  };
  const volume = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name }, spec };
  await bench.client.apply(volume as unknown as KubeObject, { fieldManager: 'person' });
}

describe('a chart of a team with the agent as a sidecar', () => {
  it('runs it beside its own container, with the rights of the chart', { timeout: SETUP_MS }, async () => {
    const namespace = await bench.namespace();
    const chart = join(bench.folder, 'with-sidecar');
    await cp(FIXTURE, chart, { recursive: true });
    const manifest = join(chart, 'Chart.yaml');
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('file://../../../../charts/', `file://${CHARTS}`));
    await bench.helm('dependency', 'build', chart);
    await bench.install(chart, namespace, ...bench.subchart('lateen-agent'));
    const [pod] = bench.kubelet.pods(namespace).map((runner) => runner.pod);
    expect(pod?.spec.initContainers?.map(({ name, restartPolicy }) => [name, restartPolicy])).toEqual([['lateen-agent', 'Always']]);
    await shop(namespace, { 'map.yaml': configMapYaml('shop') });
    await bench.untilRunning(namespace, 'shop');
    expect(await bench.get('Deployment', namespace, 'lateen-agent')).toBeUndefined();
  });
});
