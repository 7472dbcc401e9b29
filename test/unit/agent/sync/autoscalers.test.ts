import { expect, it } from 'vitest';
import { ApiError } from '#agent/cluster/client.ts';
import type { LiveObjects } from '#agent/cluster/live-objects.ts';
import { Autoscalers, letsGo } from '#agent/sync/autoscalers.ts';
import type { KubeObject } from '#api/kubernetes.ts';

const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'team', name: 'web' };

function autoscaler(target: string, apiVersion = 'autoscaling/v2'): KubeObject {
  const spec = { scaleTargetRef: { kind: 'Deployment', name: target } };
  return { apiVersion, kind: 'HorizontalPodAutoscaler', metadata: { name: 'h', namespace: 'team' }, spec };
}

function around(all: KubeObject[]): Autoscalers {
  const live: Pick<LiveObjects, 'need' | 'all'> = { need: async () => new Map(), all: () => all as never };
  return new Autoscalers(live as LiveObjects);
}

it('names what was left to an autoscaler once that is gone, and once only', async () => {
  const all = [autoscaler('web')];
  const autoscalers = around(all);
  expect(await autoscalers.target(web)).toBe(true);
  expect(await autoscalers.target({ ...web, name: 'other' })).toBe(false);
  expect(autoscalers.released()).toEqual([]);
  all[0] = autoscaler('other');
  expect(autoscalers.released()).toEqual([web]);
  expect(autoscalers.released()).toEqual([]);
});

it.each(['autoscaling/v1', 'autoscaling/v2'])(
  'counts one of Git that is not in the cluster (%s), for as long as Git has it',
  async (version) => {
    const autoscalers = around([]);
    let owners = [{ application: 'a', component: 'c' }];
    const claims = { rendering: (id: string) => (id === 'autoscaling/HorizontalPodAutoscaler/team/h' ? owners : []) };
    autoscalers.render(owners[0]!, [{ apiVersion: 'v1', kind: 'Service', metadata: {} }, autoscaler('web', version)], claims);
    expect(await autoscalers.target(web)).toBe(true);
    owners = [];
    expect(autoscalers.released()).toEqual([web]);
    owners = [{ application: 'a', component: 'c' }];
    autoscalers.render(owners[0]!, [], claims);
    expect(await autoscalers.target(web)).toBe(false);
  },
);

it.each([
  [403, 'counts as none', false],
  [500, 'is an error', undefined],
])('an autoscaler that cannot be listed (%i) %s: replicas are not put back for want of an answer', async (status, _, expected) => {
  const refused = new ApiError(status, undefined, { verb: 'list', resource: 'horizontalpodautoscalers', group: 'autoscaling' });
  const live: Pick<LiveObjects, 'need' | 'all'> = { need: async () => new Map([['any', refused]]), all: () => [] };
  const answer = await new Autoscalers(live as LiveObjects).target(web).catch(() => undefined);
  expect(answer).toBe(expected);
});

it('lets go of what it scaled when it is deleted or targets something else, and not with each status', () => {
  const [web, other] = [autoscaler('web'), autoscaler('other')];
  expect([
    letsGo({ type: 'modified', object: web, previous: web }),
    letsGo({ type: 'added', object: web }),
    letsGo({ type: 'modified', object: other, previous: web }),
    letsGo({ type: 'deleted', object: web }),
  ]).toEqual([false, false, true, true]);
});
