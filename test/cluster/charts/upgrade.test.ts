import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '#agent/version.ts';
import { certificatesIn } from '#certs/bundle.ts';
import { afterStep, type CertificateState, livesOf } from '#certs/rotation.ts';
import { secretData } from '#certs/secret.ts';
import { type Traffic, underTraffic } from '#test/support/admission-traffic.ts';
import { agentRequests } from '#test/support/audit.ts';
import { type ChartBench, openChartBench, SYSTEM } from '#test/support/chart-bench.ts';
import { formerRelease, type Release } from '#test/support/former-release.ts';
import { CHARTS } from '#test/support/helm.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories, type TestRepository } from '#test/support/repositories.ts';

const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));
const SETUP_MS = 300_000;
const DAY_MS = 86_400_000;
const TENANTS = 2;
/** A version that no node can start. */
const NEVER = ['--set=image.tag=nowhere', '--timeout=15s'];

let bench: ChartBench;
let repositories: Repositories;
let former: Release;
let tenants: string[];
let webhook: string[];
const pushed = new Map<string, TestRepository>();

beforeAll(async () => {
  bench = await openChartBench();
  repositories = await startRepositories();
  former = await formerRelease(CHECKOUT, { rootfs: bench.rootfs, folder: `${bench.folder}/former` });
  bench.kubelet.addImage(`registry.test/lateen:${former.version}`, former.rootfs);
  webhook = [bench.webhookUrl, '--set=webhook.failurePolicy=Fail'];
  await bench.namespace(SYSTEM);
  await plantOldCertificate();
  await bench.install(`${former.charts}lateen`, SYSTEM, ...webhook);
  tenants = [];
  for (let index = 0; index < TENANTS; index += 1) tenants.push(await startTenant());
}, SETUP_MS);

afterAll(async () => {
  await repositories?.close();
  await bench?.close();
});

/** As a webhook has it that was installed 250 days ago: the next authority is due, and its certificate is to be renewed. */
async function plantOldCertificate(): Promise<void> {
  const hosts = ['lateen-webhook', `lateen-webhook.${SYSTEM}`, `lateen-webhook.${SYSTEM}.svc`, '127.0.0.1'];
  const lives = livesOf(90 * DAY_MS);
  const at = (daysAgo: number): number => Date.now() - daysAgo * DAY_MS;
  const input = (state: CertificateState | undefined, daysAgo: number) => ({ state, nowMs: at(daysAgo), lives, hosts, standing: true });
  const first = await afterStep('create', input(undefined, 250));
  const renewed = await afterStep('renew', input(first, 75));
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'lateen-webhook-tls', namespace: SYSTEM },
    type: 'kubernetes.io/tls',
  };
  await bench.client.apply({ ...secret, data: secretData(renewed) }, { fieldManager: 'person' });
}

async function startTenant(): Promise<string> {
  const namespace = await bench.namespace();
  await bench.install(`${former.charts}lateen-agent`, namespace, '--set=applications=all');
  const repository = await repositories.create(namespace, { 'a/map.yaml': configMapYaml('shop'), 'a/web.yaml': deploymentYaml('web') });
  await bench.apply(namespace, 'shop', kustomize('all', repository.url, { path: './a', pullInterval: '10s' }));
  await bench.untilRunning(namespace, 'shop');
  pushed.set(namespace, repository);
  return namespace;
}

/** Of a workload that Pod Security `restricted` lets run. */
function deploymentYaml(name: string): string {
  const security =
    '{runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}';
  const pod = `{metadata: {labels: {app: ${name}}}, spec: {containers: [{name: ${name}, image: nginx, securityContext: ${security}}]}}`;
  return `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}}\nspec:\n  selector: {matchLabels: {app: ${name}}}\n  template: ${pod}\n`;
}

/** What must be the same before and after: the objects of the tenants, and the Pods of their workloads. */
async function workloads(): Promise<string[]> {
  const path = '{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name} {.metadata.uid} {.metadata.generation}{"\\n"}{end}';
  const all = await Promise.all(
    tenants.map((namespace) => bench.kubectl('get', 'configmap/shop', 'deployment/web', '-n', namespace, '-o', `jsonpath=${path}`)),
  );
  const pods = await Promise.all(
    tenants.map((namespace) => bench.kubectl('get', 'pods', '-l', 'app=web', '-n', namespace, '-o', `jsonpath=${path}`)),
  );
  return [...all, ...pods];
}

async function bundles(): Promise<string[][]> {
  const kinds = ['mutatingwebhookconfiguration', 'validatingwebhookconfiguration'];
  const texts = kinds.map((kind) => bench.kubectl('get', kind, 'lateen', '-o', 'jsonpath={.webhooks[0].clientConfig.caBundle}'));
  return (await Promise.all(texts)).map((text) => certificatesIn(Buffer.from(text, 'base64').toString()));
}

async function versionOf(namespace: string, deployment: string): Promise<string> {
  const path = '{.spec.template.spec.containers[0].image} {.status.readyReplicas}';
  return bench.kubectl('get', 'deployment', deployment, '-n', namespace, '-o', `jsonpath=${path}`);
}

/** Upgrades both charts, or takes them back, while Applications are asked about. */
async function change(to: 'new' | 'former'): Promise<Traffic> {
  const charts = to === 'new' ? CHARTS : former.charts;
  return underTraffic(bench.client, tenants[0]!, async () => {
    if (to === 'former') await bench.helm('rollback', 'lateen', '--namespace', SYSTEM, '--wait', '--timeout=120s');
    else await bench.upgrade(`${charts}lateen`, SYSTEM, ...webhook);
    for (const namespace of tenants) {
      if (to === 'former') await bench.helm('rollback', 'lateen-agent', '--namespace', namespace, '--wait', '--timeout=120s');
      else await bench.upgrade(`${charts}lateen-agent`, namespace, '--set=applications=all');
    }
  });
}

describe('an upgrade from the former release', () => {
  it.each(['new', 'former', 'new'] as const)(
    'to the %s one: nothing restarts, nothing is pruned, nothing is let in unjudged',
    { timeout: SETUP_MS },
    async (to) => {
      const before = await workloads();
      const { size } = await stat(bench.plane.auditLog);
      const { failures, asked } = await change(to);
      expect(failures).toEqual([]);
      expect(asked).toBeGreaterThan(20);
      const version = to === 'new' ? VERSION : former.version;
      expect(await versionOf(SYSTEM, 'lateen-webhook')).toBe(`registry.test/lateen:${version} 2`);
      for (const namespace of tenants) expect(await versionOf(namespace, 'lateen-agent')).toBe(`registry.test/lateen:${version} 1`);
      // The new agents have looked at everything.
      for (const namespace of tenants)
        await bench.eventually('the new agent leads', async () => /"message":"ready"/.test(await bench.podLog(namespace)));
      expect(await workloads()).toEqual(before);
      for (const namespace of tenants) {
        const asked = await agentRequests(bench.plane.auditLog, namespace, size);
        expect(asked.length).toBeGreaterThan(5);
        expect(asked.filter(({ verb }) => verb === 'delete')).toEqual([]);
      }
      for (const held of await bundles()) expect(held.length).toBeGreaterThan(0);
    },
  );

  it('and a push is in the cluster afterwards', { timeout: SETUP_MS }, async () => {
    for (const namespace of tenants) {
      await pushed.get(namespace)!.push({ 'a/map.yaml': configMapYaml('shop', 'two') });
      await bench.eventually('the push is there', async () => {
        const map = await bench.get('ConfigMap', namespace, 'shop');
        return (map?.['data'] as { key: string } | undefined)?.key === 'two';
      });
    }
  });
});

describe('an upgrade that fails', () => {
  it('leaves the webhook that was there judging, with its bundle', { timeout: SETUP_MS }, async () => {
    const before = await bundles();
    const { failures } = await underTraffic(bench.client, tenants[0]!, async () => {
      const broken = bench.upgrade('lateen', SYSTEM, ...webhook, ...NEVER);
      await expect(broken).rejects.toThrow(/timed out|deadline|not ready/i);
    });
    expect(failures).toEqual([]);
    expect(await bundles()).toEqual(before);
    expect(bench.kubelet.pods(SYSTEM).filter(({ ready }) => ready)).toHaveLength(2);
    await bench.helm('rollback', 'lateen', '--namespace', SYSTEM, '--wait', '--timeout=120s');
    expect(await versionOf(SYSTEM, 'lateen-webhook')).toBe(`registry.test/lateen:${VERSION} 2`);
  });

  it('leaves the agent that was there at work', { timeout: SETUP_MS }, async () => {
    const [namespace] = tenants as [string];
    const holder = (): Promise<string> =>
      bench.kubectl('get', 'lease', 'lateen-agent', '-n', namespace, '-o', 'jsonpath={.spec.holderIdentity}');
    const before = await holder();
    const broken = bench.upgrade('lateen-agent', namespace, '--set=applications=all', ...NEVER);
    await expect(broken).rejects.toThrow(/timed out|deadline|not ready/i);
    expect(await holder()).toBe(before);
    await bench.helm('rollback', 'lateen-agent', '--namespace', namespace, '--wait', '--timeout=120s');
    expect(await versionOf(namespace, 'lateen-agent')).toBe(`registry.test/lateen:${VERSION} 1`);
  });
});
