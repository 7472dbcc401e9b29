import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lateen } from '#test/support/lateen.ts';

const GOOD = `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: infra-gitops}
spec:
  components:
  - name: database-config
    type: kustomize
    properties: {url: "https://git.example/infra", path: ./infrastructure, git: {branch: infra}}
`;

const BAD = `# two mistakes and a warning
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: infra-gitops
  annotations:
    app.oam.dev/publishVersion: <initial version>
spec:
  components:
  - name: database-config
    type: kustomize
    properties:
      urll: https://git.example/infra
      url: http://git.example/infra
      secretRef: git-secret
      path: ./infrastructure
`;

const PLACEHOLDER =
  'metadata.annotations["app.oam.dev/publishVersion"] is a placeholder, received "<initial version>"; replace the placeholder with a version such as v1';
const URLL = 'spec.components[0].properties.urll is not a property of kustomize; did you mean "url"?';
const PLAIN = 'spec.components[0].properties.url is without TLS: the credentials of secretRef can be read on the way; use https://';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  await mkdir(join(folder, 'apps/.hidden'), { recursive: true });
  await writeFile(join(folder, 'apps/good.yaml'), GOOD);
  await writeFile(join(folder, 'apps/values.yaml'), 'replicas: 3\n');
  await writeFile(join(folder, 'apps/service.yaml'), 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n');
  await writeFile(join(folder, 'apps/.hidden/bad.yaml'), BAD);
  await writeFile(join(folder, 'bad.yaml'), BAD);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('lateen check', () => {
  it('says of a right file that nothing is wrong', async () => {
    expect(await lateen(['check', 'apps/good.yaml'], { cwd: folder })).toEqual({
      status: 0,
      stdout: 'apps/good.yaml: 1 Application checked, nothing is wrong\n',
      stderr: '',
    });
  });

  it('says of a wrong one everything, with file and line, and ends with 1', async () => {
    const { status, stdout, stderr } = await lateen(['check', 'bad.yaml'], { cwd: folder });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      `bad.yaml:14: warning: NOT_ENCRYPTED: ${PLAIN}`,
      `bad.yaml:7: INVALID_VERSION: ${PLACEHOLDER}`,
      `bad.yaml:13: UNKNOWN_FIELD: ${URLL}`,
      '',
    ]);
  });

  it('says the same as JSON', async () => {
    const { status, stdout, stderr } = await lateen(['check', '-', '-o', 'json'], { stdin: BAD });
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      applications: 1,
      denials: [
        { code: 'InvalidVersion', line: 7, value: '<initial version>', file: 'stdin' },
        {
          path: 'spec.components[0].properties.urll',
          code: 'UnknownField',
          message: 'spec.components[0].properties.urll is not a property of kustomize',
          remedy: 'did you mean "url"?',
          file: 'stdin',
          line: 13,
        },
      ],
      warnings: expect.arrayContaining([expect.objectContaining({ code: 'NotEncrypted', line: 14 })]),
    });
  });

  it('reads a folder, and leaves out what is no Application and what is hidden', async () => {
    expect(await lateen(['check', 'apps'], { cwd: folder })).toEqual({
      status: 0,
      stdout: 'apps: 1 Application checked, nothing is wrong\n',
      stderr: '',
    });
    const whole = await lateen(['check', '.', '-o', 'json'], { cwd: folder });
    expect(whole.status).toBe(1);
    expect(JSON.parse(whole.stdout).denials.map(({ file }: { file: string }) => file)).toEqual(['bad.yaml', 'bad.yaml']);
  });

  it('counts warnings, and ends with 0 for them', async () => {
    const suspicious = GOOD.replace('path:', 'pullInterval: 48h, path:');
    expect(await lateen(['check', '-'], { stdin: suspicious })).toEqual({
      status: 0,
      stdout: 'standard input: 1 Application checked, nothing is wrong, 1 warning\n',
      stderr:
        'stdin:8: warning: UNUSUAL_INTERVAL: spec.components[0].properties.pullInterval is over a day, received "48h"; write 24h or less, unless it is meant\n',
    });
  });

  it('takes a version that is a number to YAML as the text that it is, and asks for quotes', async () => {
    for (const version of ['12345678', '00012345', '1e3']) {
      const { stderr } = await lateen(['check', '-'], { stdin: BAD.replace('<initial version>', version) });
      expect(stderr).toContain(
        `stdin:7: warning: UNQUOTED_VERSION: metadata.annotations["app.oam.dev/publishVersion"] ${version} is a number to YAML: from Git it is taken as the text "${version}", and kubectl refuses it; put it in quotes: "${version}"\n`,
      );
      expect(stderr).not.toContain('INVALID_TYPE');
    }
  });

  it('is wrong usage without a file that is there', async () => {
    expect(await lateen(['check', 'none.yaml'], { cwd: folder })).toEqual({
      status: 2,
      stdout: '',
      stderr: 'lateen: there is no file or folder none.yaml; name one, or - for standard input\n',
    });
  });

  it('names a marker of publishVersion that the CI of the repository would remove with its line', async () => {
    const marked = GOOD.replace(
      'metadata: {name: infra-gitops}',
      'metadata:\n  name: infra-gitops\n  annotations:\n    app.oam.dev/publishVersion: v1 # {"$publishversion": "default:infra"}',
    );
    const ci = (last: string) => `jobs:\n  publish:\n    steps:\n      - run: |\n          ${last}\n`;
    const root = await mkdtemp(join(folder, 'ci-'));
    await mkdir(join(root, '.github/workflows'), { recursive: true });
    await mkdir(join(root, 'clusters'));
    await writeFile(join(root, 'clusters/app.yaml'), marked);
    const workflow = join(root, '.github/workflows/publish.yaml');
    await writeFile(workflow, ci('sed -i "s|app.oam.dev/publishVersion: .*|app.oam.dev/publishVersion: $VERSION|" app.yaml'));
    const told = async (path: string) =>
      (await lateen(['check', path], { cwd: root })).stderr.split('\n').filter((line) => /MARKER/.test(line));
    expect(await told('clusters/app.yaml')).toEqual([
      'clusters/app.yaml:6: warning: MARKER_OVERWRITTEN: .github/workflows/publish.yaml:5: sed replaces this line to its end, and with it the marker $publishversion; let sed replace the version alone: s|publishVersion: [^ ]*|publishVersion: $VERSION|',
    ]);
    expect(await told('.')).toHaveLength(1);
    await writeFile(workflow, ci('sed -i "s|publishVersion: [^ ]*|publishVersion: $VERSION|" app.yaml'));
    expect(await told('.')).toEqual([]);
  });
});
