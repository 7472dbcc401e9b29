import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Client, createClient } from '#agent/cluster/client.ts';
import { kubeconfigConnection } from '#agent/cluster/connection.ts';
import type { Application } from '#api/application.ts';
import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { annotation } from '#api/names.ts';
import { offlineScope } from '#cli/cluster-scoped-kinds.ts';
import { silentLog } from '#core/log.ts';
import { lateen, type Ran } from '#test/support/lateen.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';

const recorded = (name: string): string => readFileSync(new URL(`../../fixtures/oracle-cli/${name}`, import.meta.url), 'utf8');
const podinfo = JSON.parse(recorded('application.json')) as Application;

const COMMIT = '3f0c9a1d2e4b5f60718293a4b5c6d7e8f9012345';
const details = {
  branch: 'infra',
  commit: COMMIT,
  author: 'Alice',
  subject: 'Add config',
  committed: '2026-01-01T00:00:00Z',
  objects: '2',
};

let client: Client;
let namespace: string;

beforeAll(async () => {
  client = createClient(await kubeconfigConnection({ path: inject('plane').kubeconfig }), { log: silentLog, userAgent: 'test' });
  namespace = await createNamespace();
  await create('podinfo', podinfo.spec.components);
  await setStatus('podinfo', podinfo.status!);
  await create('infra-gitops', [kustomize('database-config')]);
});

afterAll(() => client.transport.close());

function kustomize(name: string, more: Record<string, unknown> = {}): Application['spec']['components'][number] {
  return { name, type: 'kustomize', properties: { url: 'https://git.example/infra', path: './x', git: { branch: 'infra' }, ...more } };
}

function reference(name: string): ObjectReference {
  return { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace, name };
}

async function create(name: string, components: Application['spec']['components']): Promise<KubeObject> {
  const { apiVersion, kind } = reference(name);
  return client.create({ apiVersion, kind, metadata: { name, namespace }, spec: { components } });
}

function setStatus(name: string, status: object): Promise<KubeObject> {
  return client.mergePatch(reference(name), { status }, { subresource: 'status' });
}

function ask(...args: string[]): Promise<Ran> {
  return lateen([...args, '-n', namespace, '--kubeconfig', inject('plane').kubeconfig]);
}

/** Times and namespaces of the recording, replaced by those of this run. */
async function expected(file: string): Promise<string> {
  const object = await client.get(reference('podinfo'));
  const created = String(object?.metadata.creationTimestamp).replace('T', ' ').replace('Z', ' +0000 UTC');
  return recorded(file).replaceAll('2026-11-22 09:54:14 +0000 UTC', created);
}

/** Plays the agent: carries out the request once it is there. */
async function answer(name: string, services: (token: string) => object[]): Promise<void> {
  for (;;) {
    const token = (await client.get(reference(name)))?.metadata.annotations?.[annotation.reconcileAt];
    if (token !== undefined) return void (await setStatus(name, { services: services(token) }));
    await sleep(50);
  }
}

describe('lateen ls and status', () => {
  it('lists the Applications of the namespace by name', async () => {
    const { status, stdout, stderr } = await ask('ls');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) =>
        line
          .split('\t')
          .map((cell) => cell.trim())
          .slice(0, 7),
      );
    expect(rows).toEqual([
      ['APP', 'COMPONENT', 'TYPE', 'TRAITS', 'PHASE', 'HEALTHY', 'STATUS'],
      ['infra-gitops', 'database-config', 'kustomize', '', '', '', ''],
      ['podinfo', 'podinfo', 'webservice', '', 'running', 'healthy', 'Ready:1/1'],
    ]);
  });

  it('lists every namespace with -A', async () => {
    const { stdout } = await ask('ls', '-A');
    expect(stdout.split('\n')[0]).toMatch(/^NAMESPACE\s/);
    expect(stdout).toContain(namespace);
  });

  it('prints the recorded Application as vela status does', async () => {
    const width = (line: string): string => line.replace(/ +$/, '');
    const { stdout } = await ask('status', 'podinfo');
    const wanted = (await expected('status.txt'))
      .replaceAll('g-pub', namespace)
      .replace(`    Namespace: ${namespace}\n`, '    Namespace: g-pub\n');
    expect(stdout.split('\n').map(width)).toEqual(wanted.split('\n').map(width));
  });

  it('prints the object with -o json, without managedFields', async () => {
    const { stdout } = await ask('status', 'podinfo', '-o', 'json');
    const { managedFields: _, ...metadata } = (await client.get(reference('podinfo')))!.metadata;
    expect(JSON.parse(stdout)).toEqual({ ...(await client.get(reference('podinfo'))), metadata });
  });

  it('is quiet about an empty namespace, and says where there is none', async () => {
    const empty = await createNamespace();
    const kubeconfig = inject('plane').kubeconfig;
    expect(await lateen(['ls', '-n', empty, '--kubeconfig', kubeconfig])).toEqual({
      status: 0,
      stdout: '',
      stderr: `There is no Application in the namespace ${empty}.\n`,
    });
    expect(await lateen(['ls', '-n', 'nosuch', '--kubeconfig', kubeconfig])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'lateen: there is no namespace "nosuch"; choose another with -n; lateen ls -A lists all Applications\n',
    });
  });

  it('names what is there where an Application is not', async () => {
    const sentence = (name: string): string => `lateen: there is no Application "${name}" in the namespace ${namespace}; `;
    expect(await ask('status', 'infra-gitop')).toEqual({
      status: 1,
      stdout: '',
      stderr: `${sentence('infra-gitop')}did you mean "infra-gitops"?\n`,
    });
    expect(await ask('status', 'x')).toEqual({ status: 1, stdout: '', stderr: `${sentence('x')}it has "infra-gitops" and "podinfo"\n` });
  });
});

describe('lateen reconcile', () => {
  it('waits for the agent and says what was pulled', async () => {
    await create('pulls', [kustomize('a'), kustomize('b', { suspend: true })]);
    const [ran] = await Promise.all([
      ask('reconcile', 'pulls'),
      answer('pulls', (reconciledAt) => [{ name: 'a', healthy: true, details: { ...details, reconciledAt } }]),
    ]);
    const stdout = 'b: suspended; nothing is pulled until suspend is false\na: infra@3f0c9a1 "Add config", 2 objects, healthy\n';
    expect(ran).toEqual({ status: 0, stdout, stderr: '' });
    const token = (await client.get(reference('pulls')))?.metadata.annotations?.[annotation.reconcileAt];
    expect(token).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  });

  it('fails with the error of a component', async () => {
    await create('fails', [kustomize('a')]);
    const [ran] = await Promise.all([
      ask('reconcile', 'fails'),
      answer('fails', (reconciledAt) => [
        { name: 'a', healthy: false, message: 'no branch infra', details: { reason: 'REF_NOT_FOUND', reconciledAt } },
      ]),
    ]);
    expect(ran).toEqual({ status: 1, stdout: 'a: REF_NOT_FOUND: no branch infra\n', stderr: '' });
  });

  it('ends with 6 where no agent answers in time', async () => {
    const { status, stdout, stderr } = await ask('reconcile', 'infra-gitops', '--timeout', '1s');
    expect({ status, stdout }).toEqual({ status: 6, stdout: '' });
    expect(stderr).toBe(
      `lateen: the agent did not pull database-config within 1s; check that an agent runs for the namespace ${namespace}; lateen status infra-gitops -n ${namespace} shows more\n`,
    );
  });

  it('says that there is nothing to pull', async () => {
    expect(await ask('reconcile', 'podinfo')).toEqual({
      status: 1,
      stdout: '',
      stderr: `lateen: the Application podinfo in the namespace ${namespace} has no kustomize component: there is nothing to pull\n`,
    });
  });
});

describe('a user with few rights', () => {
  it('is told which right is missing', async () => {
    await kubectl('create', 'serviceaccount', 'nobody', '-n', namespace);
    const token = (await kubectl('create', 'token', 'nobody', '-n', namespace)).trim();
    const { server, caFile } = inject('plane');
    const folder = await mkdtemp(join(tmpdir(), 'lateen-'));
    const file = join(folder, 'kubeconfig');
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'one',
      contexts: [{ name: 'one', context: { cluster: 'one', user: 'one', namespace } }],
      clusters: [{ name: 'one', cluster: { server, 'certificate-authority': caFile } }],
      users: [{ name: 'one', user: { token } }],
    };
    await writeFile(file, JSON.stringify(config));
    const ran = [await lateen(['ls', '--kubeconfig', file]), await lateen(['ls', '-A', '--kubeconfig', file])];
    await writeFile(file, JSON.stringify({ ...config, users: [{ name: 'one', user: { token: 'wrong' } }] }));
    ran.push(await lateen(['ls', '--kubeconfig', file]));
    await rm(folder, { recursive: true });
    expect(ran.map(({ status, stderr }) => [status, stderr])).toEqual([
      [
        3,
        `lateen: you may not list applications.core.oam.dev in the namespace ${namespace}; choose a namespace with -n, or ask for the right\n`,
      ],
      [3, 'lateen: you may not list applications.core.oam.dev in all namespaces; name one namespace with -n\n'],
      [3, `lateen: the API server ${server} does not accept your credentials; log in again, or choose another --context\n`],
    ]);
  });
});

it('knows every kind of this Kubernetes that belongs to no namespace', async () => {
  const table = await kubectl('api-resources', '--namespaced=false', '--no-headers');
  const kinds = table
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).slice(-3));
  const unknown: string[] = [];
  for (const [apiVersion = '', , kind = ''] of kinds)
    if ((await offlineScope(apiVersion, kind)).namespaced) unknown.push(`${apiVersion} ${kind}`);
  expect({ unknown, many: kinds.length > 25 }).toEqual({ unknown: [], many: true });
});
