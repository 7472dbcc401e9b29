import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lateen, type Ran } from '#test/support/lateen.ts';
import { applicationYaml, configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

/** Prunes that wait for a person, of components that are no longer in the spec. */

const { repositories, tenant } = tenancy();

const volumeYaml = (name: string): string =>
  `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ${name}}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n`;

const command = (...args: string[]): Promise<Ran> => lateen([...args, '-n', tenant.namespace], { env: { KUBECONFIG: tenant.kubeconfig } });

/** Gone, or on its way. */
async function isDeleted(kind: string, name: string): Promise<boolean> {
  const object = await tenant.get(kind, name);
  return object === undefined || object.metadata.deletionTimestamp !== undefined;
}

async function protect(name: string, finalizers: string[] | null): Promise<void> {
  const volume = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: tenant.namespace, name };
  await tenant.client.mergePatch(volume, { metadata: { finalizers } });
}

async function inventoryText(name: string): Promise<string> {
  return JSON.stringify((await tenant.get('ConfigMap', `lateen-${name}`))?.['data']);
}

function ready(name: string) {
  return tenant.application(name)?.status?.conditions?.find(({ type }) => type === 'Ready');
}

/** Two components; the second has a volume and leaves the spec. Resolves to what the status says then. */
async function leave(name: string): Promise<{ message: string; url: string }> {
  const files = { 'one/a.yaml': configMapYaml(`${name}-a`), 'two/b.yaml': configMapYaml(`${name}-b`), 'two/p.yaml': volumeYaml(name) };
  const repository = await repositories.create(name, files);
  const one = kustomize('one', repository.url, { path: './one' });
  await tenant.apply(name, [one, kustomize('two', repository.url, { path: './two' })]);
  await tenant.eventually('applied', async () => (await tenant.get('PersistentVolumeClaim', name)) && tenant.get('ConfigMap', `${name}-b`));
  // Nobody here provides volumes, so it is never well.
  await tenant.until(name, 'applied', () => tenant.service(name, 'two')?.details?.['commit'] !== undefined);
  await tenant.apply(name, [one]);
  await tenant.until(name, 'held', () => ready(name)?.reason === 'PruneHeld');
  return { message: ready(name)?.message ?? '', url: repository.url };
}

const tokenIn = (text: string): string => /approve it with "lateen approve \S+ ([0-9a-f]{12})"/.exec(text)?.[1] ?? 'none';

describe.concurrent('the volume of a component that has left the spec', () => {
  it('waits for nobody once another component has taken it with the rest', async () => {
    const { url } = await leave('taken');
    const series = 'lateen_agent_held_prune_objects{application="taken",component="two"}';
    const metrics = async (): Promise<string> => (await fetch(`${tenant.agent.healthUrl}/metrics`)).text();
    expect(await metrics()).toContain(`${series} 2`);
    await tenant.apply('taken', [kustomize('one', url, { path: './one' }), kustomize('three', url, { path: './two' })]);
    await tenant.eventually('taken', async () => !(await inventoryText('taken')).includes('"component":"two"'));
    await tenant.eventually('no longer held', async () => !(await inventoryText('taken')).includes('"held"'));
    await tenant.eventually('no longer told', async () => !(await metrics()).includes(series));
  });

  it('waits, is told in status, Event and commands, and goes with the rest once a person approves it', async () => {
    const { message } = await leave('left');

    expect(ready('left')?.status).toBe('True');
    const told =
      'component two, which has left the spec: a prune of 2 objects is held: it would remove the data of PersistentVolumeClaim left;';
    expect(message).toContain(told);
    await tenant.eventually('told', async () => (await tenant.events('left')).some((line) => line.startsWith(`Warning PruneHeld ${told}`)));
    expect((await command('status', 'left')).stdout).toContain(told);
    const token = tokenIn(message);
    const list = await command('approve', 'left');
    expect(list).toMatchObject({ status: 1, stderr: '' });
    expect(list.stdout).toBe(
      `Component two, which has left the spec: it would remove the data of PersistentVolumeClaim left.\n  ConfigMap/left-b\n  PersistentVolumeClaim/left\nTo remove them: lateen approve left ${token}\n`,
    );
    await tenant.agent.kill();
    await tenant.startAgent();
    await sleep(2_000);
    expect(tokenIn(ready('left')?.message ?? '')).toBe(token);
    expect(await isDeleted('PersistentVolumeClaim', 'left')).toBe(false);

    // Clusters protect a volume that is in use like this: until that is off, it is not gone.
    await protect('left', ['example.com/keep']);
    expect(await command('approve', 'left', token)).toMatchObject({ status: 0, stdout: expect.stringContaining('removes 2 objects') });
    await tenant.eventually('pruned', async () => (await isDeleted('PersistentVolumeClaim', 'left')) && isDeleted('ConfigMap', 'left-b'));
    await tenant.until('left', 'at rest', () => ready('left')?.reason === 'ReconcileSuccess');
    expect((await tenant.events('left')).filter((line) => line.includes('PruneHeld'))).toHaveLength(1);
    expect(await inventoryText('left')).toContain('PersistentVolumeClaim');
    await protect('left', null);
    await tenant.eventually('forgotten', async () => !(await inventoryText('left')).includes('PersistentVolumeClaim'));
  });

  it('waits for another word when it is another list', async () => {
    const { message, url } = await leave('again');
    const { components = [] } = tenant.application('again')?.spec ?? {};
    await tenant.apply('again', [...components, kustomize('two', url, { path: './two' })]);
    await tenant.until('again', 'back', () => tenant.service('again', 'two')?.details?.['commit'] !== undefined);
    await tenant.eventually('let go of', async () => (await command('approve', 'again')).stdout === 'No prune of again is held.\n');
    await tenant.apply('again', components);
    await tenant.until('again', 'held', () => ready('again')?.reason === 'PruneHeld');

    expect(tokenIn(ready('again')?.message ?? '')).not.toBe(tokenIn(message));
    expect(await command('approve', 'again', tokenIn(message))).toMatchObject({ status: 1 });
  });

  it('is found in a nested Application', async () => {
    const inner = await repositories.create('inner', { 'p.yaml': volumeYaml('inner') });
    const nested = `apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: inner}\nspec:\n  components:\n    - name: a\n      type: kustomize\n      properties: {url: "${inner.url}", git: {branch: main}, path: ./, pullInterval: 1s}\n`;
    const outer = await repositories.create('outer', { 'one/a.yaml': applicationYaml('outer-web'), 'two/n.yaml': nested });
    const one = kustomize('one', outer.url, { path: './one' });
    await tenant.apply('outer', [one, kustomize('two', outer.url, { path: './two' })]);
    await tenant.eventually('applied', async () => tenant.get('PersistentVolumeClaim', 'inner'));
    await tenant.until('outer', 'applied', () => tenant.service('outer', 'two')?.details?.['commit'] !== undefined);
    await tenant.apply('outer', [one]);
    await tenant.until('outer', 'held', () => ready('outer')?.reason === 'PruneHeld');
    const token = tokenIn(ready('outer')?.message ?? '');

    expect((await command('approve', 'outer')).stdout).toContain('  Application/inner\n');
    expect(await command('approve', 'outer', token)).toMatchObject({ status: 0 });
    await tenant.eventually('pruned', () => isDeleted('PersistentVolumeClaim', 'inner'));
  });
});

describe.concurrent('a component that leaves the spec with many objects', () => {
  const many = (name: string): Record<string, string> =>
    Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`two/${index}.yaml`, configMapYaml(`${name}-${index}`)]));

  it('waits for a person where a commit has taken it out', async () => {
    const parts = await repositories.create('parts', { 'one/a.yaml': configMapYaml('parts-a'), ...many('parts') });
    const [one, two] = [kustomize('one', parts.url, { path: './one' }), kustomize('two', parts.url, { path: './two' })];
    const nested = (components: unknown[]): string =>
      JSON.stringify({ apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name: 'parts' }, spec: { components } });
    const whole = await repositories.create('whole', { 'parts.yaml': nested([one, two]) });
    await tenant.apply('whole', [kustomize('a', whole.url)]);
    await tenant.untilRunning('whole');
    await tenant.untilRunning('parts');
    await whole.push({ 'parts.yaml': nested([one]) });
    await tenant.until('parts', 'held', () => ready('parts')?.reason === 'PruneHeld');
    const message = ready('parts')?.message ?? '';

    expect(message).toContain('a prune of 12 objects is held: it would remove 12 objects, the budget is 10;');
    expect(await tenant.get('ConfigMap', 'parts-3')).toBeDefined();
    expect(await command('approve', 'parts', tokenIn(message))).toMatchObject({ status: 0 });
    await tenant.eventually('pruned', () => isDeleted('ConfigMap', 'parts-3'));
    expect(await tenant.get('ConfigMap', 'parts-a')).toBeDefined();
  });

  it('waits for nobody where a person has taken it out', async () => {
    const { url } = await repositories.create('meant', { 'one/a.yaml': configMapYaml('meant-a'), ...many('meant') });
    const one = kustomize('one', url, { path: './one' });
    await tenant.apply('meant', [one, kustomize('two', url, { path: './two' })]);
    await tenant.untilRunning('meant');
    await tenant.apply('meant', [one]);
    await tenant.eventually('pruned', () => isDeleted('ConfigMap', 'meant-3'));
  });
});
