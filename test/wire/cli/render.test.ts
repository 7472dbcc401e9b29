import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { renderComponent } from '#agent/render/render.ts';
import { specHash } from '#agent/revision/snapshot.ts';
import type { Application } from '#api/application.ts';
import { lateen } from '#test/support/lateen.ts';

const SERVER = `# the seed's Application
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: server
spec:
  components:
  - name: server
    type: webservice
    properties:
      image: nginx
      ports: [{port: 80, expose: true}]
`;

const GITOPS = `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: infra-gitops}
spec:
  components:
  - name: database-config
    type: kustomize
    properties: {url: "https://git.example/infra", path: ./infrastructure, git: {branch: infra}}
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function rendered(namespace: string): unknown[] {
  const application = parseAllDocuments(SERVER)[0]!.toJS() as Application;
  application.metadata.namespace = namespace;
  const revision = { name: 'server-v1', hash: specHash(application) };
  return renderComponent({ application, revision, component: application.spec.components[0]! });
}

it('prints what the agent makes of an Application, with its source', async () => {
  await writeFile(join(folder, 'server.yaml'), SERVER);
  const { status, stdout, stderr } = await lateen(['render', 'server.yaml', '-n', 'team-a'], { cwd: folder });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(parseAllDocuments(stdout).map((document) => document.toJS() as unknown)).toEqual(rendered('team-a'));
  expect(stdout.match(/^# Source: .*$/gm)).toEqual(['# Source: server.yaml:8', '# Source: server.yaml:8']);
});

it('prints one List as JSON', async () => {
  const { status, stdout } = await lateen(['render', '-', '-o', 'json'], { stdin: SERVER });
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ apiVersion: 'v1', kind: 'List', metadata: {}, items: rendered('default') });
});

it('reads the List that lateen ls -o json prints', async () => {
  const items = [parseAllDocuments(SERVER)[0]!.toJS()];
  const { status, stdout } = await lateen(['render', '-', '-o', 'json'], {
    stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
  expect({ status, items: JSON.parse(stdout).items }).toEqual({ status: 0, items: rendered('default') });
});

it('says that a kustomize component is pulled from Git', async () => {
  expect(await lateen(['render', '-'], { stdin: GITOPS })).toEqual({
    status: 0,
    stdout:
      '---\n# Source: stdin:6\n# component database-config (kustomize): the agent pulls ./infrastructure of https://git.example/infra, branch infra, from Git; see lateen build\n',
    stderr: '',
  });
});

it('says every mistake of every document with its line, and prints no object', async () => {
  const wrong = `${SERVER.replace('webservice', 'webservic')}---\n${GITOPS.replace('path:', 'pat:')}`;
  const { status, stdout, stderr } = await lateen(['render', '-'], { stdin: wrong });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr.split('\n').map((line) => line.split(': ').slice(0, 2))).toEqual([
    ['stdin:9', 'UNKNOWN_COMPONENT_TYPE'],
    ['stdin:21', expect.stringMatching(/^(REQUIRED|UNKNOWN_FIELD)$/)],
    ['stdin:21', expect.stringMatching(/^(REQUIRED|UNKNOWN_FIELD)$/)],
    [''],
  ]);
});

it.each([
  ['', 'lateen: stdin holds no Application; give a file with kind: Application\n'],
  ['hello', 'stdin:1: INVALID_OBJECT: the document is not a Kubernetes object; write apiVersion, kind, metadata and spec\n'],
  ['a: 1', 'stdin:1: INVALID_OBJECT: the document has no kind; write apiVersion, kind, metadata and spec\n'],
  [
    SERVER.replace('v1beta1', 'v1alpha2'),
    'stdin:2: INVALID_OBJECT: apiVersion of an Application must be core.oam.dev/v1beta1, received "core.oam.dev/v1alpha2"; write apiVersion: core.oam.dev/v1beta1\n',
  ],
])('refuses %j', async (stdin, stderr) => {
  expect(await lateen(['render', '-'], { stdin })).toEqual({ status: 1, stdout: '', stderr });
});

it('names the line where YAML breaks', async () => {
  const { status, stderr } = await lateen(['render', '-'], { stdin: 'kind: Application\nspec: {a: [1\n' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^stdin:\d: INVALID_YAML: /);
});

it('warns of other objects and of an interval that an agent refuses by default', async () => {
  const short = GITOPS.replace('path:', 'pullInterval: 2s, path:');
  const { status, stderr } = await lateen(['render', '-'], {
    stdin: `${short}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n`,
  });
  expect(status).toBe(0);
  expect(stderr.split('\n').map((line) => line.split(': ').slice(0, 3))).toEqual([
    ['stdin:8', 'warning', 'INTERVAL_TOO_SHORT'],
    ['stdin:10', 'warning', 'INVALID_OBJECT'],
    [''],
  ]);
});

it('names a missing file, a folder, and a namespace that contradicts', async () => {
  expect(await lateen(['render', 'nope.yaml'], { cwd: folder })).toEqual({
    status: 1,
    stdout: '',
    stderr: 'lateen: there is no file nope.yaml; name a YAML file, or - for standard input\n',
  });
  expect((await lateen(['render', folder])).stderr).toBe(
    `lateen: ${folder} is a folder; name a file; lateen build ${folder} prints the objects of a folder\n`,
  );
  const other = SERVER.replace('name: server\n', 'name: server\n  namespace: a\n');
  expect((await lateen(['render', '-', '-n', 'b'], { stdin: other })).stderr).toBe(
    'stdin:6: NAMESPACE_FORBIDDEN: metadata.namespace is "a", and -n says "b"; leave one of them out\n',
  );
});
