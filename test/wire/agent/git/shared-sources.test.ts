import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pullAhead } from '#agent/application/pulling.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import { type Source, Sources } from '#agent/sync/source.ts';
import type { Application } from '#api/application.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';
import { commitFiles } from '#dev/seed.ts';
import { type AppBench, startAppBench } from '#test/support/git.ts';

let bench: AppBench;
let sources: Sources;

beforeEach(async () => {
  bench = await startAppBench({});
  await commitFiles(bench.directory, 'main', { 'a.txt': 'a' }, { message: 'one' });
  const credentials = (): Promise<never> => Promise.reject(new Error('none'));
  const around = { clock: systemClock, random: () => 0, log: silentLog, metrics: new AgentMetrics() };
  sources = new Sources({ namespace: 'team', git: bench.git, credentials, ...around });
});

afterEach(async () => {
  await sources.stop();
  await bench.close();
});

const subscriber = { intervalMs: 300_000, timeoutMs: 15_000, onChange: () => undefined };

async function pulled(source: Source): Promise<void> {
  await expect.poll(() => source.state.revision, { timeout: 10_000 }).toBeDefined();
  await sleep(300);
}

it('components that come while their repository is being pulled for the first time cost no request more', async () => {
  const key = { url: bench.repository.url, branch: 'main' };
  const { source } = sources.use(key, subscriber);
  await pulled(source);
  const alone = bench.server.requestCount();
  const other = { ...key, secretRef: '' };
  const all = Array.from({ length: 20 }, () => sources.use({ ...other, url: `${key.url}.git` }, subscriber));
  await sleep(1);
  all.push(...Array.from({ length: 20 }, () => sources.use({ ...other, url: `${key.url}.git` }, subscriber)));
  await pulled(all[0]!.source);
  expect(bench.server.requestCount() - alone).toBe(alone);
});

it('pulls ahead what a component is to follow, and lets go of what it does not', async () => {
  const { url } = bench.repository;
  const component = (name: string, more: object): object => ({
    name,
    type: 'kustomize',
    properties: { url, git: { branch: name }, path: './' },
    ...more,
  });
  const components = [component('main', {}), component('later', { dependsOn: ['main'] }), { name: 'web', type: 'webservice' }];
  const application = { metadata: { name: 'a', namespace: 'team' }, spec: { components } } as unknown as Application;
  const release = pullAhead(application, { sources, gitTimeoutMs: 15_000 });
  await expect.poll(() => bench.server.requestCount()).toBeGreaterThan(0);
  const { source } = sources.use({ url, branch: 'main' }, subscriber);
  release();
  await pulled(source);
  const requests = bench.server.requestCount();
  pullAhead(application, { sources, gitTimeoutMs: 15_000 })();
  await sleep(300);
  expect([bench.server.requestCount(), source.used]).toEqual([requests, true]);
});

it('asks again for recent commits where the look-up before has failed', async () => {
  const tip = await commitFiles(bench.directory, 'main', { 'a.txt': 'b' }, { message: 'two' });
  const { source } = sources.use({ url: bench.repository.url, branch: 'main' }, subscriber);
  await pulled(source);
  const revision = source.state.revision!;
  bench.server.setFault('app', { status: 500 });
  expect(await source.recent(revision, [])).toEqual([tip]);
  bench.server.setFault('app', undefined);
  const whole = [tip, expect.stringMatching(/^[0-9a-f]{40}$/)];
  expect(await source.recent(revision, [])).toEqual(whole);
  const requests = bench.server.requestCount();
  expect([await source.recent(revision, []), bench.server.requestCount()]).toEqual([whole, requests]);
});
