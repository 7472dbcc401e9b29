import { expect, it } from 'vitest';
import { Story } from '#dev/faults/story.ts';
import { writeName } from '#dev/faults/traffic.ts';
import { faultWorld } from '#test/support/fault-world.ts';

const world = faultWorld();

it('components whose requests hang leave places for the others', { timeout: 120_000 }, async () => {
  const components = { a: 'x', b: 'y' };
  const quick = new Story(world, 'quick');
  const object = (value: string) => ({ components, folders: { x: { 'ConfigMap/quick-x': value }, y: { 'ConfigMap/quick-y': value } } });
  await quick.want(object('one'));
  await quick.converged();
  const hung = new Story(world, 'hung');
  const many = (folder: string) => Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`ConfigMap/hung-${folder}-${at}`, 'one']));
  let hanging = 0;
  world.proxy.hooks = {
    before(request) {
      if (!writeName(request).startsWith('PATCH configmaps/hung-')) return undefined;
      hanging++;
      return { delayMs: 6_000 };
    },
  };
  await hung.want({ components, folders: { x: many('x'), y: many('y') } });
  await expect.poll(() => hanging, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
  const begun = performance.now();
  await quick.want(object('two'));
  await expect.poll(async () => (await quick.object('ConfigMap/quick-x'))?.['data'], { timeout: 10_000 }).toEqual({ key: 'two' });
  // Of these a second at most is the poll of the repository.
  expect(performance.now() - begun).toBeLessThan(3_000);
  world.proxy.hooks = {};
  await hung.converged();
});
