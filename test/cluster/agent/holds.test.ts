import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { kustomize, type TestRepository } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

/** Applications that come from Git, and a person who wants another revision than Git has. */

const VERSION = 'app.oam.dev/publishVersion';
const HOLD = 'lateen.dev/hold';
const REQUIRE = 'app.oam.dev/controller-version-require';

const { repositories, tenant } = tenancy();

function yaml(name: string, image: string, version?: string): string {
  const annotations = version === undefined ? '' : `  annotations:\n    ${VERSION}: ${version}\n`;
  const component = `    - name: ${name}\n      type: webservice\n      properties:\n        image: web:${image}\n`;
  return `apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata:\n  name: ${name}\n${annotations}spec:\n  components:\n${component}`;
}

async function fromGit(name: string, image: string, version?: string): Promise<TestRepository> {
  const repository = await repositories.create(name, { 'app.yaml': yaml(name, image, version) });
  await tenant.apply(`${name}-git`, [kustomize('git', repository.url)]);
  await tenant.untilRunning(`${name}-git`);
  await ended(name, version ?? `${name}-v1`);
  return repository;
}

async function imageOf(name: string): Promise<string | undefined> {
  const deployment = (await tenant.get('Deployment', name)) as
    | { spec?: { template: { spec: { containers: { image: string }[] } } } }
    | undefined;
  return deployment?.spec?.template.spec.containers[0]?.image.replace('web:', '');
}

function ended(name: string, token: string): Promise<Application> {
  return tenant.until(name, `at ${token}`, ({ status }) => status?.workflow?.appRevision === token && status.workflow.finished);
}

function reference(name: string, kind = 'Application') {
  return { apiVersion: 'core.oam.dev/v1beta1', kind, namespace: tenant.namespace, name };
}

/** A PATCH by a client that calls itself as the program does: the API server takes the field manager from that. */
async function patchAs(manager: string, name: string, patch: unknown): Promise<void> {
  const path = `/apis/core.oam.dev/v1beta1/namespaces/${tenant.namespace}/applications/${name}?fieldManager=${manager}`;
  const { status, body } = await tenant.client.transport.request({
    method: 'PATCH',
    path,
    body: patch,
    contentType: 'application/merge-patch+json',
  });
  if (status >= 300) throw new Error(JSON.stringify(body));
}

const hold = (name: string, value: string | null): Promise<void> =>
  patchAs('lateen-cli', name, { metadata: { annotations: { [HOLD]: value } } });

function message(name: string): string | undefined {
  return tenant.application(name)?.status?.conditions?.find(({ reason }) => reason === 'Held')?.message;
}

describe.concurrent('a hold on an Application of Git', () => {
  it('stands against pulls, drift and a restart of the agent, and ends with what Git has', async () => {
    const repository = await fromGit('web', 'a', 'v1');
    await repository.push({ 'app.yaml': yaml('web', 'bxxx', 'v2') });
    await tenant.until('web', 'stuck', ({ status }) => status?.workflow?.appRevision === 'v2');
    await hold('web', 'web-v1');
    await ended('web', 'v1');
    await tenant.until('web', 'told', () => message('web') === 'Held at v1 (main has moved on)');
    await repository.push({ 'app.yaml': yaml('web', 'c', 'v3') });
    await tenant.until('web', 'pulled', ({ metadata }) => metadata.annotations?.[VERSION] === 'v3');
    await tenant.delete('Deployment', 'web');
    await tenant.eventually('repaired', async () => (await imageOf('web')) === 'a');
    await tenant.untilRunning('web-git');
    expect(tenant.application('web')?.metadata.annotations?.[HOLD]).toBe('web-v1');
    await tenant.agent.kill();
    await tenant.startAgent();
    await sleep(3_000);
    expect(tenant.application('web')?.status?.workflow).toMatchObject({ appRevision: 'v1', finished: true });
    expect(await imageOf('web')).toBe('a');
    await hold('web', null);
    await ended('web', 'v3');
    expect(await imageOf('web')).toBe('c');
  });

  it('names the author of the commit in its revisions, and the commit in those of the parent', async () => {
    const repository = await fromGit('author', 'a');
    const commit = await repository.push({ 'app.yaml': yaml('author', 'b') });
    await ended('author', 'author-v2');
    const revision = await tenant.get('ApplicationRevision', 'author-v2');
    expect(revision?.metadata.annotations?.['lateen.dev/requested-by']).toMatch(/\S/);
    expect(revision?.metadata.annotations?.['lateen.dev/requested-by']).not.toBe('unknown');
    const parent = await tenant.eventually('recorded', async () => {
      const one = await tenant.get('ApplicationRevision', 'author-git-v1');
      return one?.['status'] ? one : undefined;
    });
    const { workflowContext } = parent['status'] as { workflowContext?: { commits: string } };
    expect(Object.keys(JSON.parse(workflowContext?.commits ?? '{}') as object)).toEqual(['git']);
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe.concurrent('what the vela command changes of an Application of Git', () => {
  it('vela up APP --publish-version V runs that version, and becomes a hold', async () => {
    const repository = await fromGit('up', 'a', 'v1');
    await patchAs('vela', 'up', { metadata: { annotations: { [VERSION]: 'mine' } } });
    await ended('up', 'mine');
    await tenant.until('up', 'held', ({ metadata }) => metadata.annotations?.[HOLD] === 'up-v2');
    await tenant.until('up', 'as in Git', ({ metadata }) => metadata.annotations?.[VERSION] === 'v1');
    await repository.push({ 'app.yaml': yaml('up', 'b', 'v2') });
    await tenant.until('up', 'pulled', ({ metadata }) => metadata.annotations?.[VERSION] === 'v2');
    await sleep(1_000);
    expect(tenant.application('up')?.status?.workflow?.appRevision).toBe('mine');
    await tenant.until('up', 'told', () => message('up') === 'Held at v2 (main has moved on)');
    await hold('up', null);
    await ended('up', 'v2');
    expect(await imageOf('up')).toBe('b');
  });

  it('vela up APP --publish-version V --revision R: frozen, changed, cloned, replaced, unfrozen (spec/kubevela.md §3.7)', async () => {
    const repository = await fromGit('back', 'a', 'v1');
    await repository.push({ 'app.yaml': yaml('back', 'b', 'v2') });
    await ended('back', 'v2');
    const first = (await tenant.client.get(reference('back-v1', 'ApplicationRevision')))!;
    const { spec } = (first['spec'] as { application: Application }).application;
    await patchAs('vela', 'back', { metadata: { annotations: { [REQUIRE]: 'Disabled', [VERSION]: 'beta1' } }, spec });
    await sleep(1_500);
    // Hands off: neither agent nor parent touch it.
    expect(tenant.application('back')?.metadata.annotations).toMatchObject({ [REQUIRE]: 'Disabled', [VERSION]: 'beta1' });
    const {
      ownerReferences: _o,
      uid: _u,
      resourceVersion: _r,
      managedFields: _m,
      creationTimestamp: _c,
      generation: _g,
      ...metadata
    } = first.metadata;
    const clone: KubeObject = {
      apiVersion: first.apiVersion,
      kind: first.kind,
      metadata: { ...metadata, name: 'back-v3', annotations: { ...metadata.annotations, [VERSION]: 'beta1' } },
      spec: first['spec'],
    };
    await tenant.client.create(clone);
    const status = tenant.application('back')?.status ?? {};
    const gone = Object.fromEntries(Object.keys(status).map((key) => [key, null]));
    const latestRevision = { name: 'back-v3', revision: 3, revisionHash: metadata.labels?.['app.oam.dev/app-revision-hash'] };
    await tenant.client.mergePatch(reference('back'), { status: { ...gone, latestRevision } }, { subresource: 'status' });
    await patchAs('vela', 'back', { metadata: { annotations: { [REQUIRE]: 'lateen' } } });
    await ended('back', 'beta1');
    await tenant.until('back', 'held', ({ metadata: { annotations } }) => annotations?.[HOLD] === 'back-v3');
    await tenant.until('back', 'as in Git', ({ metadata: { annotations } }) => annotations?.[VERSION] === 'v2');
    expect(await imageOf('back')).toBe('a');
    await tenant.until('back', 'told', () => message('back') === 'Held at v3 (main has moved on)');
  });
});
