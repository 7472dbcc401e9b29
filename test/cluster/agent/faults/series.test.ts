import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { API_VERSION } from '#api/names.ts';
import { Story } from '#dev/faults/story.ts';
import { writeName } from '#dev/faults/traffic.ts';
import type { Wanted } from '#dev/faults/wanted.ts';
import { GIT_SECRET } from '#dev/faults/world.ts';
import { commitFiles } from '#dev/git-repository.ts';
import { programs } from '#dev/programs.ts';
import { startRegistry } from '#dev/registry.ts';
import { faultWorld } from '#test/support/fault-world.ts';
import { configMapYaml } from '#test/support/repositories.ts';

/** What /metrics shows of what is gone, where it went in the middle of a run. */

const world = faultWorld();

const TIMEOUT_MS = 120_000;
/** Until the agent knows of it, and has come as far as it can. */
const KNOWN_MS = 1_500;

const wanted = (name: string, objects: readonly string[]): Wanted => ({
  components: { a: 'x', b: 'y' },
  folders: {
    x: { [`ConfigMap/${name}-x`]: 'one' },
    y: Object.fromEntries(objects.map((object) => [`ConfigMap/${name}-${object}`, 'one'])),
  },
});

async function seriesOf(name: string): Promise<string[]> {
  return (await world.agent.metrics()).split('\n').filter((line) => line.includes(`application="${name}"`));
}

/** An Application whose component b has pruned an object and waits for an answer to what it has written about that. */
async function pruning(name: string): Promise<{ story: Story; goOn: () => void }> {
  const story = new Story(world, name);
  await story.want(wanted(name, ['y', 'z']));
  await story.converged();
  expect((await seriesOf(name)).filter((line) => line.includes('component="b"'))).toHaveLength(3);
  const [waits, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let pruned = false;
  world.proxy.hooks = {
    async after(request) {
      if (writeName(request) === `DELETE configmaps/${name}-z`) pruned = true;
      else if (pruned && writeName(request) === `PATCH configmaps/lateen-${name}`) {
        waits.resolve();
        await going.promise;
      }
      return false;
    },
  };
  await story.want(wanted(name, ['y']));
  await waits.promise;
  world.proxy.hooks = {};
  return { story, goOn: going.resolve };
}

it(
  'of a component that has left its Application nothing is shown',
  async () => {
    const { story, goOn } = await pruning('leaves');
    const { components, folders } = story.wanted;
    await story.want({ components: { a: components['a']! }, folders: { x: folders['x']! } });
    await sleep(KNOWN_MS);
    goOn();
    await story.converged();
    const left = await seriesOf('leaves');
    expect(left.filter((line) => !line.includes('component="a"'))).toEqual([]);
    expect(left).toHaveLength(3);
  },
  TIMEOUT_MS,
);

it(
  'of an Application that was deleted nothing is shown',
  async () => {
    const { story, goOn } = await pruning('deleted');
    await story.want({ ...story.wanted, deleted: true });
    await sleep(KNOWN_MS);
    goOn();
    await story.converged();
    expect(await seriesOf('deleted')).toEqual([]);
  },
  TIMEOUT_MS,
);

/** A registry with one image; resolves to its name. */
async function pushedImage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-registry-'));
  const registry = await startRegistry({ crane: (await programs(['crane'])).crane, folder });
  onTestFinished(async () => {
    await registry.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await registry.push('org/web', ['v1']);
  return `${registry.host}/org/web`;
}

/** An Application of one component, named as it is, that follows the image and what is in its folder of the repository `images`. */
async function follow(name: string, image: string): Promise<void> {
  const git = { url: `${world.git.url}/images`, git: { branch: 'main' }, path: `./${name}`, secretRef: GIT_SECRET };
  const imageRepository = { image, policy: { alphabetical: { order: 'asc' } } };
  const components = [{ name, type: 'kustomize', properties: { ...git, imageRepository } }];
  const metadata = { name, namespace: world.namespace };
  await world.client.apply({ apiVersion: API_VERSION, kind: 'Application', metadata, spec: { components } });
}

it(
  'of images that a component followed nothing is shown',
  async () => {
    const image = await pushedImage();
    const marker = `  image: ${image}:v1 # {"$imagepolicy": "${world.namespace}:follows"}\n`;
    const files = { 'follows/a.yaml': configMapYaml('follows'), 'has/a.yaml': configMapYaml('has') + marker };
    await commitFiles(await world.git.createRepository('images'), 'main', files, { message: 'Begin' });
    const [waits, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    world.proxy.hooks = {
      async after(request) {
        if (writeName(request) !== 'PATCH configmaps/lateen-follows' || !request.body.includes('markers')) return false;
        waits.resolve();
        await going.promise;
        return false;
      },
    };
    await follow('follows', image);
    await expect.poll(() => seriesOf('follows'), { timeout: 20_000 }).toHaveLength(5);
    // Its marker names the component of the other one, which has nothing to do meanwhile.
    await follow('has', image);
    await waits.promise;
    await world.client.delete({ apiVersion: API_VERSION, kind: 'Application', namespace: world.namespace, name: 'follows' });
    await sleep(KNOWN_MS);
    going.resolve();
    await expect.poll(() => seriesOf('follows'), { timeout: 20_000 }).toEqual([]);
    // Nor after the end of what was under way.
    await sleep(KNOWN_MS);
    expect(await seriesOf('follows')).toEqual([]);
  },
  TIMEOUT_MS,
);
