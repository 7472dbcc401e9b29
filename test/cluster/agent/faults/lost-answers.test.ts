import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { PLAYS } from '#dev/faults/crash-plays.ts';
import { crashAt } from '#dev/faults/crash-points.ts';
import { Story } from '#dev/faults/story.ts';
import { writeName } from '#dev/faults/traffic.ts';
import type { Wanted } from '#dev/faults/wanted.ts';
import { configMap } from '#test/support/api-client.ts';
import { faultWorld } from '#test/support/fault-world.ts';

/** What the faults have found, each as small as it can be made: answers that never came, and what a person did meanwhile. */

const world = faultWorld();

const TIMEOUT_MS = 200_000;
const playOf = (name: string) => PLAYS.find((play) => play.name.startsWith(name))!;

describe('killed after the API server has written and before the agent knows', () => {
  it.each([
    [
      'an object that was put back is not taken for one that somebody else has made',
      'restore',
      /configmaps\/restored-a$/,
      'restored',
      false,
    ],
    ['an update that Git takes back meanwhile does not stay', 'update', /configmaps\/updated-a$/, 'updated', true],
    [
      "an object that moves back while its hand-over is half done is its former owner's again",
      'move',
      /configmaps\/moving-moved$/,
      'moving',
      true,
    ],
  ])(
    '%s',
    async (_, play, write, name, reverted) => {
      const { killedAt, problems } = await crashAt(playOf(play), { write, side: 'after', reverted }, { world, name });
      expect(problems).toEqual([]);
      expect(killedAt).toMatch(write);
    },
    TIMEOUT_MS,
  );
});

describe('without a death', () => {
  const both = (name: string, x: string[], y: string[], value = 'one'): Wanted => {
    const objects = (names: string[]) => Object.fromEntries(names.map((one) => [`ConfigMap/${name}-${one}`, value]));
    return { components: { a: 'x', b: 'y' }, folders: { x: objects(x), y: objects(y) } };
  };

  it(
    'an object whose answer was lost when it was put back is not taken for one that somebody else has made',
    async () => {
      const story = new Story(world, 'cut');
      await story.want(both('cut', ['x', 'z'], ['y']));
      await story.converged();
      let cuts = 1;
      world.proxy.hooks = { after: (request) => writeName(request) === 'PATCH configmaps/cut-z' && cuts-- > 0 };
      await story.drift('ConfigMap/cut-z');
      await expect.poll(() => cuts, { timeout: 20_000 }).toBe(0);
      await story.converged();
    },
    TIMEOUT_MS,
  );

  it(
    'an object that a person deletes while it is handed over, and whose answer is lost, is not taken for one of somebody else',
    async () => {
      const story = new Story(world, 'passed');
      await story.want(both('passed', ['x', 'z'], ['y']));
      await story.converged();
      let deleted = false;
      let cuts = 1;
      world.proxy.hooks = {
        async before(request) {
          if (deleted || writeName(request) !== 'PATCH configmaps/passed-z') return undefined;
          deleted = true;
          await story.drift('ConfigMap/passed-z');
          return undefined;
        },
        after: (request, status) => writeName(request) === 'PATCH configmaps/passed-z' && status === 201 && cuts-- > 0,
      };
      await story.want(both('passed', ['x'], ['y', 'z']));
      await story.converged();
      expect(cuts).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    'an object that a person has made in place of ours, while ours was being updated, is not written to',
    async () => {
      const story = new Story(world, 'instead');
      await story.want(both('instead', ['x', 'z'], ['y']));
      await story.converged();
      let made = false;
      world.proxy.hooks = {
        async before(request) {
          if (made || writeName(request) !== 'PATCH configmaps/instead-z') return undefined;
          made = true;
          await story.drift('ConfigMap/instead-z');
          await world.client.create(configMap(world.namespace, { theirs: 'yes' }, 'instead-z'));
          return undefined;
        },
      };
      await story.want(both('instead', ['x', 'z'], ['y'], 'two'));
      await expect
        .poll(async () => JSON.stringify((await story.object('Application/instead'))?.['status']), { timeout: 20_000 })
        .toContain('NOT_ADOPTED');
      expect((await story.object('ConfigMap/instead-z'))?.['data']).toEqual({ theirs: 'yes' });
      await story.drift('ConfigMap/instead-z');
      await story.converged();
      expect(await world.shown()).not.toContain('field is immutable');
    },
    TIMEOUT_MS,
  );

  it(
    'an object that a person makes while others of its component are being applied is not taken',
    async () => {
      const story = new Story(world, 'meanwhile');
      const wanted = both('meanwhile', ['x'], ['y']);
      await story.want(wanted);
      await story.converged();
      let made = false;
      world.proxy.hooks = {
        async before(request) {
          if (made || writeName(request) !== 'PATCH serviceaccounts/meanwhile-s') return undefined;
          made = true;
          await world.client.create(configMap(world.namespace, { theirs: 'yes' }, 'meanwhile-z'));
          return { delayMs: 1_000 };
        },
      };
      const x = { 'ConfigMap/meanwhile-x': 'one', 'ServiceAccount/meanwhile-s': 'one', 'ConfigMap/meanwhile-z': 'one' };
      await story.want({ ...wanted, folders: { ...wanted.folders, x } });
      const status = async (): Promise<string> => JSON.stringify((await story.object('Application/meanwhile'))?.['status']);
      await expect.poll(status, { timeout: 20_000 }).toContain('NOT_ADOPTED');
      expect((await story.object('ConfigMap/meanwhile-z'))?.['data']).toEqual({ theirs: 'yes' });
      await story.drift('ConfigMap/meanwhile-z');
      await story.converged();
    },
    TIMEOUT_MS,
  );

  it(
    'an intention whose answer was lost does not stay in the inventory when its component goes',
    async () => {
      const story = new Story(world, 'intended');
      const { components, folders } = both('intended', ['x'], ['y']);
      await story.want({ components: { a: 'x' }, folders });
      await story.converged();
      const lost = Promise.withResolvers<void>();
      world.proxy.hooks = {
        after(request) {
          const intends = writeName(request) === 'PATCH configmaps/lateen-intended' && request.body.includes('intended-y');
          if (intends) lost.resolve();
          return intends;
        },
      };
      await story.want({ components, folders });
      await lost.promise;
      await story.want({ components: { a: 'x' }, folders });
      world.proxy.hooks = {};
      await story.converged();
    },
    TIMEOUT_MS,
  );

  it.each([409, 500])(
    'a deleted Application is not forgotten where the question whether it is really gone is answered with %i',
    async (status) => {
      const name = `asked-${status}`;
      const story = new Story(world, name);
      const wanted = both(name, ['x'], ['y']);
      await story.want(wanted);
      await story.converged();
      let refused = 1;
      world.proxy.hooks = {
        before: (request) => (/^POST .*\/applications \(dry run\)$/.test(writeName(request)) && refused-- > 0 ? { status } : undefined),
      };
      await story.want({ ...wanted, deleted: true });
      await story.converged();
      expect(refused).toBeLessThan(1);
    },
    TIMEOUT_MS,
  );

  it(
    'an object that was about to be handed over and then left Git is no orphan',
    async () => {
      const story = new Story(world, 'half');
      await story.want(both('half', ['x', 'z'], ['y']));
      await story.converged();
      let refused = 0;
      world.proxy.hooks = {
        before(request) {
          if (writeName(request) !== 'PATCH configmaps/half-z') return undefined;
          refused += 1;
          return { status: 500 };
        },
      };
      await story.want(both('half', ['x'], ['y', 'z']));
      // The former owner has had the time to let go.
      await expect.poll(() => refused, { timeout: 40_000 }).toBeGreaterThan(2);
      await sleep(6_000);
      await story.want(both('half', ['x'], ['y']));
      await story.converged();
      world.proxy.hooks = {};
      expect(await story.object('ConfigMap/half-z')).toBeUndefined();
    },
    TIMEOUT_MS,
  );

  it(
    'a component that fails twice in a row before it has applied anything is tried again within seconds',
    async () => {
      const story = new Story(world, 'twice');
      await story.want(both('twice', ['x'], ['y']));
      await story.converged();
      let refusals = 4;
      world.proxy.hooks = {
        before: (request) => (writeName(request) === 'PATCH configmaps/lateen-twice' && refusals-- > 0 ? { status: 500 } : undefined),
      };
      await story.want(both('twice', ['x'], ['y'], 'two'));
      await story.converged();
      expect(refusals).toBeLessThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'a component that failed is tried again within seconds though the clock was set back by an hour meanwhile',
    async () => {
      const story = new Story(world, 'clock');
      await story.want(both('clock', ['x'], ['y']));
      await story.converged();
      let refusals = 4;
      world.proxy.hooks = {
        before(request) {
          if (writeName(request) !== 'PATCH configmaps/lateen-clock' || refusals <= 0) return undefined;
          refusals -= 1;
          return { status: 500 };
        },
      };
      await story.want(both('clock', ['x'], ['y'], 'two'));
      await expect.poll(() => refusals, { timeout: 20_000, interval: 20 }).toBe(0);
      // The answer is on its way to the agent, which then waits for its next try.
      await sleep(300);
      await world.agent.jumpClock();
      await story.converged();
    },
    TIMEOUT_MS,
  );

  it(
    'a kustomize that was killed is run again for the same commit',
    async () => {
      const story = new Story(world, 'killed', { kustomized: true });
      await story.want(both('killed', ['x'], ['y']));
      await story.converged();
      await world.killKustomize();
      await story.want(both('killed', ['x'], ['y'], 'two'));
      await story.converged();
      expect(await world.shown()).toContain('kustomize was killed by SIGKILL');
    },
    TIMEOUT_MS,
  );
});
