import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { buildFolder } from '#agent/manifest/build.ts';
import { findProgram, networkSandbox, runKustomize } from '#agent/manifest/kustomize-process.ts';
import { configMap, memoryTree } from '#test/unit/agent/manifest/memory-tree.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** A stand-in for kustomize that goes wrong in a way that the real one does not do on request. */
async function program(script: string): Promise<string> {
  const file = join(folder, 'kustomize');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

const tree = memoryTree({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': configMap('a') });

/** Not merely waiting to be reaped: who reaps an orphan is up to the init of the machine. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tX');
  return !/^State:\t[XZ]/m.test(status);
}

function interfaces(dev: string): string[] {
  return [...dev.matchAll(/^\s*([^\s:]+):/gm)].map(([, name = '']) => name).sort();
}

async function survivors(pids: number[]): Promise<number[]> {
  const alive = await Promise.all(pids.map(isAlive));
  return pids.filter((_, index) => alive[index]);
}

it('kills a kustomize that hangs, with all that it started, and says so', async () => {
  const pids = join(folder, 'pids');
  const kustomize = await program(`sleep 300 &\necho $$ $! > ${pids}\nwait`);
  const begun = performance.now();
  await expect(buildFolder(tree, '', { kustomize, timeoutMs: 700 })).rejects.toMatchObject({
    reason: 'TimedOut',
    kind: 'transient',
    message: 'building the repository took longer than 700 ms',
  });
  expect(performance.now() - begun).toBeLessThan(5_000);
  const started = (await readFile(pids, 'utf8')).trim().split(' ').map(Number);
  expect(started).toHaveLength(2);
  for (let tries = 0; tries < 50 && (await survivors(started)).length > 0; tries++) await sleep(20);
  expect(await survivors(started)).toEqual([]);
});

it('ends with the signal of the caller', async () => {
  const kustomize = await program('sleep 300');
  const controller = new AbortController();
  const build = buildFolder(tree, '', { kustomize, timeoutMs: 20_000, signal: controller.signal });
  setTimeout(() => controller.abort(new Error('shutting down')), 100);
  await expect(build).rejects.toThrow('shutting down');
});

it('does not wait for what kustomize leaves behind', async () => {
  const kustomize = await program('sleep 300 &\necho "apiVersion: v1"; echo "kind: ConfigMap"; echo "metadata: {name: a}"');
  const { objects } = await buildFolder(tree, '', { kustomize, timeoutMs: 10_000 });
  expect(objects.map(({ object }) => object.metadata.name)).toEqual(['a']);
});

it('stops a kustomize that prints without end', async () => {
  const endless = await program(
    'line=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; while :; do echo $line$line$line$line; done',
  );
  await expect(buildFolder(tree, '', { kustomize: endless, timeoutMs: 30_000 })).rejects.toMatchObject({
    reason: 'TooLarge',
    kind: 'stalled',
  });
});

it('gives kustomize no variables but an empty HOME', async () => {
  process.env['LATEEN_TEST_SECRET'] = 'secret';
  const object = 'echo "apiVersion: v1"; echo "kind: ConfigMap"; echo "metadata: {name: a}"; echo "data:"';
  const kustomize = await program(
    `${object}; env | sed "s/^\\([A-Z_a-z]*\\)=\\(.*\\)/  \\1: \\"\\2\\"/"; echo "  files: \\"$(ls -A "$HOME")\\""`,
  );
  const { objects } = await buildFolder(tree, '', { kustomize, timeoutMs: 10_000 });
  delete process.env['LATEEN_TEST_SECRET'];
  const data = objects[0]?.object['data'] as Record<string, string>;
  // PWD, SHLVL, _ and OLDPWD are made by the shell itself.
  const names = Object.keys(data).filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name));
  expect(names.sort()).toEqual(['HOME', 'TMPDIR', 'files']);
  expect(data['files']).toBe('');
});

it('has no network where the machine allows that', async () => {
  const kustomize = await program('cat /proc/net/dev');
  await mkdir(join(folder, 'work'));
  const output = await runKustomize({ program: kustomize, work: join(folder, 'work'), folder, signal: AbortSignal.timeout(10_000) });
  const seen = interfaces('text' in output ? output.text : output.problem);
  const here = interfaces(await readFile('/proc/net/dev', 'utf8'));
  expect(seen).toEqual((await networkSandbox()) ? ['lo'] : here);
});

it('finds a program by its name in PATH', async () => {
  const file = await program('exit 0');
  const before = process.env['PATH'];
  process.env['PATH'] = `/nonexistent:${folder}`;
  try {
    expect(await findProgram('kustomize')).toBe(file);
    await expect(findProgram('kustomize-none')).rejects.toMatchObject({ reason: 'KustomizeNotFound' });
  } finally {
    process.env['PATH'] = before;
  }
});

it('removes what a process that was killed has left, and nothing else', async () => {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  try {
    await mkdir(join(folder, 'lateen-build-4194400-left'));
    await mkdir(join(folder, `lateen-build-${process.ppid}-used`));
    await mkdir(join(folder, 'other'));
    vi.resetModules();
    const { makeWorkFolder, removeWorkFolder } = await import('#agent/manifest/work-folder.ts');
    const work = await makeWorkFolder();
    expect((await stat(work)).mode & 0o777).toBe(0o700);
    await removeWorkFolder(work);
    expect((await readdir(folder)).sort()).toEqual([`lateen-build-${process.ppid}-used`, 'other']);
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
});
