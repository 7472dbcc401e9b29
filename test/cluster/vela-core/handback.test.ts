import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { lateen, type Ran } from '#test/support/lateen.ts';
import { applicationYaml, configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';
import { startVelaCore, type VelaCore } from '#test/support/vela-core.ts';

/** vela-core is played by test/support/vela-core.ts, by what was recorded of the real one. */

const CLAIM = 'app.oam.dev/controller-version-require';
const MARK = 'lateen.dev/handed-back';
const PULLS_MS = 2_500;
const webservice = (name: string, image = 'nginx') => [{ name, type: 'webservice', properties: { image } }];

let repositories: Repositories;

beforeAll(async () => {
  repositories = await startRepositories();
});

afterAll(() => repositories?.close());

function handback(tenant: Tenant, app: string, ...args: string[]): Promise<Ran> {
  return lateen(['handback', app, '-n', tenant.namespace, '--kubeconfig', tenant.kubeconfig, ...args]);
}

/** What says that Lateen holds an object: labels, and fields of its field manager. */
function holdOf({ metadata: { labels = {}, managedFields = [] } }: KubeObject): string[] {
  const fields = managedFields.filter(({ manager, operation }) => manager === 'lateen' && operation === 'Apply');
  return [...Object.keys(labels).filter((key) => key.startsWith('lateen.dev/')), ...fields.map(({ manager }) => `fields of ${manager}`)];
}

async function inventoryOf(tenant: Tenant, app: string): Promise<KubeObject | undefined> {
  return tenant.get('ConfigMap', `lateen-${app}`);
}

async function uidOf(tenant: Tenant, kind: string, name: string): Promise<string | undefined> {
  return (await tenant.get(kind, name))?.metadata.uid;
}

describe('lateen handback, where the agent renders natively', () => {
  let tenant: Tenant;
  let velaCore: VelaCore;

  beforeAll(async () => {
    tenant = await startTenant();
    velaCore = await startVelaCore({ namespace: tenant.namespace });
    await tenant.apply('web', webservice('web'), { annotations: { [CLAIM]: 'lateen', 'lateen.dev/reconcile-at': 'x' } });
    await tenant.untilRunning('web');
  });

  afterAll(async () => {
    await velaCore?.stop();
    await tenant?.close();
  });

  it('lets vela-core run what the agent ran: nothing is made anew, and nothing restarts', async () => {
    const before = (await tenant.get('Deployment', 'web'))!;
    const { status, stdout, stderr } = await handback(tenant, 'web');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'Handed back: Lateen has let go of web and 1 object, which stays as it is.',
        'vela-core runs it from now on, where there is one.',
        `To give it to Lateen again: kubectl annotate application web -n ${tenant.namespace} ${MARK}- ${CLAIM}=lateen`,
        '',
      ].join('\n'),
    );
    await tenant.untilRunning('web');
    const after = (await tenant.get('Deployment', 'web'))!;
    expect([after.metadata.uid, after.metadata.generation]).toEqual([before.metadata.uid, before.metadata.generation]);
    expect(holdOf(after)).toEqual([]);
    expect(after.metadata.labels).toMatchObject({ 'app.oam.dev/name': 'web', 'app.oam.dev/namespace': tenant.namespace });
    expect(await inventoryOf(tenant, 'web')).toBeUndefined();
    expect([[...velaCore.workflows], velaCore.errors]).toEqual([[['web', 1]], []]);
  });

  it('leaves no trace but the mark, which its objects do not get', async () => {
    const { metadata, status } = tenant.application('web')!;
    expect(Object.keys(metadata.annotations ?? {}).sort()).toEqual(
      ['filter.oam.dev/annotation-keys', 'filter.oam.dev/label-keys', MARK].sort(),
    );
    expect(status?.conditions?.map(({ type }) => type)).toEqual(['Parsed', 'Revision', 'Policy', 'Render', 'Workflow', 'Ready']);
    expect(status?.latestRevision).toMatchObject({ name: 'web-v1', revision: 1 });
    expect(Object.keys((await tenant.get('Deployment', 'web'))?.metadata.annotations ?? {})).not.toContain(MARK);
    expect(await tenant.events('web')).toContain('Normal HandedBack Lateen has let go of 1 object; nothing was removed or changed');
  });

  it('is for good: neither the agent nor its successor claims it again, and its changes are vela-core’s', async () => {
    await tenant.apply('web', webservice('web', 'nginx:2'));
    await tenant.eventually('rolled out by vela-core', () => Promise.resolve(velaCore.workflows.get('web') === 2));
    await tenant.agent.stop();
    await tenant.startAgent();
    await tenant.apply('other', webservice('other'));
    await tenant.untilRunning('other');
    expect(tenant.application('web')?.metadata.annotations).not.toHaveProperty([CLAIM]);
    expect(holdOf((await tenant.get('Deployment', 'web'))!)).toEqual([]);
    expect(await inventoryOf(tenant, 'web')).toBeUndefined();
    expect(velaCore.errors).toEqual([]);
  });

  it('can be said again, and taken back', async () => {
    expect(await handback(tenant, 'web')).toEqual({ status: 0, stdout: 'web has been handed back already.\n', stderr: '' });
    const uid = await uidOf(tenant, 'Deployment', 'web');
    const { apiVersion, kind, metadata } = tenant.application('web')!;
    const reference = { apiVersion, kind, namespace: metadata.namespace, name: 'web' };
    await tenant.client.mergePatch(reference, { metadata: { annotations: { [MARK]: null, [CLAIM]: 'lateen' } } });
    await tenant.eventually('held again', () => inventoryOf(tenant, 'web'));
    await tenant.eventually('labelled', async () => holdOf((await tenant.get('Deployment', 'web'))!).length === 3);
    expect(await uidOf(tenant, 'Deployment', 'web')).toBe(uid);
  });

  it('lets vela-core delete it with what it runs', async () => {
    await handback(tenant, 'web');
    await tenant.eventually('run by vela-core', () => Promise.resolve(velaCore.workflows.get('web') === 3));
    await tenant.delete('Application', 'web');
    await tenant.eventually('gone', async () => !(await tenant.get('Deployment', 'web')));
    await tenant.eventually('gone', async () => !(await tenant.get('Application', 'web')));
  });
});

describe('lateen handback of a kustomize component', () => {
  it('beside vela-core leaves every object, whatever happens afterwards', async () => {
    const tenant = await startTenant({ flags: { applications: 'gitops' } });
    const velaCore = await startVelaCore({ namespace: tenant.namespace });
    try {
      const inner = await repositories.create('inner', { 'cm.yaml': configMapYaml('inner') });
      const nested = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name: 'nested' } };
      const files = {
        'a.yaml': configMapYaml('a'),
        'b.yaml': configMapYaml('b'),
        'n.yaml': JSON.stringify({ ...nested, spec: { components: [kustomize('c', inner.url)] } }),
      };
      const { url, push } = await repositories.create('files', files);
      await tenant.apply('files', [kustomize('c', url)]);
      await Promise.all(['files', 'nested'].map((name) => tenant.untilRunning(name)));
      const objects = [
        ['ConfigMap', 'a'],
        ['ConfigMap', 'b'],
        ['Application', 'nested'],
        ['ConfigMap', 'inner'],
      ] as const;
      const uids = () => Promise.all(objects.map(([kind, name]) => uidOf(tenant, kind, name)));
      const before = await uids();
      const { status, stdout } = await handback(tenant, 'files');
      expect([status, stdout]).toEqual([0, expect.stringContaining('Nested Applications stay whose they are: nested.\n')]);
      for (const [kind, name] of objects.slice(0, 3)) expect(holdOf((await tenant.get(kind, name))!)).toEqual([]);
      expect(holdOf((await tenant.get('ConfigMap', 'inner'))!)).toHaveLength(3);
      await push({ 'a.yaml': null, 'b.yaml': configMapYaml('b', 'two') });
      await tenant.agent.stop();
      await tenant.startAgent();
      await tenant.until('files', 'seen by vela-core', (one) => one.metadata.finalizers?.length === 1);
      await sleep(PULLS_MS);
      expect(await uids()).toEqual(before);
      expect((await tenant.get('ConfigMap', 'b'))?.['data']).toEqual({ key: 'one' });
      expect(tenant.application('files')?.metadata.annotations).not.toHaveProperty([CLAIM]);
      await tenant.delete('Application', 'files');
      await tenant.eventually('gone', async () => !(await tenant.get('Application', 'files')));
      await sleep(1_000);
      expect(await uids()).toEqual(before);
      await tenant.untilRunning('nested');
    } finally {
      await velaCore.stop();
      await tenant.close();
    }
  });

  it('is done by the command itself where no agent runs', async () => {
    const tenant = await startTenant({ flags: { 'shared-inventories': 'always' } });
    try {
      const { url, push } = await repositories.create('alone', { 'a.yaml': configMapYaml('a'), 'b.yaml': configMapYaml('b') });
      await tenant.apply('alone', [kustomize('c', url)]);
      await tenant.apply('neighbour', [kustomize('c', (await repositories.create('neighbour', { 'cm.yaml': configMapYaml('kept') })).url)]);
      await Promise.all(['alone', 'neighbour'].map((name) => tenant.untilRunning(name)));
      const uids = () => Promise.all(['a', 'b'].map((name) => uidOf(tenant, 'ConfigMap', name)));
      const before = await uids();
      // Killed: its Lease is held for a while yet.
      await tenant.agent.kill();
      const { status, stdout, stderr } = await handback(tenant, 'alone');
      expect([status, stderr, stdout]).toEqual([
        0,
        '',
        expect.stringContaining('let go of alone and 2 objects, which stay as they are.\n'),
      ]);
      for (const name of ['a', 'b']) expect(holdOf((await tenant.get('ConfigMap', name))!)).toEqual([]);
      expect(tenant.application('alone')?.metadata.annotations).not.toHaveProperty([CLAIM]);
      await push({ 'a.yaml': null });
      await tenant.startAgent();
      await tenant.untilRunning('neighbour');
      await sleep(PULLS_MS);
      expect(await uids()).toEqual(before);
      await tenant.delete('Application', 'alone');
      await sleep(1_000);
      expect(await uids()).toEqual(before);
      await tenant.delete('Application', 'neighbour');
      await tenant.eventually('removed', async () => !(await tenant.get('ConfigMap', 'kept')));
    } finally {
      await tenant.close();
    }
  });

  it('that was broken off after its mark is finished by the same command', async () => {
    const tenant = await startTenant();
    try {
      const { url } = await repositories.create('broken', { 'a.yaml': configMapYaml('a') });
      await tenant.apply('broken', [kustomize('c', url)]);
      await tenant.untilRunning('broken');
      const uid = await uidOf(tenant, 'ConfigMap', 'a');
      const { apiVersion, kind, metadata } = tenant.application('broken')!;
      const reference = { apiVersion, kind, namespace: metadata.namespace, name: 'broken' };
      await tenant.client.mergePatch(reference, { metadata: { annotations: { [MARK]: 'true' } } });
      const reason = (one: Application): string | undefined => one.status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
      await tenant.until('broken', 'let go of', (one) => reason(one) === 'HandedBack');
      await tenant.agent.stop();
      await tenant.startAgent();
      await sleep(1_000);
      expect(tenant.application('broken')?.metadata.annotations).toEqual({ [CLAIM]: 'lateen', [MARK]: 'true' });
      const { stdout } = await lateen(['doctor', '-n', tenant.namespace, '--kubeconfig', tenant.kubeconfig]);
      expect(stdout).toContain(`broken: it was handed back: it has the annotation ${MARK}, and Lateen still holds its claim`);
      expect(stdout).toContain(`-> lateen handback broken -n ${tenant.namespace} ends it`);
      expect((await handback(tenant, 'broken')).status).toBe(0);
      expect(tenant.application('broken')?.metadata.annotations).not.toHaveProperty([CLAIM]);
      expect(await uidOf(tenant, 'ConfigMap', 'a')).toBe(uid);
      const after = (await lateen(['doctor', '-n', tenant.namespace, '--kubeconfig', tenant.kubeconfig])).stdout;
      expect(after).toMatch(/^ok +owners +broken: it was handed back: /m);
      expect(after).not.toMatch(/^FAILED +Applications/m);
    } finally {
      await tenant.close();
    }
  });
});

describe('lateen handback of what comes from Git', () => {
  it('is refused, and done by a commit', async () => {
    const tenant = await startTenant({ flags: { applications: 'gitops', 'vela-core-identity': 'trusted' } });
    const velaCore = await startVelaCore({ namespace: tenant.namespace });
    try {
      const yaml = (annotations: string): string =>
        applicationYaml('server').replace('metadata:\n', `metadata:\n  annotations:\n    ${annotations}\n`);
      const { url, push } = await repositories.create('committed', { 'server.yaml': yaml(`${CLAIM}: lateen`) });
      await tenant.apply('outer', [kustomize('c', url)]);
      await tenant.untilRunning('server');
      const uid = await uidOf(tenant, 'Deployment', 'server');
      expect(await handback(tenant, 'server')).toEqual({
        status: 1,
        stdout: '',
        stderr:
          'lateen: the Application server comes from the repository of the Application outer, which would claim it again; ' +
          `write the annotation ${MARK}: "true" into its file, and take ${CLAIM} out where it stands there\n`,
      });
      await push({ 'server.yaml': yaml(`${MARK}: "true"`) });
      await tenant.until('server', 'given back', ({ metadata }) => metadata.annotations?.[CLAIM] === undefined);
      await tenant.eventually('run by vela-core', () => Promise.resolve(velaCore.workflows.get('server') === 1));
      await tenant.untilRunning('outer');
      expect(holdOf((await tenant.get('Deployment', 'server'))!)).toEqual([]);
      expect(await uidOf(tenant, 'Deployment', 'server')).toBe(uid);
      expect(velaCore.errors).toEqual([]);
    } finally {
      await velaCore.stop();
      await tenant.close();
    }
  });
});

describe('lateen handback', () => {
  it('says why not', async () => {
    const tenant = await startTenant();
    try {
      await tenant.apply('theirs', webservice('theirs'), { annotations: { [CLAIM]: 'v1.10.0' } });
      await tenant.apply('paused', webservice('paused'), { labels: { 'controller.core.oam.dev/pause': 'true' } });
      await tenant.apply('held', webservice('held'), { annotations: { [CLAIM]: 'lateen', 'lateen.dev/hold': 'held-v1' } });
      expect((await handback(tenant, 'theirs')).stderr).toContain(`belongs to another controller: ${CLAIM} is "v1.10.0"`);
      expect((await handback(tenant, 'paused')).stderr).toContain(
        'is paused: nobody acts on it; take the label controller.core.oam.dev/pause off',
      );
      expect((await handback(tenant, 'held')).stderr).toContain(
        'is held at held-v1, and vela-core would roll out what its spec says; end the hold',
      );
      expect((await handback(tenant, 'none')).stderr).toContain('there is no Application "none"');
      expect(await handback(tenant, 'held', '--timeout=soon')).toMatchObject({ status: 2 });
      for (const name of ['theirs', 'paused', 'held'])
        expect(tenant.application(name)?.metadata.annotations ?? {}).not.toHaveProperty([MARK]);
    } finally {
      await tenant.close();
    }
  });
});
