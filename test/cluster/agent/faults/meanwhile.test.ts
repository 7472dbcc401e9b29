import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Application, Component } from '#api/application.ts';
import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { API_VERSION, label } from '#api/names.ts';
import type { ApiFault, ApiRequest } from '#dev/faults/api-proxy.ts';
import { armCrash } from '#dev/faults/crash-points.ts';
import { GIT_SECRET } from '#dev/faults/world.ts';
import { commitFiles, type FileChange } from '#dev/git-repository.ts';
import { faultWorld } from '#test/support/fault-world.ts';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';

/** An agent that is killed between two writes that belong together, and what people do before the next one starts. */

const world = faultWorld();

const TIMEOUT_MS = 120_000;
const DEADLINE_MS = 30_000;
/** For what is not to happen. */
const WITNESS_MS = 2_000;

function referenceTo(kind: string, name: string): ObjectReference & { namespace: string } {
  return { apiVersion: kind === 'Application' ? API_VERSION : 'v1', kind, namespace: world.namespace, name };
}

const get = (kind: string, name: string): Promise<KubeObject | undefined> => world.client.get(referenceTo(kind, name));
const isGone = async (kind: string, name: string): Promise<boolean> => (await get(kind, name)) === undefined;
const inventory = async (name: string): Promise<string> =>
  (((await get('ConfigMap', `lateen-${name}`))?.['data'] ?? {}) as Record<string, string>)['inventory.json'] ?? '';

async function status(name: string): Promise<Application['status']> {
  return ((await get('Application', name)) as unknown as Application | undefined)?.status;
}

async function push(repository: string, files: Record<string, FileChange>): Promise<void> {
  await commitFiles(await world.git.createRepository(repository), 'main', files, { message: 'Change it' });
}

/** One component `a` that follows a repository. */
async function apply(name: string, repository: string, properties: Record<string, unknown> = {}): Promise<void> {
  const { apiVersion, kind, namespace } = referenceTo('Application', name);
  const components: Component[] = [kustomize('a', `${world.git.url}/${repository}`, { secretRef: GIT_SECRET, ...properties })];
  await world.client.apply({ apiVersion, kind, metadata: { name, namespace }, spec: { components } }, { fieldManager: 'person' });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: DEADLINE_MS, interval: 150, message: what }).toBe(true);
}

const untilTold = (name: string, words: RegExp): Promise<void> =>
  until(`${name}: ${String(words)}`, async () => words.test(JSON.stringify(await status(name))));

async function untilRunning(name: string): Promise<void> {
  await until(`${name} runs`, async () => {
    const now = await status(name);
    return now?.status === 'running' && now.services?.every(({ healthy }) => healthy) === true;
  });
}

/** Kills the agent once the API server has done the write. */
async function killedAfter(write: RegExp, act: () => Promise<unknown>): Promise<void> {
  const { killed } = armCrash(world, { write, side: 'after' });
  await act();
  await killed;
  world.proxy.hooks = {};
}

const files = (name: string, objects: string): Record<string, string> =>
  Object.fromEntries(Array.from(objects, (one) => [`${one}.yaml`, configMapYaml(`${name}-${one}`)]));

async function running(name: string, objects: string, properties: Record<string, unknown> = {}): Promise<void> {
  await push(name, files(name, objects));
  await apply(name, name, properties);
  await untilRunning(name);
}

describe('what the agent has deleted or let go of itself is no drift, though it died before it could record that', () => {
  it.each(['correct', 'off'])('a pruned object that Git has again, with drift: %s', { timeout: TIMEOUT_MS }, async (drift) => {
    const name = `pruned-${drift}`;
    await running(name, 'abc', { drift });
    await killedAfter(new RegExp(`DELETE configmaps/${name}-b`), () => push(name, { 'b.yaml': null }));
    await push(name, files(name, 'b'));
    await world.startAgent();
    await until('made anew', async () => !(await isGone('ConfigMap', `${name}-b`)));
    await untilRunning(name);
    expect(await world.agentLog()).not.toContain(`${name}-b had been deleted`);
  });

  it.each(['correct', 'report'])('objects of an Application that is back, with drift: %s', { timeout: TIMEOUT_MS }, async (drift) => {
    const name = `again-${drift}`;
    await running(name, 'ab', { drift });
    const application = referenceTo('Application', name);
    await killedAfter(new RegExp(`DELETE configmaps/${name}-b`), () => world.client.delete(application));
    await apply(name, name, { drift });
    await world.startAgent();
    await until('made anew', async () => !(await isGone('ConfigMap', `${name}-b`)));
    await untilRunning(name);
    expect(await world.agentLog()).not.toContain(`${name}-b had been deleted`);
  });

  it.each(['correct', 'off'])('a hand-back that is taken back, with drift: %s', { timeout: TIMEOUT_MS }, async (drift) => {
    const name = `handed-${drift}`;
    await running(name, 'ab', { drift });
    const mark = (value: string | null): Promise<unknown> =>
      world.client.mergePatch(referenceTo('Application', name), { metadata: { annotations: { 'lateen.dev/handed-back': value } } });
    await killedAfter(new RegExp(`PATCH configmaps/${name}-`), () => mark('true'));
    await mark(null);
    await world.startAgent();
    for (const one of ['a', 'b']) {
      const labels = async (): Promise<unknown> => (await get('ConfigMap', `${name}-${one}`))?.metadata.labels;
      await expect.poll(labels, { timeout: DEADLINE_MS }).toMatchObject({ 'lateen.dev/application': name });
    }
    await untilRunning(name);
    expect(await world.agentLog()).not.toMatch(new RegExp(`drift corrected.*${name}`));
  });
});

describe('a hand-over that is half done when the agent dies, and that Git takes back', () => {
  const there = (name: string): Record<string, string> => ({ 'm.yaml': configMapYaml(`${name}-moved`) });
  const gone = { 'm.yaml': null };
  const moved = async (name: string): Promise<unknown> => (await get('ConfigMap', `${name}-moved`))?.metadata;

  /** From the Application NAME-from, with all in the repository of that name, to NAME-to; resolves to its UID. */
  async function halfDone(name: string): Promise<unknown> {
    const [from, to] = [`${name}-from`, `${name}-to`];
    await running(to, 'y');
    await push(from, there(name));
    await running(from, 'x');
    const uid = (await get('ConfigMap', `${name}-moved`))?.metadata.uid;
    await push(to, there(name));
    await untilTold(to, /OWNERSHIP_CONFLICT/);
    await killedAfter(new RegExp(`PATCH configmaps/${name}-moved`), () => push(from, gone));
    await push(from, there(name));
    await push(to, gone);
    return uid;
  }

  it('keeps what its former owner, which is suspended, lists too, though the new one is deleted', { timeout: TIMEOUT_MS }, async () => {
    const uid = await halfDone('rested');
    await apply('rested-from', 'rested-from', { suspend: true });
    await world.client.delete(referenceTo('Application', 'rested-to'));
    await world.startAgent();
    await until('the rest removed', () => isGone('ConfigMap', 'rested-to-y'));
    await sleep(WITNESS_MS);
    expect(await moved('rested')).toMatchObject({ uid });
    await apply('rested-from', 'rested-from', { suspend: false });
    await until('inventory gone', () => isGone('ConfigMap', 'lateen-rested-to'));
    await expect
      .poll(() => moved('rested'), { timeout: DEADLINE_MS })
      .toMatchObject({ uid, labels: { 'lateen.dev/application': 'rested-from' } });
  });

  it('keeps what its former owner, which is paused, lists too', { timeout: TIMEOUT_MS }, async () => {
    const uid = await halfDone('paused');
    const pause = (value: string | null): Promise<unknown> =>
      world.client.mergePatch(referenceTo('Application', 'paused-from'), { metadata: { labels: { [label.pause]: value } } });
    await pause('true');
    await world.startAgent();
    await untilTold('paused-to', /has left Git here and stays/);
    expect(await moved('paused')).toMatchObject({ uid });
    await pause(null);
    await expect
      .poll(() => moved('paused'), { timeout: DEADLINE_MS })
      .toMatchObject({ uid, labels: { 'lateen.dev/application': 'paused-from' } });
  });

  it('keeps what its former owner, which cannot be pulled, lists too', { timeout: TIMEOUT_MS }, async () => {
    const uid = await halfDone('unpulled');
    world.git.setFault('unpulled-from', { status: 500 });
    await world.startAgent();
    await untilTold('unpulled-to', /has left Git here and stays/);
    expect(await moved('unpulled')).toMatchObject({ uid });
    world.git.setFault('unpulled-from', undefined);
    await expect
      .poll(() => moved('unpulled'), { timeout: DEADLINE_MS })
      .toMatchObject({ uid, labels: { 'lateen.dev/application': 'unpulled-from' } });
  });

  it('leaves no orphan where it cannot be taken back, and leaves Git then', { timeout: TIMEOUT_MS }, async () => {
    await halfDone('stuck');
    let refused = 0;
    const refuse = (name: string): void => {
      const before = ({ method, path }: ApiRequest): ApiFault | undefined => {
        if (method !== 'PATCH' || !path.includes(`configmaps/${name}`)) return undefined;
        refused++;
        return { status: 500 };
      };
      world.proxy.hooks = { before };
    };
    refuse('lateen-stuck-from');
    await world.startAgent();
    await expect.poll(() => refused, { timeout: DEADLINE_MS }).toBeGreaterThan(0);
    await sleep(WITNESS_MS);
    refuse('stuck-moved');
    await until('intended', async () => !/stuck-moved[^}]*"manifest"/.test(await inventory('stuck-from')));
    await push('stuck-from', gone);
    await until('removed', () => isGone('ConfigMap', 'stuck-moved'));
    world.proxy.hooks = {};
  });
});

describe('what is to become of the objects of an Application stands in its inventory', () => {
  it.each([
    ['is suspended', { suspend: true }],
    ['cannot be built', { path: './nowhere' }],
  ])('where prune: false comes to a component that %s', { timeout: TIMEOUT_MS }, async (how, properties) => {
    const name = `kept-${how.split(' ')[0]!}`;
    await running(name, 'a');
    await apply(name, name, { prune: false, ...properties });
    await until('recorded', async () => (await inventory(name)).includes('"keep":["a"]'));
    await world.client.delete(referenceTo('Application', name));
    await until('inventory gone', () => isGone('ConfigMap', `lateen-${name}`));
    expect(await isGone('ConfigMap', `${name}-a`)).toBe(false);
  });

  it('where it has come back with its kind and is deleted before it has applied anything', { timeout: TIMEOUT_MS }, async () => {
    const name = 'stranded';
    await running(name, 'a');
    await world.agent.kill();
    // As the agent leaves it when the kind goes.
    const text = JSON.stringify({ ...(JSON.parse(await inventory(name)) as object), stranded: true });
    await world.client.mergePatch(referenceTo('ConfigMap', `lateen-${name}`), { data: { 'inventory.json': text } });
    await apply(name, name, { path: './nowhere' });
    await world.startAgent();
    await untilTold(name, /nowhere/);
    await until('recorded', async () => !(await inventory(name)).includes('stranded":'));
    await world.agent.kill();
    await world.client.delete(referenceTo('Application', name));
    await world.startAgent();
    await until('removed', () => isGone('ConfigMap', `${name}-a`));
  });
});

it('the placeholder of an Application goes though the agent dies once it has claimed it', { timeout: TIMEOUT_MS }, async () => {
  const { namespace } = world;
  const placeholder = { apiVersion: 'v1', kind: 'ConfigMap', name: 'waiting-for-lateen.claimed', namespace };
  await push('claimed', files('claimed', 'a'));
  await world.agent.kill();
  await apply('claimed', 'claimed');
  const { apiVersion, kind, name } = placeholder;
  await world.client.create({ apiVersion, kind, metadata: { name, namespace, labels: { 'app.oam.dev/name': 'claimed' } } });
  const application = referenceTo('Application', 'claimed');
  await world.client.mergePatch(application, { status: { appliedResources: [placeholder] } }, { subresource: 'status' });
  await killedAfter(/PATCH applications\/claimed$/, () => world.startAgent());
  await world.startAgent();
  await untilRunning('claimed');
  await until('placeholder gone', () => isGone('ConfigMap', name));
});
