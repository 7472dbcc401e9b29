import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Component } from '#api/application.ts';
import { applicationYaml, configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

function phases(name: string): Record<string, string> {
  return Object.fromEntries((tenant.application(name)?.status?.workflow?.steps ?? []).map((step) => [step.name, step.phase]));
}

async function value(configMap: string): Promise<string | undefined> {
  return ((await tenant.get('ConfigMap', configMap))?.['data'] as { key?: string } | undefined)?.key;
}

describe.concurrent('what a component may ask for', () => {
  it('builds a kustomization, and prunes what its generator left behind', async () => {
    const repository = await repositories.create('overlay', {
      'base/kustomization.yaml': 'resources: [app.yaml]\n',
      'base/app.yaml': configMapYaml('base'),
      'prod/kustomization.yaml':
        'namePrefix: prod-\nresources: [../base]\nconfigMapGenerator:\n  - name: settings\n    literals: [level=low]\n',
    });
    await tenant.apply('overlay', [kustomize('a', repository.url, { path: './prod' })]);
    await tenant.untilRunning('overlay');
    const generated = (): string[] => (tenant.application('overlay')?.status?.appliedResources ?? []).map(({ name }) => name).sort();
    expect(generated()).toEqual(['prod-base', expect.stringMatching(/^prod-settings-\w{10}$/)]);
    const old = generated()[1]!;
    await repository.push({
      'prod/kustomization.yaml':
        'namePrefix: prod-\nresources: [../base]\nconfigMapGenerator:\n  - name: settings\n    literals: [level=high]\n',
    });
    await tenant.eventually('pruned', async () => (await tenant.get('ConfigMap', old)) === undefined);
    await tenant.until('overlay', 'rid of it', () => generated().length === 2 && !generated().includes(old));
  });

  it('keeps what leaves Git where prune is false, and says so', async () => {
    const repository = await repositories.create('kept', { 'a.yaml': configMapYaml('kept-a'), 'b.yaml': configMapYaml('kept-b') });
    await tenant.apply('kept', [kustomize('a', repository.url, { prune: false })]);
    await tenant.untilRunning('kept');
    await repository.push({ 'b.yaml': null });
    const line = 'Normal Kept component a: left in the cluster, since prune is false: ConfigMap/kept-b';
    await tenant.eventually('told', async () => (await tenant.events('kept')).includes(line));
    expect(await value('kept-b')).toBe('one');
    await tenant.until('kept', 'with one object', () => tenant.service('kept', 'a')?.details?.['objects'] === '1');
  });

  it('neither pulls nor applies while it is suspended', async () => {
    const repository = await repositories.create('suspended', { 'a.yaml': configMapYaml('suspended') });
    await tenant.apply('suspended', [kustomize('a', repository.url)]);
    await tenant.untilRunning('suspended');
    await tenant.apply('suspended', [kustomize('a', repository.url, { suspend: true })]);
    await tenant.until('suspended', 'suspended', ({ status }) => status?.services?.[0]?.message?.startsWith('suspended') ?? false);
    expect(tenant.service('suspended', 'a')).toMatchObject({
      healthy: true,
      message: 'suspended: nothing is pulled or applied until suspend is false',
      details: expect.objectContaining({ reason: 'SUSPENDED' }) as unknown,
    });
    await repository.push({ 'a.yaml': configMapYaml('suspended', 'two') });
    const asked = repositories.server.requestCount('suspended');
    await sleep(2_500);
    expect(repositories.server.requestCount('suspended')).toBe(asked);
    expect(await value('suspended')).toBe('one');
    await tenant.apply('suspended', [kustomize('a', repository.url)]);
    await tenant.eventually('followed', async () => (await value('suspended')) === 'two');
  });

  it('starts a component when those that it depends on are healthy', async () => {
    const first = await repositories.create('order-first');
    const second = await repositories.create('order-second', { 'a.yaml': configMapYaml('order-second') });
    await tenant.apply('order', [{ ...kustomize('second', second.url), dependsOn: ['first'] }, kustomize('first', first.url)]);
    await tenant.until('order', 'waiting for first', () => tenant.service('order', 'first')?.healthy === false);
    expect(phases('order')).toEqual({ first: 'running', second: 'pending' });
    // An Application whose own component is of no known type is applied and not healthy.
    await first.push({ 'app.yaml': applicationYaml('order-nested').replace('webservice', 'nonsense') });
    await tenant.until('order', 'waiting for the nested one', () => /order-nested/.test(tenant.service('order', 'first')?.message ?? ''));
    expect(phases('order')).toEqual({ first: 'running', second: 'pending' });
    expect(repositories.server.requestCount('order-second')).toBe(0);
    expect(tenant.application('order')?.status?.status).toBe('runningWorkflow');
    await first.push({ 'app.yaml': applicationYaml('order-nested') });
    await tenant.untilRunning('order');
    expect(phases('order')).toEqual({ first: 'succeeded', second: 'succeeded' });
    expect(await value('order-second')).toBe('one');
  });

  it('follows the steps of a workflow one after the other', async () => {
    const repository = await repositories.create('steps', {
      'one/a.yaml': configMapYaml('steps-one'),
      'two/a.yaml': configMapYaml('steps-two'),
    });
    const steps = ['two', 'one'].map((component) => ({ name: `deploy-${component}`, type: 'apply-component', properties: { component } }));
    const components = ['one', 'two'].map((name) => kustomize(name, repository.url, { path: name }));
    await tenant.apply('steps', { components, workflow: { steps } });
    const { status } = await tenant.untilRunning('steps');
    expect(status?.workflow).toMatchObject({ mode: 'StepByStep-DAG', status: 'succeeded', finished: true });
    expect(status?.workflow?.steps?.map(({ name, phase }) => [name, phase])).toEqual([
      ['deploy-two', 'succeeded'],
      ['deploy-one', 'succeeded'],
    ]);
    const [one, two] = await Promise.all(['steps-one', 'steps-two'].map((name) => tenant.get('ConfigMap', name)));
    expect(Number(one?.metadata.resourceVersion)).toBeGreaterThan(Number(two?.metadata.resourceVersion));
  });

  it('applies itself without waiting for itself, and never prunes itself', async () => {
    const repository = await repositories.create('selfish');
    const components: Component[] = [kustomize('a', repository.url)];
    const itself = JSON.stringify({
      apiVersion: 'core.oam.dev/v1beta1',
      kind: 'Application',
      metadata: { name: 'selfish' },
      spec: { components },
    });
    await repository.push({ 'self.yaml': itself, 'a.yaml': configMapYaml('selfish') });
    const { metadata } = await tenant.apply('selfish', components);
    await tenant.untilRunning('selfish');
    expect(tenant.service('selfish', 'a')?.details).toMatchObject({ objects: '2' });
    const commit = await repository.push({ 'self.yaml': null });
    await tenant.until('selfish', 'without itself', () => tenant.service('selfish', 'a')?.details?.['commit'] === commit);
    await tenant.untilRunning('selfish');
    await sleep(1_500);
    expect(tenant.application('selfish')?.metadata).toMatchObject({ uid: metadata.uid });
    expect(tenant.application('selfish')?.metadata.deletionTimestamp).toBeUndefined();
    expect((await tenant.events('selfish')).filter((line) => line.includes('Pruned'))).toEqual([]);
  });

  it('applies the Application that applied it without waiting for it: a circle of two', async () => {
    const [inner, outer] = await Promise.all([repositories.create('circle-inner'), repositories.create('circle-outer')]);
    const manifest = (name: string, url: string): string =>
      JSON.stringify({
        apiVersion: 'core.oam.dev/v1beta1',
        kind: 'Application',
        metadata: { name },
        spec: { components: [kustomize('a', url)] },
      });
    await outer.push({ 'inner.yaml': manifest('circle-inner', inner.url) });
    await inner.push({ 'outer.yaml': manifest('circle-outer', outer.url), 'a.yaml': configMapYaml('circle') });
    await tenant.apply('circle-outer', [kustomize('a', outer.url)]);
    await Promise.all([tenant.untilRunning('circle-inner'), tenant.untilRunning('circle-outer')]);
    expect(await value('circle')).toBe('one');
  });

  it('is as healthy as what it applied', async () => {
    const deployment = (nodeSelector: string): string =>
      [
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: healthy }',
        'spec:\n  selector: { matchLabels: { app: healthy } }\n  template:\n    metadata: { labels: { app: healthy } }',
        `    spec: { nodeSelector: { ${nodeSelector} }, containers: [{ name: web, image: nginx }] }\n`,
      ].join('\n');
    const repository = await repositories.create('healthy', { 'a.yaml': deployment('') });
    await tenant.apply('healthy', [kustomize('a', repository.url)]);
    await tenant.untilRunning('healthy');
    expect((await tenant.get('Deployment', 'healthy'))?.['status']).toMatchObject({ readyReplicas: 1 });
    await repository.push({ 'a.yaml': deployment('no: such-node') });
    const { status } = await tenant.until('healthy', 'unhealthy', (one) => one.status?.status === 'unhealthy');
    expect(status?.services?.[0]).toMatchObject({ healthy: false, message: expect.stringContaining('Deployment/healthy') as string });
    expect(status?.conditions?.filter((one) => one.status === 'False').map(({ type }) => type)).toEqual(['Healthy', 'Ready']);
    await repository.push({ 'a.yaml': deployment('') });
    await tenant.untilRunning('healthy');
  });
});

describe('what pulling costs', () => {
  it('is one listing per interval for all components of a repository, and no fetch when nothing moved', async () => {
    const repository = await repositories.create('shared', {
      'one/a.yaml': configMapYaml('shared-one'),
      'two/a.yaml': configMapYaml('shared-two'),
      'three/a.yaml': configMapYaml('shared-three'),
    });
    await tenant.apply(
      'shared',
      ['one', 'two'].map((name) => kustomize(name, repository.url, { path: name })),
    );
    await tenant.apply('shared-too', [kustomize('a', repository.url, { path: 'three' })]);
    await Promise.all([tenant.untilRunning('shared'), tenant.untilRunning('shared-too')]);
    const before = repositories.server.requests().length;
    await sleep(3_500);
    const requests = repositories.server
      .requests()
      .slice(before)
      .filter(({ path }) => path.startsWith('/shared/'));
    // A listing is one request; one that git itself had begun before the count has two, and a fetch would be more.
    expect(requests.length).toBeGreaterThanOrEqual(2);
    expect(requests.length).toBeLessThanOrEqual(4);
    expect(requests.every(({ path }) => path.endsWith('/git-upload-pack'))).toBe(true);
  });

  it('is one fetch for all components when it moved', async () => {
    const repository = await repositories.create('moved', {
      'one/a.yaml': configMapYaml('moved-one'),
      'two/a.yaml': configMapYaml('moved-two'),
    });
    const components = ['one', 'two'].map((name) => kustomize(name, repository.url, { path: name, pullInterval: '1h' }));
    await tenant.apply('moved', components);
    await tenant.untilRunning('moved');
    const commit = await repository.push({
      'one/a.yaml': configMapYaml('moved-one', 'two'),
      'two/a.yaml': configMapYaml('moved-two', 'two'),
    });
    const before = repositories.server.requestCount('moved');
    await tenant.apply('moved', components, { annotations: { 'lateen.dev/reconcile-at': 'now' } });
    await tenant.until(
      'moved',
      `at ${commit}`,
      ({ status }) => status?.services?.every(({ details }) => details?.['commit'] === commit) ?? false,
    );
    // The listing: two requests. The fetch: the same greeting, the listing of the one ref, the pack.
    expect(repositories.server.requestCount('moved') - before).toBeLessThanOrEqual(5 + 2);
  });
});

describe('an Application that is refused', () => {
  async function refused(name: string): Promise<Record<string, { status: string; reason: string; message?: string | undefined }>> {
    const { status } = await tenant.until(name, 'refused', ({ status, metadata }) =>
      Boolean(
        status?.observedGeneration === metadata.generation &&
          status?.conditions?.some(({ type, status }) => type === 'Admitted' && status === 'False'),
      ),
    );
    const conditions = (status?.conditions ?? []).map(({ type, status, reason, message }) => [type, { status, reason, message }] as const);
    return Object.fromEntries(conditions);
  }

  it('is told of a pullInterval under the minimum, of what does not work yet, and of everything else at once', async () => {
    const url = 'https://git.example.com/x';
    await tenant.apply('refused', [
      kustomize('quick', url, { pullInterval: '500ms' }),
      kustomize('pinned', url, { git: { tag: 'v1' }, force: true }),
      kustomize('lost', url, { path: '../..' }),
    ]);
    const { Admitted, Ready, Stalled } = await refused('refused');
    expect(Admitted).toEqual({ status: 'False', reason: 'IntervalTooShort', message: Admitted?.message });
    expect(Admitted?.message).toContain('must be at least 1s (the agent\'s setting min-interval), received "500ms"; write 1s or more');
    expect(Admitted?.message).toMatch(/spec\.components\[1\]\.properties\.git\.tag is not implemented in this version/);
    expect(Admitted?.message).toMatch(/spec\.components\[1\]\.properties\.force .*not implemented in this version/);
    expect(Admitted?.message).toMatch(/spec\.components\[2\]\.properties\.path/);
    expect(Ready).toMatchObject({ status: 'False' });
    expect(Stalled).toMatchObject({ status: 'True' });
    await tenant.eventually('told', async () =>
      (await tenant.events('refused')).some((line) => line.startsWith('Warning IntervalTooShort')),
    );
  });

  it('names the types that there are, and applies nothing of it', async () => {
    const repository = await repositories.create('unknown', { 'a.yaml': configMapYaml('unknown') });
    await tenant.apply('unknown', [kustomize('a', repository.url), { name: 'b', type: 'helm', properties: { chart: 'x' } }]);
    const { Admitted } = await refused('unknown');
    expect(Admitted).toMatchObject({ status: 'False', reason: 'UnknownComponentType' });
    expect(Admitted?.message).toContain('received "helm"; it knows "kustomize", "webservice" and "worker"');
    await sleep(1_500);
    expect(await value('unknown')).toBeUndefined();
    expect(repositories.server.requestCount('unknown')).toBe(0);
    expect(await tenant.get('ApplicationRevision', 'unknown-v1')).toBeUndefined();
  });

  it('leaves alone what an earlier version of it had applied, and goes on when it is corrected', async () => {
    const repository = await repositories.create('corrected', { 'a.yaml': configMapYaml('corrected') });
    const [component] = [kustomize('a', repository.url)];
    await tenant.apply('corrected', [component]);
    await tenant.untilRunning('corrected');
    const uid = (await tenant.get('ConfigMap', 'corrected'))?.metadata.uid;
    await tenant.apply('corrected', {
      components: [component],
      policies: [{ name: 'p', type: 'replication', properties: { keys: ['x'] } }],
    });
    expect((await refused('corrected'))['Admitted']).toMatchObject({ reason: 'UnknownPolicyType' });
    await repository.push({ 'a.yaml': configMapYaml('corrected', 'two') });
    await sleep(1_500);
    expect(await value('corrected')).toBe('one');
    await tenant.apply('corrected', { components: [component], policies: [] });
    await tenant.eventually('followed', async () => (await value('corrected')) === 'two');
    const { status } = await tenant.untilRunning('corrected');
    expect(status?.conditions?.find(({ type }) => type === 'Admitted')).toMatchObject({ status: 'True' });
    expect(status?.conditions?.some(({ type }) => type === 'Stalled')).toBe(false);
    expect((await tenant.get('ConfigMap', 'corrected'))?.metadata.uid).toBe(uid);
  });
});

it('does not touch an Application that belongs to another controller, nor one that is paused', async () => {
  const repository = await repositories.create('theirs', { 'a.yaml': configMapYaml('theirs') });
  await tenant.apply('theirs', [kustomize('a', repository.url)], { annotations: { 'app.oam.dev/controller-version-require': 'v1.10' } });
  await tenant.apply('paused', [kustomize('a', repository.url)], { labels: { 'controller.core.oam.dev/pause': 'true' } });
  await sleep(1_500);
  for (const name of ['theirs', 'paused']) expect(tenant.application(name)?.status).toBeUndefined();
  expect(await value('theirs')).toBeUndefined();
});
