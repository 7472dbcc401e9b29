import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChartBench, openChartBench, SYSTEM } from '#test/support/chart-bench.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';

const SETUP_MS = 300_000;

let bench: ChartBench;
let repositories: Repositories;

beforeAll(async () => {
  bench = await openChartBench();
  repositories = await startRepositories();
}, SETUP_MS);

afterAll(async () => {
  await repositories?.close();
  await bench?.close();
});

async function installBoth(): Promise<string> {
  await bench.namespace(SYSTEM);
  await bench.install('lateen', SYSTEM, bench.webhookUrl, '--set=webhook.failurePolicy=Fail');
  const namespace = await bench.namespace();
  await bench.install('lateen-agent', namespace, '--set=applications=all');
  const { url } = await repositories.create(namespace, { 'map.yaml': configMapYaml('shop') });
  const web = { name: 'web', type: 'webservice', properties: { image: 'nginx' } };
  await bench.apply(namespace, 'shop', kustomize('all', url, { pullInterval: '10s' }));
  await bench.apply(namespace, 'web', web);
  await bench.untilRunning(namespace, 'shop');
  await bench.eventually('web is there', async () => (await bench.get('Deployment', namespace, 'web')) !== undefined);
  return namespace;
}

/** Of everything that the Applications of a namespace have made. */
async function uids(namespace: string): Promise<string> {
  const path = '{range .items[*]}{.kind}/{.metadata.name} {.metadata.uid}{"\\n"}{end}';
  return bench.kubectl('get', 'configmap/shop', 'deployment/web', '-n', namespace, '-o', `jsonpath=${path}`);
}

async function uninstall(release: 'lateen' | 'lateen-agent', namespace: string): Promise<void> {
  const printed = await bench.helm('uninstall', release, '--namespace', namespace, '--wait', '--timeout=60s');
  expect(printed).toContain(`release "${release}" uninstalled`);
}

async function leftOf(namespace: string): Promise<{ configurations: string; ours: string }> {
  const kinds = 'deployment,service,serviceaccount,role,rolebinding,networkpolicy,poddisruptionbudget';
  const [configurations, ours] = await Promise.all([
    bench.kubectl('get', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', '-o', 'name'),
    bench.kubectl('get', kinds, '-n', namespace, '-l', 'app.kubernetes.io/managed-by=Helm', '-o', 'name'),
  ]);
  return { configurations, ours };
}

describe.each([
  ['the agent first', ['lateen-agent', 'lateen']],
  ['the webhook first', ['lateen', 'lateen-agent']],
] as const)('uninstalling %s', (_name, order) => {
  it('touches no workload, and leaves nothing in the way of anybody', { timeout: SETUP_MS }, async () => {
    const namespace = await installBoth();
    const before = await uids(namespace);
    for (const release of order) {
      await uninstall(release, release === 'lateen' ? SYSTEM : namespace);
      expect(await uids(namespace)).toBe(before);
    }
    expect(await leftOf(namespace)).toEqual({ configurations: '', ours: '' });
    expect((await leftOf(SYSTEM)).ours).toBe('');
    // What people want to do next.
    await bench.kubectl('delete', 'application', 'shop', '-n', namespace, '--timeout=20s');
    expect(await uids(namespace)).toBe(before);
    const again = `apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: again}\nspec: {components: [{name: a, type: kustomize}]}\n`;
    await bench.applyText(again, namespace);
    await bench.kubectl('delete', 'namespace', namespace, SYSTEM, '--timeout=60s');
    expect(await bench.kubectl('get', 'namespace', '-o', 'name')).not.toContain(namespace);
  });
});

it('the CRDs, and with them every Application, stay until somebody deletes them', async () => {
  const crds = await bench.kubectl('get', 'crd', '-o', 'name');
  for (const kind of ['applications', 'applicationrevisions']) expect(crds).toContain(`${kind}.core.oam.dev`);
});
