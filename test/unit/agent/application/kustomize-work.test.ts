import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { ComponentInput, ComponentTools } from '#agent/application/component-loop.ts';
import { type KustomizeContext, KustomizeWork } from '#agent/application/kustomize-work.ts';
import type { Git } from '#agent/git/git.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import { Claims } from '#agent/sync/claims.ts';
import { Sources } from '#agent/sync/source.ts';
import { annotation } from '#api/names.ts';
import { systemClock } from '#core/clock.ts';
import { createLanes } from '#core/lanes.ts';
import { silentLog } from '#core/log.ts';

const url = 'https://git.example/team/app';

it('ends at once where it is stopped while a Git server that others use too does not answer', async () => {
  const git = { resolve: () => new Promise(() => undefined) } as unknown as Git;
  const around = { clock: systemClock, random: () => 0, log: silentLog, metrics: new AgentMetrics() };
  const sources = new Sources({ namespace: 'a', git, credentials: () => Promise.reject(new Error('none')), ...around });
  sources.use({ url }, { intervalMs: 300_000, timeoutMs: 60_000, onChange: () => undefined });
  const work = new KustomizeWork({ ...around, sources, gitTimeoutMs: 60_000 } as unknown as KustomizeContext, {
    wake: () => undefined,
    details: {},
  });
  const input = {
    application: { metadata: { name: 'app', namespace: 'a', annotations: { [annotation.reconcileAt]: 'now' } } },
    component: { name: 'web', type: 'kustomize', properties: { url, path: './' } },
  } as unknown as ComponentInput;
  const tools = { delivery: { forgetFights: () => undefined } } as unknown as ComponentTools;
  const stopped = new AbortController();
  let ended: unknown;
  work.run(input, tools, stopped.signal).catch((error: unknown) => (ended = error));
  await turn();
  expect(ended).toBeUndefined();
  stopped.abort(new Error('stopped'));
  work.stop();
  await turn();
  expect(ended).toEqual(new Error('stopped'));
});

it.each([
  ['after a run', false],
  ['in the middle of a run', true],
])('forgets the author of a component that is stopped %s', async (_, early) => {
  const reading = Promise.withResolvers<void>();
  const tree = {
    entries: [{ path: 'a.yaml', kind: 'file', executable: false, oid: 'a', size: 1 }],
    treeId: () => 'tree',
    async read() {
      await reading.promise;
      return new Map([['a.yaml', Buffer.from('{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}')]]);
    },
  };
  const git = {
    resolve: async () => ({ branch: 'main', commit: 'one' }),
    fetch: async () => ({ id: 'one', author: 'Fog Dong', subject: 'Begin' }),
    tree: async () => tree,
  } as unknown as Git;
  const around = { clock: systemClock, random: () => 0, log: silentLog, metrics: new AgentMetrics() };
  const sources = new Sources({ namespace: 'a', git, credentials: () => Promise.reject(new Error('none')), ...around });
  const authors = new Map<string, string>();
  const build = { kustomize: 'kustomize', timeoutMs: 60_000, lanes: createLanes({ quick: 1, slowAfterMs: 60_000, most: 1 }) };
  const claims = new Claims(() => 0);
  const client = { transport: { crowded: () => false } };
  const events = { record: () => undefined };
  const pulled = Promise.withResolvers<void>();
  const context = { ...around, sources, authors, build, claims, client, events, gitTimeoutMs: 60_000 } as unknown as KustomizeContext;
  const work = new KustomizeWork(context, { wake: pulled.resolve, details: {} });
  const component = { name: 'web', type: 'kustomize', properties: { url, path: './' } };
  const input = {
    application: { metadata: { name: 'app', namespace: 'a' }, spec: { components: [component] } },
    component,
  } as unknown as ComponentInput;
  const delivery = { desired: [], apply: async () => ({ changed: 0, drifted: [] }) };
  const tools = { delivery, health: { of: async () => ({ state: 'Current', message: '' }) } } as unknown as ComponentTools;
  const stopped = new AbortController();
  await work.run(input, tools, stopped.signal);
  await pulled.promise;
  const run = work.run(input, tools, stopped.signal).catch((error: unknown) => error);
  await turn();
  if (!early) {
    reading.resolve();
    await run;
    expect(authors).toEqual(new Map([['app/web', 'Fog Dong']]));
  }
  stopped.abort(new Error('stopped'));
  work.stop();
  reading.resolve();
  await run;
  expect(authors).toEqual(new Map());
  await sources.stop();
});
