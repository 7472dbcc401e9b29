import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories, type TestRepository } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

/** The ConfigMaps in which the agent keeps what it has applied, and people who make or delete such ConfigMaps. */

let repositories: Repositories;
let tenant: Tenant;
let sharing: Tenant;

beforeAll(async () => {
  const always = startTenant({ flags: { 'shared-inventories': 'always' } });
  [repositories, tenant, sharing] = await Promise.all([startRepositories(), startTenant(), always]);
});

afterAll(async () => {
  await Promise.all([tenant?.close(), sharing?.close()]);
  await repositories?.close();
});

/** An Application with one object in Git and another that may leave it. */
async function running(name: string, where = tenant): Promise<TestRepository> {
  const files = { 'a.yaml': configMapYaml(`${name}-a`), 'b.yaml': configMapYaml(`${name}-b`), 'c.yaml': configMapYaml(`${name}-c`) };
  const repository = await repositories.create(name, files);
  await where.apply(name, [kustomize('a', repository.url)]);
  await where.untilRunning(name);
  return repository;
}

const inventory = (name: string, where = tenant): Promise<KubeObject | undefined> => where.get('ConfigMap', `lateen-${name}`);

async function foreign(name: string): Promise<KubeObject> {
  const metadata = { name, namespace: tenant.namespace };
  return tenant.client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { important: 'yes' } });
}

async function shared(): Promise<KubeObject[]> {
  const kind = (await sharing.client.kinds.find('v1', 'ConfigMap'))!;
  const all = await sharing.client.list(kind, { namespace: sharing.namespace });
  return all.filter(({ metadata }) => metadata.name?.startsWith('lateen--inventories-'));
}

describe("somebody else's ConfigMap that is named like an inventory", () => {
  it('is neither written nor deleted; the Application says so, and runs once it is gone', async () => {
    const { metadata } = await foreign('lateen-clash');
    const repository = await repositories.create('clash', { 'a.yaml': configMapYaml('clash-a') });
    await tenant.apply('clash', [kustomize('a', repository.url)]);
    await tenant.until('clash', 'refused', () => tenant.service('clash', 'a')?.details?.['reason'] === 'NOT_ADOPTED');

    expect(tenant.service('clash', 'a')?.message).toBe(
      `ConfigMap/lateen-clash (UID ${metadata.uid}) was not made by this agent, and the inventory of the Application is to stand there; give that ConfigMap another name or delete it, or give the Application another name`,
    );
    expect(await tenant.get('ConfigMap', 'clash-a')).toBeUndefined();
    await tenant.delete('Application', 'clash');
    await sleep(2_000);
    expect((await inventory('clash'))?.metadata).toMatchObject({ uid: metadata.uid, resourceVersion: metadata.resourceVersion });

    await tenant.delete('ConfigMap', 'lateen-clash');
    await tenant.apply('clash', [kustomize('a', repository.url)]);
    await tenant.untilRunning('clash');
    await tenant.delete('Application', 'clash');
    await tenant.eventually('cleaned up', async () => (await inventory('clash')) === undefined);
  });

  it('takes the place of one that was deleted, and is left alone too', async () => {
    const repository = await running('swap');
    await tenant.agent.kill();
    await tenant.delete('ConfigMap', 'lateen-swap');
    const { metadata } = await foreign('lateen-swap');
    await tenant.startAgent();
    await repository.push({ 'd.yaml': configMapYaml('swap-d') });
    await tenant.until('swap', 'refused', () => tenant.service('swap', 'a')?.details?.['reason'] === 'NOT_ADOPTED');
    expect((await inventory('swap'))?.metadata).toMatchObject({ uid: metadata.uid, resourceVersion: metadata.resourceVersion });
  });
});

describe('an inventory that a person deletes', () => {
  it('is back at once as it was, so that a restarted agent knows what is its own', async () => {
    const repository = await running('lost');
    const before = await inventory('lost');
    await tenant.delete('ConfigMap', 'lateen-lost');
    const begun = performance.now();
    const back = await tenant.eventually('back', () => inventory('lost'));
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(back['data']).toEqual(before?.['data']);
    expect(back.metadata.labels).toEqual(before?.metadata.labels);

    await tenant.agent.kill();
    await tenant.startAgent();
    await repository.push({ 'a.yaml': configMapYaml('lost-a', 'two'), 'b.yaml': null });
    await tenant.eventually(
      'changed',
      async () => ((await tenant.get('ConfigMap', 'lost-a'))?.['data'] as { key?: string })?.key === 'two',
    );
    await tenant.eventually('pruned', async () => (await tenant.get('ConfigMap', 'lost-b')) === undefined);
    await tenant.untilRunning('lost');

    await tenant.delete('Application', 'lost');
    await tenant.eventually('cleaned up', async () => (await inventory('lost')) === undefined);
    await sleep(1_000);
    expect(await inventory('lost')).toBeUndefined();
    expect(await tenant.get('ConfigMap', 'lost-a')).toBeUndefined();
  });

  it('is back when Applications share it', async () => {
    await running('many-one', sharing);
    await running('many-two', sharing);
    const before = await shared();
    expect(before).toHaveLength(1);
    await sharing.delete('ConfigMap', before[0]?.metadata.name ?? '');
    const begun = performance.now();
    const [back] = await sharing.eventually('back', async () => ((await shared()).length > 0 ? shared() : undefined));
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(back?.['data']).toEqual(before[0]?.['data']);
    await sharing.agent.kill();
    await sharing.startAgent();
    await sleep(3_000);
    for (const name of ['many-one', 'many-two']) {
      expect(sharing.service(name, 'a')).toMatchObject({ healthy: true });
      await sharing.delete('Application', name);
    }
    await sharing.eventually('cleaned up', async () => (await shared()).length === 0);
    await sleep(1_000);
    expect(await shared()).toEqual([]);
  });
});
