import { expect, it } from 'vitest';
import type { LiveObject } from '#agent/cluster/projection.ts';
import { healthOfEach, worstHealth, worstOf } from '#agent/sync/worst-health.ts';

const reference = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace: 'team', name });
const pod = (name: string, phase: string): LiveObject => ({
  ...reference(name),
  metadata: { name },
  status: { phase },
  ownership: { fields: '' },
});

it('names an object that is not there; one that has failed is worse', () => {
  const live = new Map([['done', pod('done', 'Succeeded')]]);
  const judge = (...names: string[]) => worstHealth(names.map(reference), ({ name }) => live.get(name));
  expect(judge('done').state).toBe('Current');
  expect(judge('done', 'gone')).toEqual({ state: 'NotFound', message: 'Pod/gone was applied and is not in the cluster' });
  live.set('failed', pod('failed', 'Failed'));
  expect(judge('gone', 'failed').state).toBe('Failed');
});

it('what was to go by itself is well once it is gone', () => {
  const all = healthOfEach([reference('gone'), reference('missing')], () => undefined, { isDone: ({ name }) => name === 'gone' });
  expect(all.map(({ health }) => health.state)).toEqual(['Current', 'NotFound']);
  expect(worstOf(all).message).toBe('Pod/missing was applied and is not in the cluster');
});
