import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kustomize, type Repositories, startRepositories, type TestRepository } from '#test/support/repositories.ts';
import { ROLLOUTS_MS, type Rollouts, rolloutsOf, web } from '#test/support/rollouts.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

/** What becomes of publish, rollback and the vela command where Git has the last word. */

const VERSION = 'app.oam.dev/publishVersion';

let tenant: Tenant;
let repositories: Repositories;
let rollouts: Rollouts;

beforeAll(async () => {
  [tenant, repositories] = await Promise.all([startTenant(), startRepositories()]);
  rollouts = rolloutsOf(tenant);
});

afterAll(() => Promise.all([tenant?.close(), repositories?.close()]));

describe('an Application that comes from Git', { timeout: ROLLOUTS_MS }, () => {
  const yaml = (image: string, version?: string): string =>
    [
      'apiVersion: core.oam.dev/v1beta1',
      'kind: Application',
      'metadata:',
      '  name: nested',
      ...(version === undefined ? [] : ['  annotations:', `    ${VERSION}: "${version}"`]),
      'spec:',
      '  components:',
      `  - {name: nested, type: webservice, properties: {image: "web:${image}"}}`,
      '',
    ].join('\n');
  let repository: TestRepository;

  beforeAll(async () => {
    repository = await repositories.create('nested', { 'app.yaml': yaml('a', 'v1') });
    await tenant.apply('parent', [kustomize('apps', repository.url)]);
    await rollouts.succeeded('nested', 'v1');
    await repository.push({ 'app.yaml': yaml('b', 'v2') });
    await rollouts.succeeded('nested', 'v2');
  });

  it('is held by a rollback, whatever Git does, until it is resumed', async () => {
    const held = await rollouts.ask('rollback', 'nested', '--to', 'v1');
    expect(held).toEqual({
      status: 0,
      stdout:
        'Held: nested runs nested-v1 (v1) now. It comes from Git (Application parent), which stays as it is:\nwhat Git says has no effect until lateen resume nested.\n',
      stderr: '',
    });
    await rollouts.succeeded('nested', 'v1');
    expect(await rollouts.imageOf('nested')).toBe('a');
    await tenant.until('nested', 'held', ({ status }) => status?.conditions?.some(({ reason }) => reason === 'Held') ?? false);
    expect((await rollouts.ask('status', 'nested')).stdout).toContain('  Revision: True (HELD)\n    Held at v1 (main has moved on)\n');
    await repository.push({ 'app.yaml': yaml('c', 'v3') });
    await tenant.until('nested', 'changed by Git', ({ metadata }) => metadata.annotations?.[VERSION] === 'v3');
    const diff = await rollouts.ask('diff', 'nested');
    expect(diff.stdout).toContain('Deployment/nested (component nested) changed, without effect because held at nested-v1\n');
    expect(await rollouts.imageOf('nested')).toBe('a');

    expect(await rollouts.ask('resume', 'nested')).toEqual({
      status: 0,
      stdout: 'Resumed: nested is not held at nested-v1 any more: it follows Git again (Application parent).\n',
      stderr: '',
    });
    await rollouts.succeeded('nested', 'v3');
    expect(await rollouts.imageOf('nested')).toBe('c');
  });

  it('is held by a publication of what it is, and of an earlier revision', async () => {
    const live = await rollouts.ask('publish', 'nested', '--version', 'mine');
    expect(live.stdout).toMatch(/^Held: nested runs nested-v\d+ \(mine\) now\./);
    await rollouts.succeeded('nested', 'mine');
    expect(tenant.application('nested')?.metadata.annotations).toMatchObject({ [VERSION]: 'v3' });
    const earlier = await rollouts.ask('publish', 'nested', '--version', 'again', '--revision', 'v1');
    expect(earlier.stdout).toMatch(/^Held: nested runs nested-v\d+ \(again\) now\./);
    await rollouts.succeeded('nested', 'again');
    expect(await rollouts.imageOf('nested')).toBe('a');
    await rollouts.ask('resume', 'nested');
    await tenant.eventually('back', async () => (await rollouts.imageOf('nested')) === 'c');
  });

  it('follows Git again after what vela changed was held', async () => {
    const { client, namespace } = tenant;
    const path = `/apis/core.oam.dev/v1beta1/namespaces/${namespace}/applications/nested`;
    const before = (await client.get({ apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace, name: 'nested' }))!;
    const change = {
      metadata: { annotations: { [VERSION]: 'by-vela' } },
      spec: {
        ...(before['spec'] as object),
        components: [web('nested', 'vela')],
        policies: [{ name: 'extra', type: 'override', properties: {} }],
      },
    };
    const query = { fieldManager: 'vela' };
    await client.transport.request({
      method: 'PATCH',
      path,
      body: change,
      query,
      contentType: 'application/merge-patch+json',
      timeoutMs: 5_000,
    });
    await rollouts.succeeded('nested', 'by-vela');
    expect(await rollouts.imageOf('nested')).toBe('vela');
    await tenant.until('nested', 'held', ({ metadata }) => metadata.annotations?.['lateen.dev/hold'] !== undefined);
    expect((await rollouts.ask('resume', 'nested')).stdout).toMatch(/^Resumed: nested is not held at nested-v\d+ any more/);
    await tenant.eventually('back', async () => (await rollouts.imageOf('nested')) === 'c');
    await tenant.until(
      'nested',
      'as in Git',
      ({ metadata, spec }) => metadata.annotations?.[VERSION] === 'v3' && spec.policies === undefined,
    );
    expect(tenant.application('nested')?.metadata.annotations?.['lateen.dev/hold']).toBeUndefined();
  });
});
