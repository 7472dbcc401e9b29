import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lateen, type Ran } from '#test/support/lateen.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  const { stdout } = await lateen(['init', '-n', 'team-a', '--repositories', 'https://git.example.com/team-a/**']);
  await writeFile(join(folder, 'team-a.yaml'), stdout);
  await writeFile(join(folder, 'app.yaml'), application('https://git.example.com/team-b/infra'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function application(url: string, namespace = ''): string {
  return `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: a${namespace}}
spec:
  components:
  - name: x
    type: kustomize
    properties: {url: '${url}', path: ./}
`;
}

const check = (...args: string[]): Promise<Ran> => lateen(['check', ...args], { cwd: folder });

it('holds Applications against the lists of the Namespace that lateen init has printed', async () => {
  const { status, stderr } = await check('app.yaml', '--namespace-file', 'team-a.yaml');
  expect(status).toBe(1);
  expect(stderr).toContain(
    'app.yaml:8: REPOSITORY_NOT_ALLOWED: spec.components[0].properties.url is no repository that the namespace team-a allows',
  );
  await writeFile(join(folder, 'right.yaml'), application('https://git.example.com/team-a/infra'));
  expect((await check('right.yaml', '--namespace-file', 'team-a.yaml')).status).toBe(0);
});

it('says nothing of an Application of another namespace', async () => {
  await writeFile(join(folder, 'elsewhere.yaml'), application('https://git.example.com/team-b/infra', ', namespace: team-b'));
  expect((await check('elsewhere.yaml', '--namespace-file', 'team-a.yaml')).status).toBe(0);
});

it.each([
  ['app.yaml', '--namespace-file: app.yaml holds no Namespace; name a file with one, such as lateen init prints it'],
  ['nosuch.yaml', '--namespace-file: ENOENT'],
])('says what is wrong with the file %s', async (file, sentence) => {
  const { status, stderr } = await check('app.yaml', '--namespace-file', file);
  expect({ status, stderr: stderr.slice(0, `lateen: ${sentence}`.length) }).toEqual({ status: 2, stderr: `lateen: ${sentence}` });
});
