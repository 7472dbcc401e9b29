import { expect, it } from 'vitest';
import { NewestApplication } from '#agent/application/newest.ts';
import type { Application } from '#api/application.ts';

const at = (resourceVersion: string): Application => ({
  apiVersion: 'core.oam.dev/v1beta1',
  kind: 'Application',
  metadata: { name: 'a', namespace: 'n', resourceVersion },
  spec: { components: [] },
});

it('takes nothing older than an answer from a watch that lags behind', () => {
  const newest = new NewestApplication(at('5'), { lists: () => ({ begun: 1, listed: 1 }) });
  expect(newest.answered(at('8'))).toBe(true);
  expect([newest.told(at('7')), newest.application.metadata.resourceVersion]).toEqual([false, '8']);
  expect(newest.told(at('8'))).toBe(true);
  expect(newest.told(at('9'))).toBe(true);
  expect(newest.answered(at('8'))).toBe(false);
});

it('takes what a listing has told that began after the answer: an etcd that was restored counts anew', () => {
  const lists = { begun: 1, listed: 1 };
  const newest = new NewestApplication(at('1000'), { lists: () => ({ ...lists }) });
  // One that was under way when the answer came may be older than that.
  lists.begun = 2;
  newest.answered(at('1001'));
  lists.listed = 2;
  expect(newest.told(at('40'))).toBe(false);
  Object.assign(lists, { begun: 3, listed: 3 });
  expect([newest.told(at('40')), newest.application.metadata.resourceVersion]).toEqual([true, '40']);
});
