import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { chaptersOf } from '#dev/demo/chapters.ts';
import { maskDemo } from '#test/support/demo-mask.ts';

const run = promisify(execFile);

const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** Starting a control plane and playing, on a busy machine. */
const PLAY_MS = 180_000;

interface Played {
  code: number | null;
  stdout: string;
  stderr: string;
}

let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  for (const [name, path] of Object.entries(inject('plane').programs)) await symlink(path, join(folder, name));
  env = {
    ...process.env,
    LATEEN_RUN_DIR: join(folder, 'run'),
    KUBEBUILDER_ASSETS: folder,
    LATEEN_RUN_OWNER: String(process.pid),
    TZ: 'UTC',
  };
});

afterAll(async () => {
  await script('down.ts');
  await rm(folder, { recursive: true, force: true });
});

/** A program of dev/ beside whatever this checkout has running. */
function start(file: string, args: string[] = []): ChildProcess {
  const path = join(CHECKOUT, 'dev', file);
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args], {
    env,
    timeout: PLAY_MS,
    killSignal: 'SIGKILL',
  });
}

async function ended(child: ChildProcess): Promise<Played> {
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);
  return { code: code as number | null, stdout, stderr };
}

function script(file: string, ...args: string[]): Promise<Played> {
  return ended(start(file, args));
}

function masked({ stdout }: Played): string {
  return maskDemo(stdout, { '.run': join(folder, 'run'), PROGRAMS: folder, CHECKOUT });
}

/** The indented lines below a line of the closing words, without their indent. */
function linesBelow(output: string, title: string): string[] {
  const lines = output.slice(output.indexOf(title)).split('\n').slice(1);
  const end = lines.findIndex((line) => !line.startsWith('  '));
  return lines.slice(0, end).map((line) => line.trimStart());
}

/** Pastes lines into a shell and returns everything that it prints. */
async function paste(lines: string[]): Promise<string> {
  const { PATH, HOME } = process.env;
  const { stdout } = await run('/bin/sh', ['-c', ['exec 2>&1', ...lines].join('\n')], { env: { PATH, HOME }, timeout: 60_000 });
  return stdout;
}

it('names its chapters to who asks for another, and starts nothing', async () => {
  const { code, stdout, stderr } = await script('demo/main.ts', 'nope');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^The demo has no chapter "nope"\. It has:\n {2}make demo CHAPTER=sync {3}a folder/);
  expect((await script('down.ts')).stdout).toBe('Nothing of this checkout was running.\n');
});

const played = new Map<string, Played>();

/** Plays a chapter alone. */
async function play(name: string): Promise<Played> {
  const one = await script('demo/main.ts', name);
  expect(one.code, one.stderr).toBe(0);
  return one;
}

/** What a chapter printed when it was written; `vitest -u` writes it anew. */
function golden(name: string): string {
  return join(CHECKOUT, `test/fixtures/demo/${name}.txt`);
}

it.each(chaptersOf([]).map(({ name }) => name))('plays the chapter %s', { timeout: PLAY_MS }, async (name) => {
  const one = await play(name);
  played.set(name, one);
  await expect(masked(one)).toMatchFileSnapshot(golden(name));
});

describe('chapter sync', () => {
  it('has a push in the cluster within the interval', () => {
    const [, seconds] =
      /It was in the cluster (\d+\.\d) s after the push; the agent pulls every 2s\./.exec(played.get('sync')!.stdout) ?? [];
    // The rest is what a busy machine may need to list, fetch and apply.
    expect(Number(seconds)).toBeLessThan(2 + 3);
  });

  it('ends with commands that can be pasted', { timeout: PLAY_MS }, async () => {
    const { stdout } = played.get('sync')!;
    const setup = linesBelow(stdout, 'paste this into a shell:');
    expect(setup.some((line) => line.startsWith('export KUBECONFIG='))).toBe(true);
    const tries = linesBelow(stdout, 'Things to try:')
      .join('\n')
      .split(/^\d\. .*\n/m)
      .slice(1);
    const printed: string[] = [];
    for (const commands of tries) printed.push(await paste([...setup, commands]));
    expect(printed).toEqual([
      expect.stringMatching(/"Use nginx 1\.29", 2 objects[^]*nginx:1\.29/),
      expect.stringMatching(/configmap "server-config" deleted[^]*server-config +1 +\d+s/),
      expect.stringMatching(/infrastructure\/server-config\.yaml:\d+[^]*Revert "Break the config"/),
    ]);
  });

  it('says so when it is interrupted, and what to do', { timeout: PLAY_MS }, async () => {
    const child = start('demo/main.ts', ['sync']);
    child.stdout!.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('application.core.oam.dev/infra-gitops created')) child.kill('SIGINT');
    });
    const { code, stdout, stderr } = await ended(child);
    expect(code).toBe(130);
    expect(stdout).not.toContain('All of it is still running');
    expect(stderr).toMatch(/\nInterrupted\.\n.*make down stops everything\.\n$/);
  });

  it('plays the same again on what earlier runs have left', { timeout: PLAY_MS }, async () => {
    const again = await play('sync');
    await expect(masked(again)).toMatchFileSnapshot(golden('sync'));
    expect(again.stderr).toContain('removing what an earlier run left: infra-gitops, server, shop');
  });

  it('stops with make down, which has nothing to do the second time', { timeout: PLAY_MS }, async () => {
    expect((await script('down.ts')).stdout).toBe('Stopped: nothing of this checkout is running.\n');
    expect((await script('down.ts')).stdout).toBe('Nothing of this checkout was running.\n');
  });
});
