import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

const run = promisify(execFile);

/** Starting a control plane on a busy machine. */
const START_MS = 120_000;

let folder: string;
let runFolder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  runFolder = join(folder, 'run');
  for (const [name, path] of Object.entries(inject('plane').programs)) await symlink(path, join(folder, name));
});

afterAll(async () => {
  await script('down.ts');
  await rm(folder, { recursive: true, force: true });
});

/** `make up` and `make down` beside whatever this checkout has running. */
async function script(name: 'up.ts' | 'down.ts', owner = process.pid): Promise<string> {
  const file = fileURLToPath(new URL(`../../../dev/${name}`, import.meta.url));
  const env = { ...process.env, LATEEN_RUN_DIR: runFolder, KUBEBUILDER_ASSETS: folder, LATEEN_RUN_OWNER: String(owner) };
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file], { env, timeout: START_MS });
  return stdout;
}

/** Processes whose arguments name the run folder, and those in their groups: all that the keeper started. */
async function processes(): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.includes(runFolder) ? Number(pid) : undefined;
    }),
  );
  return found.filter((pid) => pid !== undefined);
}

async function keeperPid(): Promise<number> {
  const state = JSON.parse(await readFile(join(runFolder, 'state.json'), 'utf8')) as { pid: number };
  return state.pid;
}

it('says so, without an error, when there is nothing to stop', async () => {
  expect(await script('down.ts')).toBe('Nothing of this checkout was running.\n');
});

it('starts once, and the second time finds it running', { timeout: START_MS }, async () => {
  const first = await script('up.ts');
  const pid = await keeperPid();
  expect(first).toContain('Running in the background:');
  expect(first).toContain(`export KUBECONFIG=${join(runFolder, 'plane/kubeconfig')}`);
  expect(first).toContain('make down');

  const second = await script('up.ts');
  expect(second).toContain('It was running already:');
  expect(await keeperPid()).toBe(pid);

  const { kubectl } = inject('plane').programs;
  const { stdout } = await run(kubectl, ['--kubeconfig', join(runFolder, 'plane/kubeconfig'), 'get', 'nodes', '-o', 'name']);
  expect(stdout).toBe('node/node-1\n');
});

it('leaves nothing when the keeper is killed, and starts again after that', { timeout: 2 * START_MS }, async () => {
  await script('up.ts');
  // Five programs, each with the shell that watches the pipe.
  expect((await processes()).length).toBeGreaterThanOrEqual(10);
  process.kill(await keeperPid(), 'SIGKILL');
  await expect.poll(processes, { timeout: 2_000 }).toEqual([]);
  expect(await script('up.ts')).toContain('Running in the background:');
});

it('stops everything, and a second time says that there was nothing', { timeout: START_MS }, async () => {
  await script('up.ts');
  // As the webhook of the demo leaves it behind.
  await mkdir(join(runFolder, 'webhook'));
  await writeFile(join(runFolder, 'webhook', 'port'), '1');
  expect(await script('down.ts')).toBe('Stopped: nothing of this checkout is running.\n');
  await expect.poll(processes, { timeout: 2_000 }).toEqual([]);
  for (const name of ['state.json', 'plane', 'webhook']) expect(await readdir(runFolder)).not.toContain(name);
  expect(await script('down.ts')).toBe('Nothing of this checkout was running.\n');
});

it('ends with the process that owns it', { timeout: START_MS }, async () => {
  const owner = spawn('sleep', ['300']);
  await script('up.ts', owner.pid);
  owner.kill('SIGKILL');
  await expect.poll(processes, { timeout: 5_000 }).toEqual([]);
  expect(await script('down.ts')).toBe('Nothing of this checkout was running.\n');
});

it('never kills a process that got the id of a keeper that is gone', async () => {
  const stranger = spawn('sleep', ['300']);
  await mkdir(runFolder, { recursive: true });
  const state = { pid: stranger.pid, startTime: '1', socket: join(folder, 'none', 'socket') };
  await writeFile(join(runFolder, 'state.json'), JSON.stringify(state));
  expect(await script('down.ts')).toBe('Nothing of this checkout was running.\n');
  expect(stranger.exitCode).toBeNull();
  expect(stranger.signalCode).toBeNull();
  stranger.kill('SIGKILL');
});
