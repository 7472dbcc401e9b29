import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

const names = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `n-${from + index}`);
const files = (application: string, all: string[]): Record<string, string> => ({
  'all.yaml': all.map((name) => configMapYaml(`${application}-${name}`)).join('---\n'),
});
const heldAt = (application: string): string | undefined => tenant.service(application, 'a')?.details?.['heldPrune'];
const isThere = async (name: string): Promise<boolean> => (await tenant.get('ConfigMap', name)) !== undefined;

async function running(name: string, objects: number): Promise<Awaited<ReturnType<typeof repositories.create>>> {
  const repository = await repositories.create(name, files(name, names(0, objects)));
  await tenant.apply(name, [kustomize('a', repository.url)]);
  await tenant.untilRunning(name);
  return repository;
}

describe('a commit that renames', () => {
  it('all objects is held: what comes in their place counts not, nor at later commits, nor after the death of the agent', async () => {
    const repository = await running('all', 6);
    const commit = await repository.push(files('all', names(10, 16)));
    await tenant.until('all', 'held', () => heldAt('all') === commit.slice(0, 12));
    expect(tenant.service('all', 'a')?.message).toContain('it would remove 6 of 6 objects (100 %)');
    await tenant.agent.kill();
    await tenant.startAgent();
    const later = await repository.push(files('all', names(10, 20)));
    await tenant.until('all', 'applied', () => tenant.service('all', 'a')?.details?.['commit'] === later);
    await tenant.eventually('made', () => isThere('all-n-19'));
    expect(heldAt('all')).toBe(commit.slice(0, 12));
    expect(await isThere('all-n-0')).toBe(true);
    // Back again: nothing is to go but what came in their place, which is all of it.
    await repository.push(files('all', [...names(0, 6), ...names(10, 20)]));
    await tenant.until('all', 'not held', () => heldAt('all') === undefined);
    // From here on all sixteen count.
    await repository.push(files('all', names(0, 9)));
    await tenant.eventually('renamed', () => isThere('all-n-8'));
    await tenant.until('all', 'held', () => heldAt('all') !== undefined);
    expect(tenant.service('all', 'a')?.message).toContain('it would remove 10 of 16 objects');
  });

  it('a few is not, and they count like the others afterwards', async () => {
    const repository = await running('few', 6);
    await repository.push(files('few', names(2, 8)));
    await tenant.eventually('renamed', async () => (await isThere('few-n-7')) && !(await isThere('few-n-0')));
    await repository.push(files('few', names(5, 9)));
    await tenant.eventually('renamed', async () => (await isThere('few-n-8')) && !(await isThere('few-n-2')));
    expect(heldAt('few')).toBeUndefined();
  });

  it('and puts in their place what another component had is held likewise', async () => {
    const both = (one: string[], two: string[]): Record<string, string> => ({
      'one/all.yaml': files('taken', one)['all.yaml']!,
      'two/all.yaml': files('taken', two)['all.yaml']!,
    });
    const repository = await repositories.create('taken', both(names(0, 8), names(10, 16)));
    await tenant.apply('taken', [kustomize('b', repository.url, { path: './one' }), kustomize('a', repository.url, { path: './two' })]);
    await tenant.untilRunning('taken');
    const commit = await repository.push(both(names(0, 2), names(2, 8)));
    await tenant.until('taken', 'held', () => heldAt('taken') === commit.slice(0, 12));
    expect(tenant.service('taken', 'a')?.message).toContain('it would remove 6 of 6 objects (100 %)');
    expect(await isThere('taken-n-10')).toBe(true);
  });
});

it('a component that is renamed and suspended at once loses nothing, and takes over once it goes on', async () => {
  const { url } = await running('still', 2);
  const live = () => tenant.get('ConfigMap', 'still-n-0');
  const uid = (await live())?.metadata.uid;
  const suspended = [kustomize('b', url, { suspend: true })];
  await tenant.apply('still', suspended);
  await tenant.until('still', 'suspended', () => tenant.service('still', 'b')?.details?.['reason'] === 'SUSPENDED');
  await sleep(3_000);
  expect((await live())?.metadata).toMatchObject({ uid, labels: { 'lateen.dev/component': 'a' } });
  expect(await tenant.agent.log()).toContain('"components":"a","waitsFor":"component b, which is suspended"');
  await tenant.apply('still', [kustomize('b', url)]);
  await tenant.eventually('taken over', async () => (await live())?.metadata.labels?.['lateen.dev/component'] === 'b');
  expect((await live())?.metadata.uid).toBe(uid);
});

it('what a component had that leaves the spec is told when it goes', async () => {
  const { url } = await running('told', 2);
  await tenant.apply('told', [
    kustomize('a', url),
    kustomize('b', (await repositories.create('other', { 'a.yaml': configMapYaml('other') })).url),
  ]);
  await tenant.until('told', 'applied', () => tenant.service('told', 'b')?.healthy === true);
  await tenant.apply('told', [kustomize('a', url)]);
  await tenant.eventually('told', async () => (await tenant.events('told')).includes('Normal Pruned component b: removed ConfigMap/other'));
  expect(await tenant.agent.log()).toContain('"pruned","application":"told","component":"b","objects":"ConfigMap/other"');
});
