import { spawn } from 'node:child_process';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type ChartBench, openChartBench } from '#test/support/chart-bench.ts';
import { codeBlocks } from '#test/support/markdown.ts';
import { configMapYaml, type Repositories, startRepositories } from '#test/support/repositories.ts';

const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));
const SETUP_MS = 240_000;
const DEADLINE_MS = 150_000;

let bench: ChartBench;
let repositories: Repositories;
/** Where the commands are run: the charts and examples of the checkout, with a repository of this machine. */
let folder: string;
let path: string;

beforeAll(async () => {
  bench = await openChartBench();
  repositories = await startRepositories();
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
  const bin = join(bench.folder, 'bin');
  await mkdir(bin);
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  path = [bin, process.env['PATH']].join(delimiter);
}

/** Rejects with what was printed where a line fails. */
async function sh(script: string): Promise<string> {
  const env = { PATH: path, KUBECONFIG: bench.plane.kubeconfig, HOME: bench.folder, IMAGE: 'registry.test/lateen' };
  const child = spawn('/bin/sh', ['-e', '-c', `exec 2>&1\n${script}`], { cwd: folder, env, timeout: DEADLINE_MS });
  const printed = text(child.stdout);
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${script}\nended with ${String(code)}:\n${await printed}\n${bench.told.join('\n')}`);
  return printed;
}

/** The image of this cluster has a name of its own, as that of every reader has. */
async function blocksOf(page: string): Promise<string[]> {
  const blocks = await codeBlocks(page);
  return blocks.filter(({ language }) => language === 'sh').map(({ text: block }) => block.replace(/^IMAGE=.*$/m, ''));
}

it('the commands of install.md install, upgrade, and those of uninstall.md leave nothing but what was applied', {
  timeout: SETUP_MS,
}, async () => {
  const install = await blocksOf('install.md');
  expect(install.length).toBeGreaterThanOrEqual(6);
  const printed: string[] = [];
  for (const block of install) printed.push(await sh(block));
  expect(printed.join('')).toMatch(/^hello +hello +kustomize +running +true/m);
  expect(await bench.get('ConfigMap', 'team-a', 'hello')).toBeDefined();

  for (const block of await blocksOf('uninstall.md')) await sh(block);
  expect(await bench.get('ConfigMap', 'team-a', 'hello')).toBeDefined();
  expect(await sh('kubectl get mutatingwebhookconfiguration,validatingwebhookconfiguration -o name')).toBe('');
  expect(await sh('kubectl get namespace -o name')).not.toContain('lateen-system');
  // Everything that the page says of what stays.
  expect(await sh('kubectl get configmap -l lateen.dev/inventory-format -n team-a -o name')).toBe('configmap/lateen-hello\n');
  expect(await sh('kubectl get lease lateen-agent -n team-a -o name')).toBe('lease.coordination.k8s.io/lateen-agent\n');
});

it('names values, kinds and files that there are', async () => {
  const page = await readFile(join(CHECKOUT, 'docs/install.md'), 'utf8');
  const tables = await Promise.all(['lateen', 'lateen-agent'].map((name) => readFile(join(CHECKOUT, `charts/${name}/README.md`), 'utf8')));
  const known = new Set(tables.flatMap((table) => [...table.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, name]) => name)));
  const used = [...page.matchAll(/`([a-z][\w]*(?:\.[a-z][\w]*)+)=/g)]
    .map(([, name]) => name!)
    .filter((name) => !name.startsWith('lateen.dev'));
  expect(used.length).toBeGreaterThan(8);
  // A value under one that is a map of its own, such as certificates.issuerRef.
  const isKnown = (name: string): boolean => known.has(name) || known.has(name.replace(/\.\w+$/, ''));
  expect(used.filter((name) => !isKnown(name))).toEqual([]);
});
