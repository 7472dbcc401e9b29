import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startAudit } from '#test/support/audit.ts';
import { configMapYaml, kustomize, type TestRepository } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

/** Objects that the agent deletes, and that a finalizer keeps in the cluster for a while. */

const { repositories, tenant } = tenancy();

const FINALIZER = 'example.com/keep';

/** An Application with three objects, of which `a` has a finalizer. */
async function running(name: string): Promise<TestRepository> {
  const files = { 'a.yaml': configMapYaml(`${name}-a`), 'b.yaml': configMapYaml(`${name}-b`), 'c.yaml': configMapYaml(`${name}-c`) };
  const repository = await repositories.create(name, files);
  await tenant.apply(name, [kustomize('a', repository.url)]);
  await tenant.untilRunning(name);
  await finalize(`${name}-a`, [FINALIZER]);
  return repository;
}

async function finalize(name: string, finalizers: string[] | null): Promise<void> {
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: tenant.namespace, name };
  await tenant.client.mergePatch(reference, { metadata: { finalizers } });
}

const ending = (name: string): Promise<unknown> =>
  tenant.eventually('being deleted', async () => (await tenant.get('ConfigMap', name))?.metadata.deletionTimestamp);

/** Names of the objects in the inventory. */
async function listed(name: string): Promise<string[] | undefined> {
  const data = (await tenant.get('ConfigMap', `lateen-${name}`))?.['data'] as { 'inventory.json'?: string } | undefined;
  const inventory = data && (JSON.parse(data['inventory.json'] ?? '{}') as { entries: { name: string }[] });
  return inventory?.entries.map((entry) => entry.name).toSorted();
}

const text = (name: string): string => `ConfigMap/${name}-a (held by the finalizer ${FINALIZER}) is being deleted and still there`;

describe.concurrent('a pruned object with a finalizer', () => {
  it('stays in the inventory and in the status until it is gone, and is deleted once', async () => {
    const repository = await running('slow');
    const audit = await startAudit(tenant.namespace);
    await repository.push({ 'a.yaml': null });
    await ending('slow-a');
    await tenant.until('slow', 'told', () => tenant.service('slow', 'a')?.message === text('slow'));
    expect(tenant.service('slow', 'a')).toMatchObject({ healthy: true });
    expect(await listed('slow')).toEqual(['slow-a', 'slow-b', 'slow-c']);
    await repository.push({ 'b.yaml': configMapYaml('slow-b', 'two') });
    await sleep(3_000);
    expect(await listed('slow')).toEqual(['slow-a', 'slow-b', 'slow-c']);
    expect((await tenant.events('slow')).filter((line) => line.includes('Pruned'))).toEqual([`Normal Pruned component a: ${text('slow')}`]);

    await finalize('slow-a', null);
    await tenant.until('slow', 'at rest', () => tenant.service('slow', 'a')?.message === undefined);
    expect(await listed('slow')).toEqual(['slow-b', 'slow-c']);
    await tenant.eventually('told', async () =>
      (await tenant.events('slow')).includes('Normal Pruned component a: removed ConfigMap/slow-a'),
    );
    expect((await audit.writes()).filter((line) => line === 'delete configmaps slow-a')).toHaveLength(1);
  });

  it.each([
    ['off', 'as it was', 'value'],
    ['off-again', 'as another one', 'again'],
  ])('that is back in Git meanwhile (%s) is made anew %s with drift: off too, since that is no drift', async (name, _, value) => {
    const repository = await running(name);
    await tenant.apply(name, [kustomize('a', repository.url, { drift: 'off' })]);
    await repository.push({ 'a.yaml': null });
    await ending(`${name}-a`);
    await repository.push({ 'a.yaml': configMapYaml(`${name}-a`, value) });
    await tenant.until(name, 'at rest', () => tenant.service(name, 'a')?.message?.includes('still there') !== true);
    await sleep(1_000);
    await finalize(`${name}-a`, null);
    await tenant.eventually('made anew', async () => {
      const object = await tenant.get('ConfigMap', `${name}-a`);
      return object?.metadata.deletionTimestamp === undefined && (object?.['data'] as { key?: string } | undefined)?.key === value;
    });
    expect((await tenant.events(name)).filter((line) => line.includes('Drift'))).toEqual([]);
  });

  it('that is back in Git meanwhile is made anew once it is gone', async () => {
    const repository = await running('back');
    await repository.push({ 'a.yaml': null });
    await ending('back-a');
    await tenant.until('back', 'told', () => tenant.service('back', 'a')?.message === text('back'));
    await repository.push({ 'a.yaml': configMapYaml('back-a', 'again') });
    await sleep(2_000);
    expect(tenant.service('back', 'a')?.details?.['reason']).toBeUndefined();
    await finalize('back-a', null);
    await tenant.eventually('made anew', async () => {
      const object = await tenant.get('ConfigMap', 'back-a');
      return object?.metadata.deletionTimestamp === undefined && (object?.['data'] as { key?: string } | undefined)?.key === 'again';
    });
    await tenant.untilRunning('back');
    expect(await listed('back')).toEqual(['back-a', 'back-b', 'back-c']);
    expect((await tenant.events('back')).filter((line) => line.includes('Drift'))).toEqual([]);
  });
});

describe('an Application that is deleted and has an object with a finalizer', () => {
  it('keeps its inventory until that is gone, over a restart too', async () => {
    await running('end');
    await tenant.delete('Application', 'end');
    await ending('end-a');
    await tenant.eventually('almost gone', async () => (await listed('end'))?.join() === 'end-a');
    await tenant.agent.kill();
    await tenant.startAgent();
    await sleep(5_000);
    expect(await listed('end')).toEqual(['end-a']);
    await finalize('end-a', null);
    await tenant.eventually('cleaned up', async () => (await listed('end')) === undefined);
    expect(await tenant.agent.log()).toContain('"application deleted"');
  });

  it('and that comes back has it as its own', async () => {
    const repository = await running('anew');
    await tenant.delete('Application', 'anew');
    await ending('anew-a');
    await tenant.eventually('almost gone', async () => (await listed('anew'))?.join() === 'anew-a');
    await tenant.apply('anew', [kustomize('a', repository.url)]);
    await sleep(2_000);
    expect(tenant.service('anew', 'a')?.details?.['reason']).toBeUndefined();
    await finalize('anew-a', null);
    await tenant.untilRunning('anew');
    await tenant.eventually('made anew', async () => {
      const object = await tenant.get('ConfigMap', 'anew-a');
      return object !== undefined && object.metadata.deletionTimestamp === undefined;
    });
  });
});
