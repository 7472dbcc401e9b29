import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { fromConfigMap } from '#agent/manifest/inventory.ts';
import type { Application } from '#api/application.ts';
import { annotation, API_VERSION } from '#api/names.ts';
import { Story } from '#dev/faults/story.ts';
import { writeName } from '#dev/faults/traffic.ts';
import type { Wanted } from '#dev/faults/wanted.ts';
import { faultWorld } from '#test/support/fault-world.ts';

const world = faultWorld();

const TIMEOUT_MS = 200_000;
/** More than one pass can have: nothing of the list is gone when the next one begins. */
const REFUSALS = 30;

function wanted(names: readonly string[]): Wanted {
  return { components: { a: 'x' }, folders: { x: Object.fromEntries(names.map((name) => [`ConfigMap/worded-${name}`, 'one'])) } };
}

it(
  'a word for a prune at an earlier commit is good for what errors have left of it',
  async () => {
    const story = new Story(world, 'worded', { heldPrunes: true });
    const many = Array.from({ length: 12 }, (_, index) => `o${index}`);
    await story.want(wanted(['x', ...many]));
    await story.converged();
    const held = async () => fromConfigMap((await story.object('ConfigMap/lateen-worded'))!).held?.['a'];
    await story.want(wanted(['x']));
    await expect.poll(async () => (await held())?.objects.length, { timeout: 20_000 }).toBe(12);
    const { commit } = (await held())!;
    await story.want(wanted(['x', 'later']));
    await expect.poll(() => story.object('ConfigMap/worded-later'), { timeout: 20_000 }).toBeDefined();
    let refused = 0;
    world.proxy.hooks = {
      before: (request) =>
        writeName(request).startsWith('DELETE configmaps/worded-o') && refused++ < REFUSALS ? { status: 500 } : undefined,
    };
    const reference = { apiVersion: API_VERSION, kind: 'Application', namespace: world.namespace, name: 'worded' };
    await world.client.mergePatch(reference, { metadata: { annotations: { [annotation.approvePrune]: commit } } });
    await story.converged();
    expect(refused).toBeGreaterThan(REFUSALS);
    expect(await held()).toBeUndefined();
  },
  TIMEOUT_MS,
);

it(
  'what a person writes into the workflow while the agent writes its status is not overwritten',
  async () => {
    const story = new Story(world, 'paused');
    const reference = { apiVersion: API_VERSION, kind: 'Application', namespace: world.namespace, name: 'paused' };
    const status = async (): Promise<Application['status']> =>
      ((await story.object('Application/paused')) as unknown as Application | undefined)?.status;
    let suspended = false;
    world.proxy.hooks = {
      async before(request) {
        if (suspended || writeName(request) !== 'PATCH paused/status') return undefined;
        if (!(await status())?.workflow) return undefined;
        suspended = true;
        await world.client.mergePatch(reference, { status: { workflow: { suspend: true } } }, { subresource: 'status' });
        return undefined;
      },
    };
    // So that there is a first status before all is applied.
    world.git.setFault('paused', { delayMs: 1_500 });
    await story.want({ components: { a: 'x' }, folders: { x: { 'ConfigMap/paused-a': 'one' } } });
    await expect.poll(() => suspended, { timeout: 20_000 }).toBe(true);
    await sleep(2_000);
    expect(await status()).toMatchObject({ workflow: { suspend: true, finished: false } });
    world.git.setFault('paused', undefined);
  },
  TIMEOUT_MS,
);
