import { describe, expect, it } from 'vitest';
import { buildFolder } from '#agent/manifest/build.ts';
import { Failure } from '#api/failure.ts';
import { configMap, memoryTree } from './memory-tree.ts';

const options = { kustomize: '/nonexistent/kustomize', timeoutMs: 10_000 };

async function built(files: Record<string, string | Buffer>, path: string): Promise<string[]> {
  const { objects } = await buildFolder(memoryTree(files), path, options);
  return objects.map(({ object, origin }) => `${origin.file}:${origin.line} ${object.kind}/${object.metadata.name}`);
}

async function failure(files: Record<string, string | Buffer>, path: string): Promise<Failure> {
  const error = await buildFolder(memoryTree(files), path, options).catch((thrown: unknown) => thrown);
  if (!(error instanceof Failure)) throw new Error(`no Failure but ${String(error)}`);
  return error;
}

async function causes(files: Record<string, string | Buffer>, path = ''): Promise<string[]> {
  const found = await failure(files, path);
  return found.causes.map(({ code, file, line, message }) => `${code} ${file}${line === undefined ? '' : `:${line}`} ${message}`);
}

it('takes every .yaml and .yml below the folder, in the order of their names, and nothing else', async () => {
  const files = {
    'infra/b.yml': configMap('b'),
    'infra/sub/deep/c.yaml': `# c\n---\n${configMap('c')}---\n${configMap('d')}`,
    'infra/a.yaml': configMap('a'),
    'infra/upper.YAML': 'no: [',
    'infra/readme.md': 'no: [',
    'infra/data.json': 'no: [',
    'infra/.github/workflow.yaml': 'on: push',
    'infra/.hidden.yaml': 'on: push',
    'infra/module': '@submodule',
    'infra/link': '-> ../other',
    'infra-other/x.yaml': configMap('x'),
    'y.yaml': configMap('y'),
  };
  expect(await built(files, 'infra')).toEqual([
    'infra/a.yaml:1 ConfigMap/a',
    'infra/b.yml:1 ConfigMap/b',
    'infra/sub/deep/c.yaml:3 ConfigMap/c',
    'infra/sub/deep/c.yaml:8 ConfigMap/d',
  ]);
  expect(await built(files, './infra/')).toHaveLength(4);
});

it.each(['', '.', './'])('takes %j for the root', async (path) => {
  expect(await built({ 'a.yaml': configMap('a') }, path)).toEqual(['a.yaml:1 ConfigMap/a']);
});

it('builds nothing of a folder without manifests', async () => {
  expect(await built({ 'infra/readme.md': 'x' }, 'infra')).toEqual([]);
  expect(await built({}, '')).toEqual([]);
});

it('takes lists apart, each item with its line', async () => {
  const list =
    'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n- apiVersion: v1\n  kind: SecretList\n  items:\n  - metadata: {name: s}\n';
  expect(await built({ 'l.yaml': list }, '')).toEqual(['l.yaml:4 ConfigMap/a', 'l.yaml:10 Secret/s']);
});

it('drops kustomization documents that stand under another name', async () => {
  expect(await built({ 'a.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n---\n${configMap('a')}` }, '')).toEqual(
    ['a.yaml:4 ConfigMap/a'],
  );
});

it('keeps the text of publishVersion', async () => {
  const application = (value: string): string =>
    `apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata:\n  name: a\n  annotations:\n    app.oam.dev/publishVersion: ${value}\n`;
  const values = ['1.10', '0755', '1e3', 'on', '12345678', 'aa193e45', '00012345', '1234e567', '9'.repeat(40), '.inf'];
  const tree = memoryTree(Object.fromEntries(values.map((value, index) => [`${index}.yaml`, application(value)])));
  const { objects } = await buildFolder(tree, '', options);
  expect(objects.map(({ object }) => object.metadata.annotations?.['app.oam.dev/publishVersion'])).toEqual(values);
});

describe('mistakes', () => {
  it('are told all together, with file and line', async () => {
    const found = await causes({
      'a.yaml': `${configMap('a')}---\nkind: ConfigMap\n---\n- 1\n---\ntext\n`,
      'b.yaml': 'a: [\n',
      'c.yaml': `${configMap('c')}  name: d\n`,
      'd.yaml': '-> /etc/passwd',
      'e.yaml': configMap('e'),
    });
    expect(found).toEqual([
      'SymlinkRefused d.yaml d.yaml is a symbolic link, and links are not followed',
      'InvalidObject a.yaml:6 this is no Kubernetes object: it has no apiVersion',
      'InvalidObject a.yaml:8 this is no Kubernetes object',
      'InvalidObject a.yaml:10 this is no Kubernetes object',
      expect.stringMatching(/^InvalidYAML b\.yaml:[12] not YAML: /),
      'InvalidYAML c.yaml:5 the key name is there twice',
    ]);
  });

  it('are one sentence where it is one', async () => {
    const found = await failure({ 'a.yaml': 'kind: ConfigMap\n' }, '');
    expect({ reason: found.reason, kind: found.kind, sentence: found.sentence }).toEqual({
      reason: 'InvalidObject',
      kind: 'stalled',
      sentence:
        'a.yaml:1: this is no Kubernetes object: it has no apiVersion; give it apiVersion, kind and metadata, or move the file out of the path',
    });
  });

  it.each([
    ['infar', 'PathNotFound', 'the path infar is not in the repository; did you mean infra? Correct the path, or push the folder'],
    [
      'deploy/infra',
      'PathNotFound',
      'the path deploy/infra is not in the repository; did you mean infra? Correct the path, or push the folder',
    ],
    [
      'zzzzzzzzz',
      'PathNotFound',
      'the path zzzzzzzzz is not in the repository; did you mean infra or other? Correct the path, or push the folder',
    ],
    ['infra/a.yaml', 'InvalidPath', 'the path infra/a.yaml is a file; name its folder: infra'],
    ['link', 'SymlinkRefused', 'link is a symbolic link, and links are not followed; name the folder that it points to'],
    ['link/sub', 'SymlinkRefused', 'link is a symbolic link, and links are not followed; name the folder that it points to'],
    ['module/sub', 'InvalidPath', 'module is a Git submodule, and submodules are not read; keep the manifests in the repository itself'],
    ['../infra', 'PathNotFound', expect.stringContaining('the path ../infra is not in the repository')],
  ])('of the path %s', async (path, reason, sentence) => {
    const files = { 'infra/a.yaml': configMap('a'), 'other/b.yaml': configMap('b'), link: '-> infra', module: '@submodule' };
    const found = await failure(files, path);
    expect({ reason: found.reason, kind: found.kind, sentence: found.sentence }).toEqual({ reason, kind: 'stalled', sentence });
  });

  it.each([
    ['one file', { 'a.yaml': 6 * 1024 * 1024 }],
    ['all files', Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`${index}.yaml`, 5 * 1024 * 1024]))],
  ])('of size are told before a byte is read: %s', async (_, sizes) => {
    const tree = memoryTree({});
    const entries = Object.entries(sizes).map(([path, size]) => ({ path, kind: 'file' as const, executable: false, size }));
    const found = await buildFolder({ ...tree, entries }, '', options).catch((thrown: unknown) => thrown);
    expect(found).toMatchObject({ reason: 'TooLarge', kind: 'stalled' });
    expect(tree.reads).toEqual([]);
  });

  it('of kustomize do not hide those of plain files, but a missing kustomize is told by itself', async () => {
    const files = { 'a.yaml': 'kind: ConfigMap\n', 'u/kustomization.yaml': 'resources: [http://127.0.0.1/x.yaml]\n' };
    expect((await failure(files, '')).causes.map(({ code }) => code)).toEqual(['InvalidObject', 'RemoteResourceForbidden']);
    const good = { 'u/kustomization.yaml': 'resources: [a.yaml]\n', 'u/a.yaml': configMap('a') };
    expect(await failure(good, '')).toMatchObject({
      reason: 'KustomizeNotFound',
      message: 'the kustomize program /nonexistent/kustomize is not there',
    });
  });
});

it('ends with the signal of the caller', async () => {
  const aborted = AbortSignal.abort(new Error('stopped'));
  const files = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`${index}.yaml`, `${configMap(`c${index}`)}data: {x: "${'y'.repeat(2_000)}"}\n`]),
  );
  await expect(buildFolder(memoryTree(files), '', { ...options, signal: aborted })).rejects.toThrow('stopped');
});
