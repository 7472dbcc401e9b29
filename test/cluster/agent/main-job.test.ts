import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import type { Application, ApplicationSpec } from '#api/application.ts';
import { example, seedRepository } from '#dev/seed.ts';
import { lateen } from '#test/support/lateen.ts';
import {
  applicationYaml,
  configMapYaml,
  kustomize,
  type Repositories,
  startRepositories,
  type TestRepository,
} from '#test/support/repositories.ts';
import { comparable } from '#test/support/status.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

const CREDENTIALS = [{ name: 'fog', password: 'a-planted-password', write: true }];

let repositories: Repositories;
let tenant: Tenant;
let infra: TestRepository;

beforeAll(async () => {
  repositories = await startRepositories({ users: CREDENTIALS });
  infra = await repositories.create('FogDong/KubeVela-GitOps-Infra-Demo');
  await seedRepository(infra.directory);
  tenant = await startTenant();
  await tenant.client.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'git-secret', namespace: tenant.namespace },
    stringData: { username: 'fog', password: 'a-planted-password' },
  });
});

afterAll(async () => {
  await tenant?.close();
  await repositories?.close();
});

/** A manifest of the seed, for the namespace of this test. */
async function seed(file: string): Promise<string> {
  return (await example(file)).replaceAll('namespace: default', `namespace: ${tenant.namespace}`);
}

/** The Application of the seed with the URL, the Secret and the interval of this test. */
async function infraGitops(): Promise<ApplicationSpec> {
  const { spec } = parse(await seed('infra-gitops.yaml')) as Application;
  Object.assign(spec.components[0]!.properties!, { url: infra.url, secretRef: 'git-secret', pullInterval: '1s' });
  return spec;
}

function ask(...args: string[]): ReturnType<typeof lateen> {
  return lateen([...args, '-n', tenant.namespace, '--kubeconfig', inject('plane').kubeconfig]);
}

const allTrue = ['Admitted', 'Parsed', 'Revision', 'Policy', 'Render', 'Workflow', 'Applied', 'Healthy'].map((type) => ({
  type,
  status: 'True',
  reason: 'Available',
  lastTransitionTime: 'TIME',
}));
const ready = { type: 'Ready', status: 'True', reason: 'ReconcileSuccess', lastTransitionTime: 'TIME' };

function workflowOf(revision: string, step: string): object {
  return {
    appRevision: revision,
    mode: 'DAG-DAG',
    status: 'succeeded',
    suspend: false,
    terminated: false,
    finished: true,
    startTime: 'TIME',
    endTime: 'TIME',
    steps: [{ id: 'ID', name: step, type: 'apply-component', phase: 'succeeded', firstExecuteTime: 'TIME', lastExecuteTime: 'TIME' }],
  };
}

describe('the first example of the seed document', () => {
  let commit: string;

  it('is pulled from Git, and what it holds runs', async () => {
    commit = await infra.push(
      { 'infrastructure/server.yaml': await seed('server.yaml'), 'infrastructure/server-config.yaml': await seed('server-config.yaml') },
      { branch: 'infra', message: 'Move to another namespace\n\nWith a body that nobody sees.' },
    );
    await tenant.apply('infra-gitops', await infraGitops());
    await tenant.untilRunning('infra-gitops');
    await tenant.untilRunning('server');
    expect((await tenant.get('ConfigMap', 'server-config'))?.['data']).toEqual({ config: 'my-config' });
    expect((await tenant.get('Deployment', 'server'))?.['status']).toMatchObject({ replicas: 1, readyReplicas: 1 });
  });

  it('has the status that KubeVela writes', async () => {
    const { namespace } = tenant;
    const { status } = await tenant.untilRunning('infra-gitops');
    const details = {
      branch: 'infra',
      commit,
      author: 'Fog Dong',
      subject: 'Move to another namespace',
      committed: 'TIME',
      objects: '2',
      recent: commit.slice(0, 12),
    };
    const service = { name: 'database-config', namespace, healthy: true, workloadHealthy: true };
    expect(comparable(status)).toEqual({
      status: 'running',
      observedGeneration: 1,
      conditions: [...allTrue, ready],
      latestRevision: { name: 'infra-gitops-v1', revision: 1, revisionHash: 'HASH' },
      services: [{ ...service, workloadDefinition: { apiVersion: '', kind: '' }, details }],
      workflow: workflowOf('infra-gitops-v1', 'database-config'),
      appliedResources: [
        { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'server-config', creator: 'workflow' },
        { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace, name: 'server', creator: 'workflow' },
      ],
    });
  });

  it('shows the nested Application as KubeVela does', async () => {
    const { namespace } = tenant;
    const { status } = await tenant.untilRunning('server');
    const service = { name: 'server', namespace, healthy: true, workloadHealthy: true, message: 'Ready:1/1' };
    expect(comparable(status)).toEqual({
      status: 'running',
      observedGeneration: 1,
      conditions: [...allTrue, ready],
      latestRevision: { name: 'server-v1', revision: 1, revisionHash: 'HASH' },
      services: [{ ...service, workloadDefinition: { apiVersion: 'apps/v1', kind: 'Deployment' } }],
      workflow: workflowOf('server-v1', 'server'),
      appliedResources: [{ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'server', creator: 'workflow' }],
    });
  });

  it('labels what it applied, and passes none of its own labels on', async () => {
    const owner = { 'lateen.dev/application': 'infra-gitops', 'lateen.dev/component': 'database-config' };
    expect((await tenant.get('Application', 'server'))?.metadata.labels).toEqual(owner);
    expect((await tenant.get('ConfigMap', 'server-config'))?.metadata.labels).toEqual(owner);
    expect((await tenant.get('Deployment', 'server'))?.metadata.labels).toMatchObject({
      'lateen.dev/application': 'server',
      'lateen.dev/component': 'server',
      'app.oam.dev/name': 'server',
      'app.oam.dev/appRevision': 'server-v1',
    });
    for (const name of ['infra-gitops', 'server']) {
      const { metadata } = (await tenant.get('Application', name))!;
      expect(metadata.annotations).toEqual({ 'app.oam.dev/controller-version-require': 'lateen' });
      expect(metadata.finalizers).toBeUndefined();
    }
  });

  it('reads as in the seed document: lateen ls', async () => {
    const { stdout } = await ask('ls');
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) =>
        line
          .split('\t')
          .map((cell) => cell.trim())
          .slice(0, 7),
      );
    expect(rows.slice(1)).toEqual([
      ['infra-gitops', 'database-config', 'kustomize', '', 'running', 'healthy', ''],
      ['server', 'server', 'webservice', '', 'running', 'healthy', 'Ready:1/1'],
    ]);
  });

  it('follows a push, and says whose it was', async () => {
    const changed = await infra.push(
      { 'infrastructure/server-config.yaml': (await seed('server-config.yaml')).replace('my-config', 'another-config') },
      { branch: 'infra', message: 'Change the config' },
    );
    await tenant.until(
      'infra-gitops',
      `at ${changed}`,
      () => tenant.service('infra-gitops', 'database-config')?.details?.['commit'] === changed,
    );
    expect((await tenant.get('ConfigMap', 'server-config'))?.['data']).toEqual({ config: 'another-config' });
    expect(tenant.service('infra-gitops', 'database-config')?.details).toMatchObject({ subject: 'Change the config', objects: '2' });
    const applied = `Normal Applied component database-config: applied 1 of 2 objects of infra@sha1:${changed} (Change the config)`;
    await tenant.eventually('told', async () => (await tenant.events('infra-gitops')).includes(applied));
  });

  it('carries a change of the nested Application through to its Deployment', async () => {
    await infra.push({ 'infrastructure/server.yaml': (await seed('server.yaml')).replace('nginx', 'nginx:1.27') }, { branch: 'infra' });
    await tenant.until(
      'server',
      'at its second revision',
      ({ status }) => status?.latestRevision?.name === 'server-v2' && status.status === 'running',
    );
    expect(JSON.stringify((await tenant.get('Deployment', 'server'))?.['spec'])).toContain('"image":"nginx:1.27"');
  });

  it('removes what has left the repository, and nothing else', async () => {
    const server = await tenant.get('Application', 'server');
    await infra.push({ 'infrastructure/server-config.yaml': null }, { branch: 'infra' });
    await tenant.eventually('pruned', async () => (await tenant.get('ConfigMap', 'server-config')) === undefined);
    await tenant.until('infra-gitops', 'with one object', ({ status }) => status?.appliedResources?.length === 1);
    expect((await tenant.get('Application', 'server'))?.metadata.uid).toBe(server?.metadata.uid);
    const pruned = 'Normal Pruned component database-config: removed ConfigMap/server-config';
    await tenant.eventually('told', async () => (await tenant.events('infra-gitops')).includes(pruned));
  });

  it('has shown the password to nobody', async () => {
    const shown = await tenant.shown();
    expect(shown).toContain('database-config');
    for (const secret of ['a-planted-password', Buffer.from('fog:a-planted-password').toString('base64')])
      expect(shown).not.toContain(secret);
  });
});

describe('revisions', () => {
  it('makes one for each spec that ran, and never writes over one', async () => {
    const repository = await repositories.create('revisions', { 'app.yaml': configMapYaml('revisions') });
    const apply = (prune: boolean) => tenant.apply('revisions', [kustomize('a', repository.url, { secretRef: 'git-secret', prune })]);
    await apply(true);
    await tenant.untilRunning('revisions');
    const first = await tenant.get('ApplicationRevision', 'revisions-v1');
    await apply(false);
    const { status } = await tenant.until(
      'revisions',
      'at v2',
      ({ status }) => status?.latestRevision?.revision === 2 && status.status === 'running',
    );
    expect(status?.workflow?.appRevision).toBe('revisions-v2');
    const again = await tenant.get('ApplicationRevision', 'revisions-v1');
    expect(again?.['spec']).toEqual(first?.['spec']);
    const second = await tenant.eventually('closed', async () => {
      const revision = await tenant.get('ApplicationRevision', 'revisions-v2');
      return (revision?.['status'] as { succeeded?: boolean } | undefined)?.succeeded === true && revision;
    });
    expect(second.metadata.labels).toMatchObject({
      'app.oam.dev/name': 'revisions',
      'app.oam.dev/app-revision-hash': status?.latestRevision?.revisionHash,
    });
    const { application } = second['spec'] as { application: Application };
    expect(application.spec.components[0]?.properties).toMatchObject({ prune: false });
    // A push is no new spec.
    const commit = await repository.push({ 'app.yaml': configMapYaml('revisions', 'two') });
    await tenant.until('revisions', `at ${commit}`, () => tenant.service('revisions', 'a')?.details?.['commit'] === commit);
    expect(tenant.application('revisions')?.status?.latestRevision?.name).toBe('revisions-v2');
  });
});

describe('where to pull from and when', () => {
  it('follows the default branch where none is named, and says which', async () => {
    const repository = await repositories.create('default-branch');
    await repository.push({ 'app.yaml': configMapYaml('from-main') }, { branch: 'main' });
    await repository.push({ 'app.yaml': configMapYaml('from-other') }, { branch: 'other' });
    const { git: _, ...properties } = kustomize('a', repository.url, { secretRef: 'git-secret' }).properties!;
    await tenant.apply('default-branch', [{ name: 'a', type: 'kustomize', properties }]);
    await tenant.untilRunning('default-branch');
    expect(tenant.service('default-branch', 'a')?.details).toMatchObject({ branch: 'main', objects: '1' });
    expect(await tenant.get('ConfigMap', 'from-other')).toBeUndefined();
  });

  it('pulls at once when it is asked to: lateen reconcile', async () => {
    const repository = await repositories.create('asked', { 'app.yaml': configMapYaml('asked') });
    await tenant.apply('asked', [kustomize('a', repository.url, { secretRef: 'git-secret', pullInterval: '1h' })]);
    await tenant.untilRunning('asked');
    const commit = await repository.push({ 'app.yaml': configMapYaml('asked', 'two') }, { message: 'Do it now' });
    expect(await ask('reconcile', 'asked')).toEqual({
      status: 0,
      stdout: `a: main@${commit.slice(0, 7)} "Do it now", 1 object, healthy\n`,
      stderr: '',
    });
    expect((await tenant.get('ConfigMap', 'asked'))?.['data']).toEqual({ key: 'two' });
  });

  it('reads only the folder that path names, with subfolders, and knows a nested Application there', async () => {
    const repository = await repositories.create('paths', {
      'elsewhere/out.yaml': configMapYaml('outside'),
      'deploy/in.yaml': configMapYaml('inside'),
      'deploy/more/app.yml': applicationYaml('in-path'),
      'deploy/README.md': 'not a manifest',
    });
    await tenant.apply('paths', [kustomize('a', repository.url, { secretRef: 'git-secret', path: './deploy' })]);
    await tenant.untilRunning('paths');
    const names = tenant.application('paths')?.status?.appliedResources?.map(({ kind, name }) => `${kind}/${name}`);
    expect(names?.toSorted()).toEqual(['Application/in-path', 'ConfigMap/inside']);
  });
});
