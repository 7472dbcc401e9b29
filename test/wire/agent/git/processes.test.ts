import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { seedRepository } from '#dev/seed.ts';
import { type GitBench, processesWith, startGitBench } from '#test/support/git.ts';

const PASSWORD = 'a-very-secret-word';
/** Of SHA-256, which git alone fetches. */
const UNKNOWN = { branch: 'infra', commit: 'f'.repeat(64) };
const CREDENTIALS = { username: 'reader', password: PASSWORD };

let bench: GitBench;

beforeEach(async () => {
  bench = await startGitBench({ users: [{ name: 'reader', password: PASSWORD, write: false }], maxConcurrent: 2 });
  await seedRepository(await bench.server.createRepository('seed'));
});

afterEach(() => bench.close());

/** Every process that the client of this bench has started carries the path of its cache in the environment. */
const ours = () => processesWith(bench.cacheDir);

const repository = () => ({ url: bench.server.cloneUrl('seed'), credentials: CREDENTIALS });

async function untilHanging(requests = 1): Promise<void> {
  await expect.poll(() => bench.server.requestCount(), { timeout: 5_000 }).toBe(requests);
}

it('leaves no process behind when a server hangs past the deadline', async () => {
  bench.server.setFault('seed', { hang: true });
  const begun = performance.now();
  await expect(bench.git.resolve(repository(), 'infra', { timeoutMs: 700 })).rejects.toMatchObject({
    reason: 'TimedOut',
    kind: 'transient',
    sentence: `${bench.server.cloneUrl('seed')} did not answer within 0.7 s; check the Git server and the network to it, or raise timeout`,
  });
  expect(performance.now() - begun).toBeLessThan(2_000);
  expect(await ours()).toEqual([]);
});

it('leaves no process behind when a fetch hangs, is aborted, or the client is closed, and goes on afterwards', async () => {
  const tip = await bench.git.resolve(repository(), 'infra', { timeoutMs: 5_000 });
  bench.server.setFault('seed', { hang: true, only: '/git-upload-pack' });
  await expect(bench.git.fetch(repository(), tip, { timeoutMs: 700 })).rejects.toMatchObject({ reason: 'TimedOut' });
  expect(await ours()).toEqual([]);

  const stop = new AbortController();
  bench.server.setFault('seed', { hang: true });
  const aborted = expect(bench.git.fetch(repository(), UNKNOWN, { timeoutMs: 5_000, signal: stop.signal })).rejects.toThrow('enough');
  await expect.poll(async () => (await ours()).length).toBeGreaterThan(2);
  stop.abort(new Error('enough'));
  await aborted;
  expect(await ours()).toEqual([]);

  bench.server.setFault('seed', undefined);
  expect((await bench.git.fetch(repository(), tip, { timeoutMs: 5_000 })).id).toBe(tip.commit);

  bench.server.setFault('seed', { hang: true });
  const closed = expect(bench.git.fetch(repository(), UNKNOWN, { timeoutMs: 5_000 })).rejects.toThrow('closed');
  await expect.poll(async () => (await ours()).length).toBeGreaterThan(2);
  await bench.git.close();
  await closed;
  expect(await ours()).toEqual([]);
});

it('shows no secret in the arguments of any process', async () => {
  bench.server.setFault('seed', { hang: true });
  const call = expect(bench.git.fetch(repository(), UNKNOWN, { timeoutMs: 1_500 })).rejects.toMatchObject({ reason: 'TimedOut' });
  await untilHanging();
  const commands = (await ours()).map(({ command }) => command);
  expect(commands.filter((command) => command.includes('git fetch')).length).toBeGreaterThan(0);
  expect(commands.some((command) => command.includes('remote-http'))).toBe(true);
  const encoded = Buffer.from(`reader:${PASSWORD}`).toString('base64');
  for (const command of commands) for (const secret of [PASSWORD, encoded, 'reader']) expect(command).not.toContain(secret);
  await call;
});

it('gives up waiting for a place at the deadline, and never runs more git than there are places', async () => {
  const names = ['a', 'b', 'c', 'd'];
  for (const name of names) {
    await bench.server.createRepository(name);
    bench.server.setFault(name, { hang: true });
  }
  const calls = names.map((name) =>
    expect(
      bench.git.fetch({ url: bench.server.cloneUrl(name), credentials: CREDENTIALS }, UNKNOWN, { timeoutMs: 1_500 }),
    ).rejects.toMatchObject({ reason: 'TimedOut' }),
  );
  await untilHanging(2);
  expect((await ours()).filter(({ command }) => command.startsWith('git fetch'))).toHaveLength(2);
  const begun = performance.now();
  await Promise.all(calls);
  expect(performance.now() - begun).toBeLessThan(2_500);
  expect(bench.server.requestCount()).toBe(2);
  expect(await ours()).toEqual([]);
});

it('leaves no process behind when the agent itself is killed', async () => {
  bench.server.setFault('seed', { hang: true });
  const program = `
    import { createGit } from ${JSON.stringify(fileURLToPath(new URL('../../../../agent/git/git.ts', import.meta.url)))};
    const redactor = { register() {}, scrub: (text) => text };
    const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
    const git = createGit({ cacheDir: ${JSON.stringify(bench.cacheDir)}, userAgent: "test", redactor, log });
    console.log('started');
    await git.fetch({ url: ${JSON.stringify(bench.server.cloneUrl('seed'))} }, ${JSON.stringify(UNKNOWN)}, { timeoutMs: 60_000 });
  `;
  const file = join(bench.folder, 'agent.mjs');
  await writeFile(file, program);
  const agent = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface(agent.stdout), 'line');
  await untilHanging();
  expect((await ours()).some(({ command }) => command.includes('remote-http'))).toBe(true);
  agent.kill('SIGKILL');
  await expect.poll(ours, { timeout: 3_000 }).toEqual([]);
});
