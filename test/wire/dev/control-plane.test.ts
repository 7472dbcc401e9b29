import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CONTROL_PLANE_PROGRAMS, type ControlPlanePrograms, startControlPlane } from '#dev/control-plane.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Every program is this script: what a start meets when the programs are broken. */
async function broken(script: string): Promise<ControlPlanePrograms> {
  const path = join(folder, 'program');
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return Object.fromEntries(CONTROL_PLANE_PROGRAMS.map((name) => [name, path])) as ControlPlanePrograms;
}

/** Processes whose arguments name the folder. */
async function processes(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return commands.filter((command) => command.includes(folder));
}

it('says which program died, and shows the end of its log', async () => {
  const programs = await broken('echo "first line"; echo "unknown flag: --data-dir" >&2; exit 2');
  const directory = join(folder, 'plane');
  await expect(startControlPlane({ directory, programs })).rejects.toThrow(
    `etcd ended with code 2; the end of ${directory}/etcd.log:\nfirst line\nunknown flag: --data-dir`,
  );
});

it('takes other ports when one was taken in the meantime, three times at most', async () => {
  const programs = await broken('echo "listen tcp $*: bind: address already in use"; exit 1');
  const lines: string[] = [];
  const directory = join(folder, 'plane');
  await expect(startControlPlane({ directory, programs, log: (line) => lines.push(line) })).rejects.toThrow('address already in use');
  expect(lines).toEqual(Array(2).fill('a port was taken by another program in the meantime: starting again'));
});

it('gives up when it is told to, and leaves nothing', async () => {
  const programs = await broken('exec sleep 300');
  const stop = new AbortController();
  const starting = startControlPlane({ directory: join(folder, 'plane'), programs, signal: stop.signal });
  const rejected = expect(starting).rejects.toThrow('gave up waiting until etcd is healthy');
  await expect.poll(processes, { timeout: 5_000 }).not.toEqual([]);
  stop.abort(new Error('Ctrl-C'));
  await rejected;
  await expect.poll(processes, { timeout: 2_000 }).toEqual([]);
});
