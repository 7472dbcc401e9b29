import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { example, SEED_REPOSITORY, seedRepository } from '#dev/seed.ts';
import { type ChartBench, openChartBench, SYSTEM, WAIT } from '#test/support/chart-bench.ts';
import { CHARTS } from '#test/support/helm.ts';
import { type Repositories, startRepositories } from '#test/support/repositories.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SETUP_MS = 180_000;

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

/** The documented Application, whose repository is on the Git server of the test. */
async function seedFile(): Promise<string> {
  const { url, directory } = await repositories.create(SEED_REPOSITORY);
  await seedRepository(directory);
  const text = (await example('infra-gitops.yaml')).replace(/url: .*/, `url: ${url}`).replace('pullInterval: 10m', 'pullInterval: 10s');
  const file = join(bench.folder, 'infra-gitops.yaml');
  await writeFile(file, text);
  return file;
}

describe('the agent before the chart lateen', () => {
  it('waits for the CRDs with one clear line, and goes on by itself', { timeout: SETUP_MS }, async () => {
    const namespace = await bench.namespace();
    await bench.helm('install', 'lateen-agent', `${CHARTS}lateen-agent`, '--namespace', namespace, ...bench.here, '--set=applications=all');
    const line = await bench.eventually('told', async () => /.*"message":"not ready yet".*/.exec(await bench.podLog(namespace))?.[0]);
    expect(line).toContain('the API server does not know');
    expect(bench.kubelet.pods(namespace).map(({ ready }) => ready)).toEqual([false]);
    await bench.kubectl('apply', '--server-side', '-f', `${CHARTS}lateen/crds`);
    await bench.eventually('ready', async () => bench.kubelet.pods(namespace).every(({ ready }) => ready));
  });
});

describe('the chart lateen with its defaults', () => {
  /** Such as KubeVela's: of other content than ours. */
  it('installs the CRDs that are missing and leaves those that are there', { timeout: SETUP_MS }, async () => {
    const theirs = 'crd/applications.core.oam.dev';
    const column = JSON.stringify([{ op: 'remove', path: '/spec/versions/0/additionalPrinterColumns/0' }]);
    await bench.kubectl('patch', theirs, '--type=json', '-p', column);
    await bench.kubectl('delete', 'crd', 'workflows.core.oam.dev');
    const seen = (): Promise<string> => bench.kubectl('get', theirs, '-o', 'jsonpath={.metadata.uid} {.metadata.generation}');
    const before = await seen();
    await bench.namespace(SYSTEM);
    await bench.install('lateen', SYSTEM, '--set=webhook.enabled=false');
    expect(await seen()).toBe(before);
    expect(await bench.kubectl('get', 'crd', 'workflows.core.oam.dev', '-o', 'name')).toContain('workflows.core.oam.dev');
    await bench.helm('uninstall', 'lateen', '--namespace', SYSTEM, '--wait');
    expect(await seen()).toBe(before);
  });

  it('is installed, and two replicas get ready with one certificate', { timeout: SETUP_MS }, async () => {
    const notes = await bench.install('lateen', SYSTEM);
    expect(notes).toContain('helm install lateen-agent charts/lateen-agent --namespace NAMESPACE --set applications=all');
    const pods = bench.kubelet.pods(SYSTEM);
    expect(pods.map(({ ready }) => ready)).toEqual([true, true]);
    const log = await bench.podLog(SYSTEM);
    expect(log.match(/"certificates changed","step":"create"/g)).toHaveLength(1);
    // It was not the user of this machine.
    expect(log).not.toContain('EACCES');
  });
});

describe('somebody who is admin in a namespace, and nothing else', () => {
  it('installs the agent there and applies the documented Application', { timeout: SETUP_MS }, async () => {
    // What the repository of the documentation is for. Its own workloads are not made for Pod Security `restricted`.
    const namespace = 'default';
    const person = bench.as(await bench.person(namespace, 'admin'));
    const printed = await person.helm('install', 'lateen-agent', `${CHARTS}lateen-agent`, ...bench.here, ...WAIT, '--set=applications=all');
    expect(printed).toContain(`kubectl get applications --namespace ${namespace} --watch`);
    await person.kubectl('apply', '-f', await seedFile());
    for (const name of ['infra-gitops', 'server']) await bench.untilRunning(namespace, name);
    expect(await person.kubectl('get', 'configmap', 'server-config', '-o', 'name')).toBe('configmap/server-config\n');
    await person.helm('uninstall', 'lateen-agent', '--wait');
  });
});
