import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
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

/** Of a file, with a tree of its own at each commit. */
class FakeTree {
  readonly entries = [{ path: 'a.yaml', kind: 'file', executable: false, oid: 'a', size: 1 }];
  readonly #read: Promise<void>;

  constructor(read: Promise<void>) {
    this.#read = read;
  }

  treeId(): string {
    return 'the same';
  }

  async read(): Promise<Map<string, Buffer>> {
    await this.#read;
    return new Map([['a.yaml', Buffer.from('{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}')]]);
  }
}

/** A component whose repository has another commit at each poll. */
function following(read: Promise<void>) {
  let commits = 0;
  const git = {
    resolve: async () => ({ branch: 'main', commit: String(++commits) }),
    fetch: async () => ({ id: String(commits), author: 'Fog Dong', subject: 'Begin' }),
    tree: async () => new FakeTree(read),
  } as unknown as Git;
  const around = { clock: systemClock, random: () => 0, log: silentLog, metrics: new AgentMetrics() };
  const sources = new Sources({ namespace: 'a', git, credentials: () => Promise.reject(new Error('none')), ...around });
  const { source } = sources.use({ url }, { intervalMs: 300_000, timeoutMs: 60_000, onChange: () => undefined });
  const authors = new Map<string, string>();
  const build = { kustomize: 'kustomize', timeoutMs: 60_000, lanes: createLanes({ quick: 1, slowAfterMs: 60_000, most: 1 }) };
  const more = { claims: new Claims(() => 0), client: { transport: { crowded: () => false } }, events: { record: () => undefined } };
  const context = { ...around, ...more, sources, authors, build, gitTimeoutMs: 60_000 } as unknown as KustomizeContext;
  const work = new KustomizeWork(context, { wake: () => undefined, details: {} });
  const component = { name: 'web', type: 'kustomize', properties: { url, path: './' } };
  const application = { metadata: { name: 'app', namespace: 'a' }, spec: { components: [component] } };
  const input = { application, component } as unknown as ComponentInput;
  const delivery = { desired: [], apply: async () => ({ changed: 0, drifted: [] }) };
  const tools = { delivery, health: { of: async () => ({ state: 'Current', message: '' }) } } as unknown as ComponentTools;
  const run = (signal: AbortSignal): Promise<unknown> => work.run(input, tools, signal).catch((error: unknown) => error);
  return { work, run, source, sources, authors };
}

it.each([
  ['after a run', false],
  ['in the middle of a run', true],
])('forgets the author of a component that is stopped %s', async (_, early) => {
  const read = Promise.withResolvers<void>();
  const { work, run, source, sources, authors } = following(read.promise);
  const stopped = new AbortController();
  await source.pollNow();
  const running = run(stopped.signal);
  await turn();
  if (!early) {
    read.resolve();
    await running;
    expect(authors).toEqual(new Map([['app/web', 'Fog Dong']]));
  }
  stopped.abort(new Error('stopped'));
  work.stop();
  read.resolve();
  await running;
  expect(authors).toEqual(new Map());
  await sources.stop();
});

it('keeps the files of the newest commit only, where its own have not changed', async () => {
  const { run, source, sources } = following(Promise.resolve());
  for (let commit = 1; commit <= 3; commit++) {
    await source.pollNow();
    await run(new AbortController().signal);
  }
  expect(source.state.revision?.commit.id).not.toBe('1');
  expect(queryObjects(FakeTree, { format: 'count' })).toBe(1);
  await sources.stop();
});
