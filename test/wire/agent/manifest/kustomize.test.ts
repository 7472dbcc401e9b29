import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildFolder } from '#agent/manifest/build.ts';
import { readDiskTree } from '#agent/manifest/disk-tree.ts';
import type { FileTree } from '#agent/manifest/types.ts';
import { readYaml } from '#agent/manifest/yaml.ts';
import type { Failure } from '#api/failure.ts';
import { programs } from '#dev/programs.ts';
import { configMap, memoryTree } from '#test/unit/agent/manifest/memory-tree.ts';

const CORPUS = fileURLToPath(new URL('../../../fixtures/manifest/kustomize', import.meta.url));
let kustomize: string;
let corpus: FileTree;

beforeAll(async () => {
  kustomize = (await programs(['kustomize'])).kustomize;
  corpus = await readDiskTree(CORPUS);
});

async function directly(folder: string): Promise<unknown[]> {
  const { stdout } = await promisify(execFile)(kustomize, ['build', '--load-restrictor', 'LoadRestrictionsNone', join(CORPUS, folder)]);
  return readYaml(stdout, 'stdout').documents.map(({ value }) => value);
}

describe.each(['base', 'overlays/prod', 'legacy', 'generated'])('the folder %s', (folder) => {
  it('is what kustomize itself makes of a checkout, byte for byte', async () => {
    const { objects } = await buildFolder(corpus, folder, { kustomize, timeoutMs: 20_000 });
    expect(objects.length).toBeGreaterThan(1);
    expect(
      JSON.stringify(
        objects.map(({ object }) => object),
        null,
        1,
      ),
    ).toBe(JSON.stringify(await directly(folder), null, 1));
  });
});

it('knows from which file and line an object comes, renamed or generated', async () => {
  const { objects } = await buildFolder(corpus, 'overlays/prod', { kustomize, timeoutMs: 20_000 });
  const origins = objects.map(
    ({ object, origin }) =>
      `${object.kind}/${(object.metadata.name ?? '').replace(/-[a-z0-9]{10}$/, '-HASH')} ${origin.file}:${origin.line}`,
  );
  expect(origins.sort()).toEqual([
    'ConfigMap/prod-extra-v2 shared/extra.yaml:1',
    'ConfigMap/prod-web-config-v2-HASH base/kustomization.yaml:undefined',
    'Deployment/prod-web-v2 base/web.yaml:1',
    'Secret/prod-web-secret-v2-HASH base/kustomization.yaml:undefined',
    'Service/prod-web-v2 base/web.yaml:23',
    'StatefulSet/prod-database-v2 base/database.yaml:1',
  ]);
});

it('builds subfolders with a kustomization file as one unit each, beside plain manifests', async () => {
  const tree = memoryTree({
    'infra/plain.yaml': configMap('plain'),
    'infra/unit/kustomization.yaml': 'namePrefix: x-\nresources: [a.yaml, deeper]\n',
    'infra/unit/a.yaml': configMap('a'),
    'infra/unit/ignored.yaml': configMap('ignored'),
    'infra/unit/deeper/kustomization.yaml': 'resources: [b.yaml, ../../../shared/c.yaml]\n',
    'infra/unit/deeper/b.yaml': configMap('b'),
    'shared/c.yaml': configMap('c'),
  });
  const { objects } = await buildFolder(tree, 'infra', { kustomize, timeoutMs: 20_000 });
  expect(objects.map(({ object, origin }) => `${object.metadata.name} ${origin.file}:${origin.line}`)).toEqual([
    'plain infra/plain.yaml:1',
    'x-a infra/unit/a.yaml:1',
    'x-b infra/unit/deeper/b.yaml:1',
    'x-c shared/c.yaml:1',
  ]);
  expect(tree.reads).not.toContain('infra/unit/ignored.yaml');
});

it('takes a kustomization without resources for an empty build', async () => {
  const tree = memoryTree({ 'kustomization.yaml': 'resources: []\n' });
  expect(await buildFolder(tree, '', { kustomize, timeoutMs: 20_000 })).toEqual({ objects: [] });
});

it('keeps scalars and publishVersion as they stand in the file', async () => {
  const tree = memoryTree({
    'kustomization.yaml': 'resources: [a.yaml]\n',
    'a.yaml':
      'apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata:\n  name: a\n  annotations:\n    app.oam.dev/publishVersion: 1.10\nspec:\n  text: "on"\n  mode: 0755\n',
  });
  const { objects } = await buildFolder(tree, '', { kustomize, timeoutMs: 20_000 });
  expect(objects.map(({ object }) => [object.metadata.annotations, object['spec']])).toEqual([
    [{ 'app.oam.dev/publishVersion': '1.10' }, { text: 'on', mode: 493 }],
  ]);
});

const PATCH = 'resources: [a.yaml]\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: nope}\n';

it.each([
  [
    'a patch without its target',
    { 'kustomization.yaml': PATCH, 'a.yaml': configMap('a') },
    /^kustomize could not build the repository: no resource matches strategic merge patch/,
  ],
  [
    'two of one name',
    { 'kustomization.yaml': 'resources: [a.yaml, b.yaml]\n', 'a.yaml': configMap('a'), 'b.yaml': configMap('a') },
    /may not add resource with an already registered id: ConfigMap/,
  ],
  ['a cycle', { 'kustomization.yaml': 'resources: [b]\n', 'b/kustomization.yaml': 'resources: [../]\n' }, /cycle detected/],
  ['a field of the wrong type', { 'kustomization.yaml': 'namePrefix: [x]\n' }, /the field namePrefix must not be of the type array/],
])('tells %s in one sentence, without temporary paths', async (_, files, message) => {
  const error = await buildFolder(memoryTree(files), '', { kustomize, timeoutMs: 20_000 }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ reason: 'BuildFailed', kind: 'stalled', message: expect.stringMatching(message) });
  expect((error as Error).message).not.toMatch(/lateen-build|\n/);
});

it.each([
  ['a literal', { 'kustomization.yaml': 'secretGenerator:\n- name: s\n  literals: ["password=hunter22", "broken"]\n' }],
  ['a literal without a key', { 'kustomization.yaml': 'secretGenerator:\n- name: s\n  literals: ["hunter22"]\n' }],
  ['an env file', { 'kustomization.yaml': 'secretGenerator:\n- name: s\n  envs: [s.env]\n', 's.env': 'hunter22\nhunter22\n' }],
  [
    'a generator of its own',
    {
      'kustomization.yaml': 'generators: [g.yaml]\n',
      'g.yaml': 'apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: s}\nliterals: ["hunter22"]\n',
    },
  ],
  [
    'a Secret',
    {
      'kustomization.yaml': 'resources: [s.yaml]\nnamePrefix: x-\n',
      's.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: hunter22\nstringData: {password: hunter22}\n',
    },
  ],
])('does not repeat the secret of %s in an error', async (_, files) => {
  const error = await buildFolder(memoryTree(files), '', { kustomize, timeoutMs: 20_000 }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ reason: 'BuildFailed' });
  expect(JSON.stringify([(error as Error).message, error])).not.toContain('hunter22');
});

it('names file and line of manifests and patches that are no YAML', async () => {
  const tree = memoryTree({
    'kustomization.yaml': 'resources: [a.yaml, b.yaml]\npatches: [{path: p.yaml}]\nconfigMapGenerator: [{name: c, files: [data.yaml]}]\n',
    'a.yaml': `${configMap('a')}data:\n  x: [\n`,
    'b.yaml': configMap('b'),
    'p.yaml': 'a: 1\na: 2\n',
    'data.yaml': 'x: [\n',
  });
  const error = await buildFolder(tree, '', { kustomize, timeoutMs: 20_000 }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ reason: 'InvalidYAML', kind: 'stalled' });
  expect((error as Failure).causes.map(({ code, file, line }) => `${code} ${file}:${line}`)).toEqual([
    'InvalidYAML a.yaml:7',
    'InvalidYAML p.yaml:2',
  ]);
});
