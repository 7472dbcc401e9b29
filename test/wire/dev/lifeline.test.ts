import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { logTail, startProcess } from '#dev/lifeline.ts';
import { identityOf } from '#dev/process-identity.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Two sleepers below a shell: what a program with children of its own looks like. */
const FAMILY = 'echo $$; sleep 300 & echo $!; (sleep 300 & echo $!; wait) & wait';

async function pidsIn(file: string, count: number): Promise<number[]> {
  const read = async (): Promise<number[]> => (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean).map(Number);
  await expect.poll(async () => (await read()).length, { timeout: 5_000 }).toBe(count);
  return read();
}

async function running(pids: number[]): Promise<number[]> {
  const identities = await Promise.all(pids.map(identityOf));
  return identities.filter((identity) => identity !== undefined).map(({ pid }) => pid);
}

it('runs a program with its arguments, environment and folder, and says how it ended', async () => {
  const logFile = join(folder, 'log');
  const started = await startProcess({
    name: 'shell',
    command: '/bin/sh',
    args: ['-c', 'pwd; echo "$GREETING $1"; exit 7', 'sh', 'a b'],
    env: { GREETING: 'hello', PATH: process.env['PATH'] },
    cwd: folder,
    logFile,
  });
  expect(await started.exited).toEqual({ code: 7, signal: null });
  expect(await logTail(logFile)).toBe(`${folder}\nhello a b`);
});

it('says 127 for a command that is not there', async () => {
  const started = await startProcess({ name: 'nothing', command: join(folder, 'nothing'), args: [], logFile: join(folder, 'log') });
  expect(await started.exited).toEqual({ code: 127, signal: null });
});

it('stops a program with its children at once', async () => {
  const logFile = join(folder, 'log');
  const started = await startProcess({ name: 'family', command: '/bin/sh', args: ['-c', FAMILY], logFile });
  const pids = await pidsIn(logFile, 3);
  expect(await running(pids)).toEqual(pids);
  const begun = performance.now();
  await started.stop();
  expect(performance.now() - begun).toBeLessThan(1_000);
  await expect.poll(() => running(pids), { timeout: 2_000 }).toEqual([]);
  expect(await started.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await started.stop();
});

it('lets a program end by itself within its grace, and takes what it left', async () => {
  const logFile = join(folder, 'log');
  const script = 'trap "echo 0; exit 0" TERM; sleep 300 & echo $!; wait';
  const started = await startProcess({ name: 'polite', command: '/bin/sh', args: ['-c', script], logFile });
  const [child] = await pidsIn(logFile, 1);
  await started.stop(5_000);
  expect(await started.exited).toEqual({ code: 0, signal: null });
  expect(await readFile(logFile, 'utf8')).toBe(`${child}\n0\n`);
  await expect.poll(() => running([child!]), { timeout: 2_000 }).toEqual([]);
});

it('leaves nothing when the parent is killed', async () => {
  const module = fileURLToPath(new URL('../../../dev/lifeline.ts', import.meta.url));
  const script = `
    const { startProcess } = await import(${JSON.stringify(module)});
    for (const name of ['a', 'b']) {
      await startProcess({ name, command: '/bin/sh', args: ['-c', ${JSON.stringify(FAMILY)}], logFile: process.argv[1] + '/' + name });
    }
    setInterval(() => {}, 1000);`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script, folder];
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const pids = [...(await pidsIn(join(folder, 'a'), 3)), ...(await pidsIn(join(folder, 'b'), 3))];
  expect(await running(pids)).toEqual(pids);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await expect.poll(() => running(pids), { timeout: 2_000 }).toEqual([]);
});
