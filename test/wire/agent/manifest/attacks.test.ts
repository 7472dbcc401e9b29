import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildFolder } from '#agent/manifest/build.ts';
import { Failure } from '#api/failure.ts';
import { programs } from '#dev/programs.ts';
import { configMap, memoryTree } from '#test/unit/agent/manifest/memory-tree.ts';

let kustomize: string;
let listener: Server;
let port: number;
let connections = 0;
let scratch: string;

beforeAll(async () => {
  kustomize = (await programs(['kustomize'])).kustomize;
  scratch = await mkdtemp(join(tmpdir(), 'lateen-'));
  listener = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  port = (listener.address() as AddressInfo).port;
});

afterAll(async () => {
  await new Promise((done) => listener.close(done));
  await rm(scratch, { recursive: true, force: true });
});

beforeEach(() => {
  connections = 0;
});

async function causesOf(files: Record<string, string | Buffer>, path = ''): Promise<string[]> {
  const error = await buildFolder(memoryTree(files), path, { kustomize, timeoutMs: 20_000 }).catch((thrown: unknown) => thrown);
  if (!(error instanceof Failure)) throw new Error(`no Failure but ${JSON.stringify(error)}`);
  expect(error.kind).toBe('stalled');
  return error.causes.map(({ code, file, line }) => `${code} ${file}:${line}`);
}

const SPELLINGS = [
  'http://127.0.0.1:PORT/x.yaml',
  'HTTP://127.0.0.1:PORT/x.yaml',
  'https://127.0.0.1:PORT/x.yaml',
  ' http://127.0.0.1:PORT/x.yaml',
  'http:/127.0.0.1:PORT/x.yaml',
  'git::http://127.0.0.1:PORT/org/repo',
  'GIT::https://127.0.0.1:PORT/org/repo//path?ref=main',
  '127.0.0.1:PORT/org/repo?ref=x',
  'http://127.0.0.1:PORT/org/repo.git',
  'ssh://git@127.0.0.1:PORT/org/repo',
  'git@127.0.0.1:org/repo.git',
  'user@127.0.0.1/org/repo',
  'git://127.0.0.1:PORT/org/repo',
  'file:///etc/passwd',
  'file:///etc/repo.git',
  'github.com/org/repo?ref=main',
  'github.com/org/repo',
  'gh:org/repo',
  's3::http://127.0.0.1:PORT/x',
  '//127.0.0.1:PORT/x.yaml',
];

const FIELDS: [name: string, kustomization: (text: string) => string][] = [
  ['resources', (text) => `resources: [${text}]`],
  ['bases', (text) => `bases: [${text}]`],
  ['components', (text) => `components: [${text}]`],
  ['crds', (text) => `crds: [${text}]`],
  ['configurations', (text) => `configurations: [${text}]`],
  ['generators', (text) => `generators: [${text}]`],
  ['transformers', (text) => `transformers: [${text}]`],
  ['validators', (text) => `validators: [${text}]`],
  ['openapi', (text) => `openapi: {path: ${text}}`],
  ['patches', (text) => `patches: [{path: ${text}}]`],
  ['patches as a list of texts', (text) => `patches: [${text}]`],
  ['patchesStrategicMerge', (text) => `patchesStrategicMerge: [${text}]`],
  ['patchesJson6902', (text) => `patchesJson6902: [{path: ${text}, target: {kind: ConfigMap, name: a, version: v1}}]`],
  ['replacements', (text) => `replacements: [{path: ${text}}]`],
  ['configMapGenerator.files', (text) => `configMapGenerator: [{name: c, files: [${text}]}]`],
  ['configMapGenerator.envs', (text) => `configMapGenerator: [{name: c, envs: [${text}]}]`],
  ['secretGenerator.env', (text) => `secretGenerator: [{name: c, env: ${text}}]`],
  ['an anchor', (text) => `nameprefix: &x ${text}\nresources: [*x]`],
  ['a merge key', (text) => `patches: [{<<: {path: ${text}}}]`],
  [
    'an inline transformer',
    (text) => `transformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: p}\n  path: ${text}`,
  ],
  [
    'an inline generator',
    (text) => `generators:\n- |\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: p}\n  files: [${text}]`,
  ],
  ['another case', (text) => `Resources: [${text}]`],
  ['another case inside', (text) => `patches: [{Path: ${text}}]`],
];

describe.each(FIELDS)('a remote resource in %s', (_, kustomization) => {
  it('is refused with file and line, whatever its spelling, and nothing is connected to', async () => {
    for (const spelling of SPELLINGS) {
      const text = JSON.stringify(spelling.replace('PORT', String(port)));
      const found = await causesOf({ 'kustomization.yaml': `${kustomization(text)}\n` });
      expect(found.length, text).toBeGreaterThan(0);
      for (const cause of found)
        expect(cause, text).toMatch(/^(RemoteResourceForbidden|InvalidPath|KustomizeUnsupported|BuildFailed) kustomization\.yaml:\d+$/);
    }
    expect(connections).toBe(0);
  });
});

it('names the line of each remote resource', async () => {
  const kustomization =
    'resources:\n- a.yaml\n- http://127.0.0.1/x.yaml\nconfigMapGenerator:\n- name: c\n  files:\n  - key=https://127.0.0.1/y\n  envs:\n  - missing.env\n';
  expect(await causesOf({ 'kustomization.yaml': kustomization, 'a.yaml': configMap('a') })).toEqual([
    'RemoteResourceForbidden kustomization.yaml:3',
    'RemoteResourceForbidden kustomization.yaml:7',
    'BuildFailed kustomization.yaml:9',
  ]);
});

it('finds a remote resource in a base of a base, and in a file of a transformer', async () => {
  const files = {
    'kustomization.yaml': 'resources: [b]\n',
    'b/kustomization.yaml': 'components: [../c]\n',
    'c/kustomization.yaml': 'kind: Component\ntransformers: [t.yaml]\nresources: ["http://127.0.0.1/x"]\n',
    'c/t.yaml': 'apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: http://127.0.0.1/x\n',
  };
  expect(await causesOf(files)).toEqual(['RemoteResourceForbidden c/t.yaml:4', 'RemoteResourceForbidden c/kustomization.yaml:3']);
});

it('refuses what looks remote also where a file of that name is in the tree, since kustomize asks the network first', async () => {
  const files = { 'kustomization.yaml': 'resources: ["github.com/org/repo"]\n', 'github.com/org/repo': 'a: [\n' };
  expect(await causesOf(files)).toEqual(['RemoteResourceForbidden kustomization.yaml:1']);
});

it.each([
  ['an absolute path', 'resources: [/etc/passwd]', 'InvalidPath'],
  ['a path out of the repository', 'resources: [../../../etc/passwd]', 'InvalidPath'],
  ['a path out of the repository, as data', 'configMapGenerator: [{name: c, files: [x=../../../../../../etc/passwd]}]', 'InvalidPath'],
  ['NUL', 'resources: ["a\\0.yaml"]', 'InvalidPath'],
  ['a backslash', 'resources: ["..\\\\x.yaml"]', 'InvalidPath'],
  ['a link', 'resources: [link.yaml]', 'SymlinkRefused'],
  ['a link, as data', 'configMapGenerator: [{name: c, files: [link.yaml]}]', 'SymlinkRefused'],
  ['a file below a link', 'resources: [linked/x.yaml]', 'SymlinkRefused'],
  ['a submodule', 'resources: [module/x.yaml]', 'InvalidPath'],
  ['the kustomization file itself, as data', 'configMapGenerator: [{name: c, files: [kustomization.yaml]}]', 'KustomizeUnsupported'],
  ['helmCharts', 'helmCharts: [{name: x, repo: "http://127.0.0.1"}]', 'KustomizeUnsupported'],
  ['helmGlobals', 'helmGlobals: {chartHome: x}', 'KustomizeUnsupported'],
  ['helmChartInflationGenerator', 'helmChartInflationGenerator: [{chartName: x}]', 'KustomizeUnsupported'],
  ['an unknown field', 'resourcez: [a.yaml]', 'KustomizeUnsupported'],
  ['a folder of transformers', 'transformers: [folder]', 'KustomizeUnsupported'],
  [
    'the builtin plugin that runs helm',
    'generators: ["{apiVersion: builtin, kind: HelmChartInflationGenerator, metadata: {name: x}}"]',
    'KustomizeUnsupported',
  ],
  ['a plugin', 'transformers: [plugin.yaml]', 'KustomizeUnsupported'],
  ['a container function', 'transformers: [function.yaml]', 'KustomizeUnsupported'],
])('refuses %s', async (_, kustomization, reason) => {
  const files = {
    'kustomization.yaml': `namePrefix: x-\n${kustomization}\n`,
    'link.yaml': '-> /etc/passwd',
    linked: '-> /etc',
    module: '@submodule',
    'folder/kustomization.yaml': 'resources: []\n',
    'plugin.yaml': 'apiVersion: example.com/v1\nkind: Run\nmetadata: {name: x}\n',
    'function.yaml':
      'apiVersion: builtin2\nkind: PatchTransformer\nmetadata:\n  name: x\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./x.sh}\n',
  };
  const found = await causesOf(files);
  expect(found.map((cause) => cause.split(' ')[0])).toEqual([reason]);
});

it('runs no program that the repository brings along', async () => {
  const touched = join(scratch, 'touched');
  const files = {
    'kustomization.yaml': 'transformers: [t.yaml]\n',
    't.yaml':
      'apiVersion: example.com/v1\nkind: Touch\nmetadata:\n  name: x\n  annotations:\n    config.kubernetes.io/function: "exec: {path: ./touch.sh}"\n',
    'touch.sh': `#!/bin/sh\ntouch ${touched}\n`,
  };
  expect(await causesOf(files)).toEqual(['KustomizeUnsupported t.yaml:1']);
  await expect(stat(touched)).rejects.toThrow('ENOENT');
});

it('refuses two kustomization files in one folder, and a link as kustomization file', async () => {
  expect(await causesOf({ 'kustomization.yaml': 'resources: []\n', Kustomization: 'resources: []\n' })).toEqual([
    'BuildFailed kustomization.yaml:undefined',
  ]);
  expect(await causesOf({ 'kustomization.yaml': '-> ../x' })).toEqual(['SymlinkRefused kustomization.yaml:undefined']);
});

it('tells a folder without a kustomization file', async () => {
  expect(await causesOf({ 'kustomization.yaml': 'resources:\n- sub\n', 'sub/a.yaml': configMap('a') })).toEqual([
    'BuildFailed kustomization.yaml:2',
  ]);
});

it('refuses a tree of 50 MB before anything is read', async () => {
  const files = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`${index}.txt`, Buffer.alloc(5 * 1024 * 1024 - 1, 'x')]));
  const tree = memoryTree({
    ...files,
    'kustomization.yaml': `configMapGenerator: [{name: c, files: [${Object.keys(files).join(', ')}]}]\n`,
  });
  const error = await buildFolder(tree, '', { kustomize, timeoutMs: 20_000 }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ reason: 'TooLarge', kind: 'stalled' });
  expect(tree.reads).toEqual(['kustomization.yaml']);
});

it('leaves no folder behind', async () => {
  const before = (await readdir(tmpdir())).filter((name) => name.startsWith(`lateen-build-${process.pid}-`));
  await buildFolder(memoryTree({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': configMap('a') }), '', {
    kustomize,
    timeoutMs: 20_000,
  });
  await causesOf({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': 'a: [\n' });
  const after = (await readdir(tmpdir())).filter((name) => name.startsWith(`lateen-build-${process.pid}-`));
  expect(after.filter((name) => !before.includes(name))).toEqual([]);
});
