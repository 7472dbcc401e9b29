import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type ChartBench, openChartBench } from '#test/support/chart-bench.ts';
import { openPage, type Page, paste } from '#test/support/page.ts';
import { configMapYaml, type Repositories, startRepositories } from '#test/support/repositories.ts';

const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));
const SETUP_MS = 240_000;
const DEADLINE_MS = 150_000;
const CONFIGURATIONS = 'kubectl get mutatingwebhookconfiguration,validatingwebhookconfiguration -o name';

let bench: ChartBench;
let repositories: Repositories;
/** Where the commands are run: the charts and examples of the checkout, with a repository of this machine. */
let folder: string;
let programs: string;
let install: Page;
let uninstall: Page;

beforeAll(async () => {
  bench = await openChartBench();
  repositories = await startRepositories();
  [install, uninstall] = await Promise.all([openPage('install.md'), openPage('uninstall.md')]);
  folder = join(bench.folder, 'checkout');
  await mkdir(join(folder, 'docs/examples'), { recursive: true });
  await symlink(join(CHECKOUT, 'charts'), join(folder, 'charts'));
  await writeExample();
  await writePrograms();
}, SETUP_MS);

afterAll(async () => {
  await repositories?.close();
  await bench?.close();
});

async function writeExample(): Promise<void> {
  const { url } = await repositories.create('podinfo', { 'kustomize/map.yaml': configMapYaml('hello') });
  const example = await readFile(join(CHECKOUT, 'docs/examples/team-a.yaml'), 'utf8');
  expect(example).toContain('        url: https://github.com/');
  const local = example.replace(/url: .*/, `url: ${url}`).replace(/branch: .*/, 'branch: main');
  await writeFile(join(folder, 'docs/examples/team-a.yaml'), local);
}

/** helm and kubectl of the page, with what this cluster needs beside: its node. No engine is here that could build the image. */
async function writePrograms(): Promise<void> {
  const { helm, kubectl } = inject('plane').programs;
  const here = bench.here.filter((arg) => !arg.includes('image.repository')).map((arg) => `'${arg}'`);
  const scripts = {
    kubectl: `exec '${kubectl}' "$@"`,
    docker: ': "$@"',
    helm: `case $1 in install) exec '${helm}' "$@" ${here.join(' ')} ;; *) exec '${helm}' "$@" ;; esac`,
  };
  programs = join(bench.folder, 'bin');
  await mkdir(programs);
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(programs, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(programs, name), 0o755);
  }
}

/** Rejects with what was printed where a line fails. The image of this cluster has a name of its own, as that of every reader has. */
async function sh(commands: string): Promise<string> {
  const env = { KUBECONFIG: bench.plane.kubeconfig, HOME: bench.folder, IMAGE: 'registry.test/lateen' };
  const shell = { cwd: folder, path: [programs], env, deadlineMs: DEADLINE_MS };
  const { status, stdout, stderr } = await paste(shell, commands.replace(/^IMAGE=.*$/m, ''));
  if (status !== 0) throw new Error(`${commands}\nended with ${status}:\n${stdout}\n${stderr}\n${bench.told.join('\n')}`);
  return stdout;
}

const hello = (): Promise<object | undefined> => bench.get('ConfigMap', 'team-a', 'hello');

it('the commands of install.md install both charts, and an Application runs', { timeout: SETUP_MS }, async () => {
  await sh(install.block('The image'));
  await sh(install.block('Once per cluster'));
  await sh(install.block('Once per namespace', 0));
  await sh(install.block('Once per namespace', 1));
  expect(await sh(install.block('Once per namespace', 2))).toMatch(/^hello +hello +kustomize +running +true/m);
  expect(await hello()).toBeDefined();
});

it('its emergency line turns the webhook off, and an upgrade turns it on', { timeout: SETUP_MS }, async () => {
  await sh(install.block('In an emergency'));
  expect(await sh(CONFIGURATIONS)).toBe('');
  await sh(install.block('Upgrade', 0));
  expect((await sh(CONFIGURATIONS)).trim().split('\n')).toHaveLength(2);
  await sh(install.block('Upgrade', 1));
  expect(install.left()).toEqual([]);
});

it('uninstall.md takes away all that was applied, where that is wanted', { timeout: SETUP_MS }, async () => {
  await sh(uninstall.block('With everything that it has applied'));
  expect(await hello()).toBeUndefined();
  await sh(install.block('Once per namespace', 2));
  expect(await hello()).toBeDefined();
});

it('and else leaves it, and says of everything that stays how to be rid of it', { timeout: SETUP_MS }, async () => {
  await sh(uninstall.block('The agent of a namespace'));
  const page = await readFile(join(CHECKOUT, 'docs/uninstall.md'), 'utf8');
  const removals = [...page.matchAll(/^\|.*\| `(kubectl [^`]+)`/gm)].map(([, command = '']) => command.replace('NAME', 'hello'));
  const named = [
    ['kubectl get application,applicationrevision -n team-a -o name', /^application\S+\/hello\n(applicationrevision\S+\/hello-v\d+\n)+$/],
    ['kubectl get configmap -l lateen.dev/inventory-format -n team-a -o name', /^configmap\/lateen-hello\n$/],
    ['kubectl get lease -n team-a -o name', /^lease\S+\/lateen-agent\n$/],
    ['kubectl get namespace -l lateen.dev/applications -o name', /^namespace\/team-a\n$/],
  ] as const;
  expect(removals).toHaveLength(named.length);
  for (const [index, [asked, answer]] of named.entries()) {
    expect(await sh(asked)).toMatch(answer);
    await sh(removals[index]!);
    // What belongs to an Application goes a moment after it.
    await bench.eventually(`gone: ${asked}`, async () => (await sh(asked)) === '');
  }
  expect(await hello()).toBeDefined();
});

it('the webhook goes, and the CRDs where somebody says so', { timeout: SETUP_MS }, async () => {
  await sh(uninstall.block('The webhook'));
  expect(await sh(CONFIGURATIONS)).toBe('');
  expect(await sh('kubectl get namespace -o name')).not.toContain('lateen-system');
  expect(await sh('kubectl get crd -o name')).toContain('applications.core.oam.dev');
  await sh(uninstall.block('The CRDs'));
  expect(await sh('kubectl get crd -o name')).toBe('');
  expect(await hello()).toBeDefined();
  expect(uninstall.left()).toEqual([]);
});
