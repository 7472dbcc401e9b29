import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lateen } from '#test/support/lateen.ts';
import { kubectl } from '#test/support/namespace.ts';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

const uidOf = async (name: string): Promise<string | undefined> => (await tenant.get('ConfigMap', name))?.metadata.uid;
const labelsOf = async (name: string): Promise<Record<string, string>> => (await tenant.get('ConfigMap', name))?.metadata.labels ?? {};
const reasonOf = (application: string, component = 'a'): string | undefined => tenant.service(application, component)?.details?.['reason'];
const foreign = (name: string, labels: Record<string, string> = {}) =>
  tenant.client.apply(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: tenant.namespace, labels },
      data: { key: 'theirs', other: 'kept' },
    },
    { fieldManager: 'somebody' },
  );

/** All UIDs that an object has had from now on, '' while it was away. */
function uidsOf(name: string): { stop: () => Promise<Set<string>> } {
  const seen = new Set<string>();
  let over = false;
  const watching = (async () => {
    while (!over) {
      seen.add((await uidOf(name)) ?? '');
      await sleep(20);
    }
  })();
  return {
    async stop() {
      over = true;
      await watching;
      return seen;
    },
  };
}

describe.concurrent('two components that render the same object', () => {
  it('the first keeps it, the second is told so, until the first lets go', async () => {
    const first = await repositories.create('first', { 'x.yaml': configMapYaml('both', 'one') });
    const second = await repositories.create('second', { 'x.yaml': configMapYaml('both', 'two'), 'y.yaml': configMapYaml('second') });
    await tenant.apply('first', [kustomize('a', first.url)]);
    await tenant.untilRunning('first');
    const uid = await uidOf('both');
    await tenant.apply('second', [kustomize('a', second.url)]);
    await tenant.until('second', 'refused', () => reasonOf('second') === 'OWNERSHIP_CONFLICT');
    expect(tenant.service('second', 'a')?.message?.replace(/\(commit \w+\)/, '(commit)')).toBe(
      'x.yaml:1: ConfigMap/both belongs to the component a of Application first (x.yaml:1) (commit); remove it from one of the two',
    );
    // The independent one is applied all the same.
    expect(await uidOf('second')).toBeDefined();
    expect((await tenant.get('ConfigMap', 'both'))?.['data']).toEqual({ key: 'one' });

    await first.push({ 'x.yaml': null, 'z.yaml': configMapYaml('rest') });
    await tenant.eventually('handed over', async () => (await labelsOf('both'))['lateen.dev/application'] === 'second');
    await tenant.untilRunning('second');
    expect(await uidOf('both')).toBe(uid);
    expect((await tenant.get('ConfigMap', 'both'))?.['data']).toEqual({ key: 'two' });
  });
});

describe.concurrent('an object that moves', () => {
  it('between two paths of one repository keeps its UID: it is never deleted in between', async () => {
    const files = {
      'one/x.yaml': configMapYaml('moved'),
      'one/rest.yaml': configMapYaml('one-rest'),
      'two/rest.yaml': configMapYaml('two-rest'),
    };
    const repository = await repositories.create('moves', files);
    await tenant.apply('moves', [kustomize('one', repository.url, { path: './one' }), kustomize('two', repository.url, { path: './two' })]);
    await tenant.untilRunning('moves');
    const uids = uidsOf('moved');
    for (const [from, to] of [
      ['one', 'two'],
      ['two', 'one'],
    ]) {
      await repository.push({ [`${from}/x.yaml`]: null, [`${to}/x.yaml`]: configMapYaml('moved') });
      await tenant.eventually('handed over', async () => (await labelsOf('moved'))['lateen.dev/component'] === to);
    }
    await sleep(1_500);
    expect([...(await uids.stop())]).toEqual([await uidOf('moved')]);
  });

  it('with its component, which is renamed, keeps its UID', async () => {
    const repository = await repositories.create('renamed', { 'x.yaml': configMapYaml('renamed') });
    await tenant.apply('renamed', [kustomize('old', repository.url)]);
    await tenant.untilRunning('renamed');
    const uids = uidsOf('renamed');
    await tenant.apply('renamed', [kustomize('new', repository.url)]);
    await tenant.eventually('handed over', async () => (await labelsOf('renamed'))['lateen.dev/component'] === 'new');
    await tenant.untilRunning('renamed');
    await sleep(1_000);
    expect([...(await uids.stop())]).toEqual([await uidOf('renamed')]);
  });

  it('to another Application while the first one is deleted keeps its UID', async () => {
    const repository = await repositories.create('inherited', { 'x.yaml': configMapYaml('inherited') });
    await tenant.apply('testator', [kustomize('a', repository.url)]);
    await tenant.untilRunning('testator');
    const uids = uidsOf('inherited');
    await tenant.apply('heir', [kustomize('a', repository.url)]);
    await tenant.until('heir', 'refused', () => reasonOf('heir') === 'OWNERSHIP_CONFLICT');
    await tenant.delete('Application', 'testator');
    await tenant.untilRunning('heir');
    await tenant.eventually('the inventory gone', async () => (await tenant.get('ConfigMap', 'lateen-testator')) === undefined);
    expect([...(await uids.stop())]).toEqual([await uidOf('inherited')]);
  });
});

it('of a nested Application that is renamed in Git keeps its UID', async () => {
  const inner = await repositories.create('inner', { 'x.yaml': configMapYaml('inner') });
  const nested = (name: string): string =>
    JSON.stringify({
      apiVersion: 'core.oam.dev/v1beta1',
      kind: 'Application',
      metadata: { name },
      spec: { components: [kustomize('a', inner.url)] },
    });
  const outer = await repositories.create('outer', { 'app.yaml': nested('old') });
  await tenant.apply('outer', [kustomize('a', outer.url)]);
  await tenant.untilRunning('old');
  await tenant.untilRunning('outer');
  const uids = uidsOf('inner');
  await outer.push({ 'app.yaml': nested('new') });
  await tenant.untilRunning('new');
  await tenant.eventually('the old one gone', async () => (await tenant.get('ConfigMap', 'lateen-old')) === undefined);
  await tenant.untilRunning('outer');
  expect(await labelsOf('inner')).toMatchObject({ 'lateen.dev/application': 'new' });
  expect([...(await uids.stop())]).toEqual([await uidOf('inner')]);
});

describe.concurrent('an object that was there before', () => {
  it.each([
    ['without labels', 'plain', {}],
    ['with our labels, which anybody can write', 'forged', { 'lateen.dev/application': 'forged', 'lateen.dev/component': 'a' }],
  ])('%s is left alone, and neither changed nor ever deleted', async (_, name, labels) => {
    const { metadata } = await foreign(name, labels);
    const repository = await repositories.create(name, { 'x.yaml': configMapYaml(name), 'y.yaml': configMapYaml(`${name}-ours`) });
    await tenant.apply(name, [kustomize('a', repository.url)]);
    await tenant.until(name, 'refused', () => reasonOf(name) === 'NOT_ADOPTED');
    expect(tenant.service(name, 'a')?.message).toContain('set adopt: true in the properties to take it over, or delete it');
    await tenant.delete('Application', name);
    await tenant.eventually('removed', async () => (await tenant.get('ConfigMap', `lateen-${name}`)) === undefined);
    expect(await uidOf(`${name}-ours`)).toBeUndefined();
    expect(await tenant.get('ConfigMap', name)).toMatchObject({ metadata: { uid: metadata.uid }, data: { key: 'theirs', other: 'kept' } });
  });

  it('is taken over with adopt: true, and keeps the fields of other managers', async () => {
    const { metadata } = await foreign('taken');
    const repository = await repositories.create('taken', { 'x.yaml': configMapYaml('taken') });
    await tenant.apply('taken', [kustomize('a', repository.url, { adopt: true })]);
    await tenant.untilRunning('taken');
    expect(await tenant.get('ConfigMap', 'taken')).toMatchObject({ metadata: { uid: metadata.uid }, data: { key: 'one', other: 'kept' } });
  });

  it('is applied soon after a person has deleted it', async () => {
    await foreign('freed');
    const repository = await repositories.create('freed', { 'x.yaml': configMapYaml('freed') });
    await tenant.apply('freed', [kustomize('a', repository.url)]);
    await tenant.until('freed', 'refused', () => reasonOf('freed') === 'NOT_ADOPTED');
    await kubectl('delete', 'configmap', 'freed', '-n', tenant.namespace);
    await tenant.untilRunning('freed');
    expect((await tenant.get('ConfigMap', 'freed'))?.['data']).toEqual({ key: 'one' });
  });
});

describe.concurrent('isolation', () => {
  it('a bad object is left out, all errors are told together, and nothing is pruned', async () => {
    const repository = await repositories.create('mixed', { 'a.yaml': configMapYaml('mixed-a'), 'b.yaml': configMapYaml('mixed-b') });
    await tenant.apply('mixed', [kustomize('a', repository.url)]);
    await tenant.untilRunning('mixed');
    await repository.push({
      'a.yaml': null,
      'b.yaml': configMapYaml('mixed-b', 'two'),
      'c.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Mixed_C}\n',
      'd.yaml': configMapYaml('mixed-d', 'one', '  namespace: kube-system\n'),
      'e.yaml': 'apiVersion: example.com/v1\nkind: Nothing\nmetadata: {name: mixed-e}\n',
    });
    await tenant.until('mixed', 'told', () => tenant.service('mixed', 'a')?.healthy === false);
    const message = tenant.service('mixed', 'a')?.message ?? '';
    for (const part of ['c.yaml:1: apply ConfigMap/Mixed_C', 'd.yaml:1: ConfigMap/mixed-d is for the namespace', 'e.yaml:1: '])
      expect(message).toContain(part);
    expect((await tenant.get('ConfigMap', 'mixed-b'))?.['data']).toEqual({ key: 'two' });
    expect(await uidOf('mixed-a')).toBeDefined();
  });

  it('with atomic: true nothing is written while one object is refused', async () => {
    const repository = await repositories.create('atomic', { 'a.yaml': configMapYaml('atomic-a') });
    await tenant.apply('atomic', [kustomize('a', repository.url, { atomic: true })]);
    await tenant.untilRunning('atomic');
    await repository.push({
      'a.yaml': configMapYaml('atomic-a', 'two'),
      'b.yaml': configMapYaml('atomic-b'),
      'c.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: atomic-c}\ndata: {key: [1]}\n',
    });
    await tenant.until('atomic', 'told', () => tenant.service('atomic', 'a')?.healthy === false);
    expect((await tenant.get('ConfigMap', 'atomic-a'))?.['data']).toEqual({ key: 'one' });
    expect(await uidOf('atomic-b')).toBeUndefined();
    await repository.push({ 'c.yaml': null });
    await tenant.untilRunning('atomic');
    expect(await uidOf('atomic-b')).toBeDefined();
  });
});

describe.concurrent('a prune that is too large', () => {
  it('is held with its list, and goes on once a person approves its commit', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `many-${index}`);
    const files = Object.fromEntries(names.map((name) => [`${name}.yaml`, configMapYaml(name)]));
    const repository = await repositories.create('many', { ...files, 'stay.yaml': configMapYaml('many-stay') });
    await tenant.apply('many', [kustomize('a', repository.url)]);
    await tenant.untilRunning('many');
    const commit = await repository.push(Object.fromEntries(names.map((name) => [`${name}.yaml`, null])));
    await tenant.until('many', 'held', () => tenant.service('many', 'a')?.details?.['heldPrune'] === commit.slice(0, 12));
    expect(tenant.service('many', 'a')).toMatchObject({ healthy: true });
    expect(await uidOf('many-3')).toBeDefined();

    const shown = await lateen(['approve', 'many', '-n', tenant.namespace], { env: { KUBECONFIG: tenant.kubeconfig } });
    expect(shown).toMatchObject({ status: 1, stderr: '' });
    expect(shown.stdout).toContain('ConfigMap/many-11');
    const wrong = await lateen(['approve', 'many', 'ffffffffff', '-n', tenant.namespace], { env: { KUBECONFIG: tenant.kubeconfig } });
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toContain(commit.slice(0, 12));
    const approved = await lateen(['approve', 'many', commit.slice(0, 8), '-n', tenant.namespace], {
      env: { KUBECONFIG: tenant.kubeconfig },
    });
    expect(approved).toMatchObject({ status: 0 });
    await tenant.eventually('pruned', async () => (await uidOf('many-11')) === undefined && (await uidOf('many-0')) === undefined);
    await tenant.until('many', 'at rest', () => tenant.service('many', 'a')?.details?.['heldPrune'] === undefined);
    expect(await uidOf('many-stay')).toBeDefined();
  });
});
