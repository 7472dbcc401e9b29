import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Application } from '#api/application.ts';
import { annotation } from '#api/names.ts';
import { autoVersion } from '#api/publish-version.ts';
import { freePorts } from '#dev/ports.ts';
import { webhookConfigurations } from '#dev/webhook.ts';
import { failOpenCount } from '#test/support/fail-open.ts';
import { startAudit } from '#test/support/audit.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';
import { startWebhook, type WebhookProcess } from '#test/support/webhook-process.ts';

/** Pulled every second: twenty chances to write what need not be written. */
const IDLE_MS = 20_000;

let folder: string;
let repositories: Repositories;
let tenant: Tenant;
let webhook: WebhookProcess;
let configuration: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  repositories = await startRepositories();
  tenant = await startTenant();
  await kubectl('annotate', 'namespace', tenant.namespace, `${annotation.publishVersionMode}=auto`);
  const system = await createNamespace();
  const [port] = await freePorts(1);
  configuration = `lateen-${port}`;
  const options = {
    url: `https://127.0.0.1:${port}`,
    name: configuration,
    domain: `${configuration}.test`,
    namespaces: [tenant.namespace],
  };
  const file = join(folder, 'configurations.json');
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: webhookConfigurations(options) }));
  await kubectl('apply', '--server-side', '-f', file);
  webhook = startWebhook(port!, { namespace: system, configuration, 'min-interval': '1s' });
  await webhook.untilReady();
}, 180_000);

afterAll(async () => {
  await kubectl('delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', configuration);
  await Promise.all([webhook.kill(), tenant.close(), repositories.close()]);
  await rm(folder, { recursive: true, force: true });
});

/** A file with an Application that has no default and no version written out. */
function nestedYaml(url: string, path = './'): string {
  return `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: nested
spec:
  components:
    - name: leaf
      type: kustomize
      properties: {url: '${url}', git: {branch: main}, path: ${path}, pullInterval: 1s}
`;
}

async function nested(): Promise<Application> {
  return (await tenant.get('Application', 'nested')) as unknown as Application;
}

const versionNow = async (): Promise<string | undefined> => (await nested()).metadata.annotations?.[annotation.publishVersion];

it('a nested Application from Git gets defaults and the version of its content once, and then nothing is written', async () => {
  const leaf = await repositories.create('leaf', { 'a.yaml': configMapYaml('leaf'), 'sub/a.yaml': configMapYaml('leaf', 'two') });
  const parent = await repositories.create('parent', { 'app.yaml': nestedYaml(leaf.url, './sub') });
  await tenant.apply('parent', [kustomize('a', parent.url)]);
  await tenant.untilRunning('parent');
  await tenant.untilRunning('nested');
  const first = await nested();
  expect(first.spec.components[0]!.properties).toMatchObject({ repoType: 'git', prune: true, suspend: false, force: false });
  expect(first.metadata.annotations?.[annotation.publishVersion]).toBe(autoVersion(first.spec));
  expect(first.metadata.annotations?.[annotation.requestedBy]).toContain('lateen-agent');

  await sleep(2_000);
  const audit = await startAudit(tenant.namespace);
  const { generation } = await nested().then(({ metadata }) => metadata);
  await sleep(IDLE_MS);
  expect(await audit.writes()).toEqual([]);
  expect((await nested()).metadata.generation).toBe(generation);

  // The version is renewed with the file, and a value in the file stays.
  await parent.push({ 'app.yaml': nestedYaml(leaf.url, './sub').replace('pullInterval: 1s', 'pullInterval: 2s') });
  await expect.poll(versionNow, { timeout: 20_000 }).not.toBe(autoVersion(first.spec));
  expect(await versionNow()).toBe(autoVersion((await nested()).spec));
  const pinned = nestedYaml(leaf.url, './sub').replace(
    'name: nested\n',
    `name: nested\n  annotations: {${annotation.publishVersion}: v7}\n`,
  );
  await parent.push({ 'app.yaml': pinned });
  await expect.poll(versionNow, { timeout: 20_000 }).toBe('v7');
}, 180_000);

it('an edit of the spec by another tool is put back, though the webhook writes into it too', async () => {
  const { metadata, spec } = await nested();
  const edited = { ...spec, components: [{ ...spec.components[0]!, properties: { ...spec.components[0]!.properties, prune: false } }] };
  const object = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name: 'nested', namespace: metadata.namespace } };
  await tenant.client.apply({ ...object, spec: edited }, { fieldManager: 'another-tool' });
  await expect.poll(async () => (await nested()).spec.components[0]!.properties!['prune'], { timeout: 20_000 }).toBe(true);
  expect(await failOpenCount(`${configuration}.test`)).toBe(0);
}, 60_000);
