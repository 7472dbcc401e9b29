import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { programs } from '#dev/programs.ts';
import { lateen, type Ran } from '#test/support/lateen.ts';

let folder: string;
let kustomize: string;

beforeAll(async () => {
  kustomize = (await programs(['kustomize'])).kustomize;
});

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lateen-')));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function files(contents: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

function build(...args: string[]): Promise<Ran> {
  return lateen(['build', ...args], { cwd: folder });
}

const configMap = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}data:\n  answer: "on"\n`;
const withNamespace = (name: string, namespace: string): unknown => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { answer: 'on' },
});

function read(stdout: string): unknown[] {
  return parseAllDocuments(stdout, { version: '1.1' }).map((document) => document.toJS() as unknown);
}

it('prints the objects of a folder with their sources, in the namespace asked for', async () => {
  await files({ 'infra/a.yaml': configMap('a'), 'infra/b.yml': `# two\n---\n${configMap('b')}`, 'infra/readme.md': '# no' });
  const { status, stdout, stderr } = await build('infra', '-n', 'team-a');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(read(stdout)).toEqual([withNamespace('a', 'team-a'), withNamespace('b', 'team-a')]);
  expect(stdout.match(/^# Source: .*$/gm)).toEqual([
    expect.stringMatching(/^# Source: infra\/a\.yaml/),
    expect.stringMatching(/^# Source: infra\/b\.yml/),
  ]);
});

it('prints one List as JSON, in the namespace default', async () => {
  await files({ 'a.yaml': configMap('a') });
  const { stdout } = await build('.', '-o', 'json');
  expect(JSON.parse(stdout)).toEqual({ apiVersion: 'v1', kind: 'List', metadata: {}, items: [withNamespace('a', 'default')] });
});

it('builds a kustomization', async () => {
  await files({ 'a.yaml': configMap('a'), 'kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: x-\n' });
  const { status, stdout, stderr } = await build('.', '--kustomize', kustomize);
  expect({ status, stderr, objects: read(stdout) }).toEqual({ status: 0, stderr: '', objects: [withNamespace('x-a', 'default')] });
});

it('says every mistake with its file and line, and prints no object', async () => {
  await files({
    'a.yaml': configMap('a', '  namespace: other\n'),
    'b.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n\n',
  });
  const { status, stdout, stderr } = await build('.');
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr.split('\n').map((line) => line.replace(/^([ab]\.yaml)(:\d+)?: (\w+): .*; .*$/, '$1 $3'))).toEqual([
    'a.yaml NAMESPACE_FORBIDDEN',
    'b.yaml CLUSTER_SCOPED',
    '',
  ]);
});

it('refuses a folder without objects', async () => {
  const stderr = 'lateen: EMPTY_BUILD: . holds no object; put manifests (.yaml, .yml) there, or name another folder\n';
  expect(await build('.')).toEqual({ status: 1, stdout: '', stderr });
});

it('names a folder that is not there, and the folder of a file', async () => {
  await files({ 'infra/a.yaml': configMap('a') });
  const missing = 'lateen: there is no folder nope; name a folder with manifests or a kustomization\n';
  expect(await build('nope')).toEqual({ status: 1, stdout: '', stderr: missing });
  const file = 'lateen: infra/a.yaml is a file; name its folder: lateen build infra\n';
  expect(await build('infra/a.yaml')).toEqual({ status: 1, stdout: '', stderr: file });
});

it('says which kustomize is missing', async () => {
  await files({ 'kustomization.yaml': 'resources: []\n' });
  const { status, stderr } = await build('.', '--kustomize', '/nonexistent/kustomize');
  expect(status).toBe(3);
  expect(stderr).toMatch(/^lateen: KUSTOMIZE_NOT_FOUND: .*\/nonexistent\/kustomize/);
});
