import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { GitCredentials } from '#agent/git/git.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import { Sources } from '#agent/sync/source.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';
import { commitFiles } from '#dev/seed.ts';
import { type AppBench, processesWith, startAppBench } from '#test/support/git.ts';

const OPTIONS = { timeoutMs: 15_000 };
const DATE = new Date('2026-01-02T03:04:05Z');

/** The server takes only the newest. */
const users = [{ name: 'robot', password: '', write: true }];
let bench: AppBench | undefined;

beforeEach(() => void replace());

afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

/** From now on the server takes these credentials, and no others. */
function replace(): GitCredentials {
  const password = randomBytes(8).toString('hex');
  users.splice(0, 1, { name: 'robot', password, write: true });
  return { username: 'robot', password };
}

async function serve(limits = {}): Promise<AppBench> {
  bench = await startAppBench({ users, limits });
  await commitFiles(
    bench.directory,
    'main',
    { 'a.txt': 'a', 'large.bin': randomBytes(300_000).toString('base64') },
    { message: 'one', date: DATE },
  );
  return bench;
}

async function repositoriesOf({ cacheDir }: AppBench): Promise<string[]> {
  const [own = ''] = await readdir(cacheDir);
  return readdir(join(cacheDir, own, 'repositories'));
}

/** As an agent does at its interval. */
async function pull({ git, repository: { url } }: AppBench, credentials: GitCredentials): Promise<string> {
  const repository = { url, credentials };
  const { id } = await git.fetch(repository, await git.resolve(repository, 'main', OPTIONS), OPTIONS);
  return id;
}

it('a commit that stands still is read with the credentials of the day', async () => {
  const { git, repository, cacheDir } = await serve();
  let credentials = replace();
  const context = { namespace: 'a', git, clock: systemClock, random: Math.random, log: silentLog, metrics: new AgentMetrics() };
  const sources = new Sources({ ...context, credentials: async () => credentials });
  onTestFinished(() => sources.stop());
  const subscriber = { intervalMs: 3_600_000, timeoutMs: 20_000, onChange: () => undefined };
  const { source } = sources.use({ url: repository.url, branch: 'main', secretRef: 'token' }, subscriber);
  await source.pollNow();
  const { tree } = source.state.revision!;

  credentials = replace();
  await source.pollNow();
  await rm(cacheDir, { recursive: true });
  await expect.poll(() => processesWith(cacheDir), { timeout: 10_000 }).toEqual([]);

  expect(source.state.failure).toBeUndefined();
  expect((await tree.read(['large.bin'])).get('large.bin')).toHaveLength(400_000);
});

it('keeps no folder for credentials that were replaced', async () => {
  const served = await serve({ supersededAfterMs: 0 });
  for (let i = 0; i < 5; i++) await pull(served, replace());
  expect(await repositoriesOf(served)).toHaveLength(1);
});

it('keeps the folder of credentials that are still asked with, though no commit came', async () => {
  const served = await serve({ supersededAfterMs: 2_000 });
  const credentials = replace();
  users.push({ name: 'other', password: 'x', write: false });
  await pull(served, credentials);
  await sleep(2_100);
  await served.git.resolve({ url: served.repository.url, credentials }, 'main', OPTIONS);
  await pull(served, { username: 'other', password: 'x' });
  users.pop();
  expect(await repositoriesOf(served)).toHaveLength(2);
});

it('removes no folder that is in use', async () => {
  const served = await serve({ supersededAfterMs: 0 });
  const { git, repository } = served;
  const credentials = replace();
  const commit = await pull(served, credentials);
  const change = {
    author: { name: 'a', email: 'a@b' },
    timeMs: 0,
    message: 'two',
    files: [{ path: 'a.txt', content: Buffer.from('b'), executable: false }],
  };
  users.push({ name: 'other', password: 'x', write: false });
  const pushed = await git.publish({ url: repository.url, credentials }, { branch: 'main', commit }, change, {
    ...OPTIONS,
    beforePush: async () => void (await pull(served, { username: 'other', password: 'x' })),
  });
  users.pop();
  expect(pushed).toMatchObject({ outcome: 'pushed' });
  expect(await repositoriesOf(served)).toHaveLength(2);
});

it('removes a folder of another repository that nobody has asked for', async () => {
  const served = await serve({ unusedAfterMs: 0 });
  const credentials = replace();
  await pull(served, credentials);
  await commitFiles(await served.server.createRepository('second'), 'main', { a: 'a' }, { message: 'one', date: DATE });
  await pull({ ...served, repository: { url: served.server.cloneUrl('second') } }, credentials);
  expect(await repositoriesOf(served)).toHaveLength(1);
});
