import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { gitEnvironment } from '#dev/git-environment.ts';
import { lateen } from '#test/support/lateen.ts';
import { codeBlocks } from '#test/support/markdown.ts';
import { kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

/** docs/publish-version-in-ci.md, and the lines of the manual that it is about. */

const PAGE = 'publish-version-in-ci.md';
const APP = [
  'apiVersion: core.oam.dev/v1beta1',
  'kind: Application',
  'metadata:',
  '  name: my-app',
  '  annotations:',
  '    app.oam.dev/publishVersion: v1',
  'spec:',
  '  components:',
  '    - name: my-app',
  '      type: webservice',
  '      properties:',
  '        image: nginx',
  '',
].join('\n');

let repositories: Repositories;
let tenant: Tenant;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  [repositories, tenant] = await Promise.all([startRepositories(), startTenant()]);
});

afterAll(async () => {
  await tenant?.close();
  await repositories?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs lines in bash, as a pipeline does; rejects where one fails. */
async function bash(lines: string, cwd: string, variables: Record<string, string> = {}): Promise<void> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', lines], {
    cwd,
    env: gitEnvironment(variables),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`${lines}: ${stderr}`);
}

async function shellLines(): Promise<string> {
  const blocks = await codeBlocks(PAGE);
  const block = blocks.find(({ language, heading }) => language === 'sh' && heading.startsWith('The short SHA'));
  if (!block) throw new Error('the page has no shell lines');
  return block.text;
}

it('each version of the manual deploys as the text that it is, and lateen wait sees it', async () => {
  const repository = await repositories.create('ci', { 'app.yaml': APP });
  await tenant.apply('parent', [kustomize('git', repository.url)]);
  await tenant.until('my-app', 'at v1', ({ status }) => status?.workflow?.appRevision === 'v1' && status.workflow.finished);
  await bash(
    `git clone --quiet ${repository.directory} checkout && git -C checkout config user.name ci && git -C checkout config user.email ci@x`,
    folder,
  );
  const checkout = join(folder, 'checkout');
  const lines = await shellLines();
  for (const sha of ['aa193e45', '12345678', '00012345', '1234e567']) {
    await bash(lines, checkout, { GITHUB_SHA: `${sha}${'0'.repeat(32)}` });
    const waited = await lateen(['wait', 'my-app', '--version', sha, '--timeout', '25s', '-n', tenant.namespace], {
      env: { KUBECONFIG: tenant.kubeconfig },
    });
    expect([sha, waited.status, waited.stderr.replaceAll(/^Waiting: .*\n/gm, '')]).toEqual([sha, 0, '']);
    const { metadata, status } = tenant.application('my-app')!;
    expect([metadata.annotations?.['app.oam.dev/publishVersion'], status?.workflow?.appRevision]).toEqual([sha, sha]);
  }
  const revision = await tenant.get('ApplicationRevision', 'my-app-v5');
  expect(revision?.metadata.annotations).toMatchObject({ 'app.oam.dev/publishVersion': '1234e567' });
});

describe('the pipelines of the page', () => {
  it('are YAML, and run the very lines that are tested', async () => {
    const yaml = (await codeBlocks(PAGE)).filter(({ language }) => language === 'yaml').map((block) => block.text);
    for (const one of yaml) expect(parseAllDocuments(one).flatMap(({ errors }) => errors)).toEqual([]);
    const workflow = yaml.find((one) => one.startsWith('name: Auto Commit')) ?? '';
    const missing = (await shellLines()).split('\n').filter((line) => line !== '' && !workflow.includes(line));
    expect(missing).toEqual([]);
  });

  it('are those of the manual: the same replacement and the same message', async () => {
    const page = await readFile(new URL(`../../../docs/${PAGE}`, import.meta.url), 'utf8');
    expect(page).toContain('sed -i "s|app.oam.dev/publishVersion: .*|app.oam.dev/publishVersion: $VERSION|" app.yaml');
    expect(page).toContain('[ci skip] deploy from $VERSION');
  });
});
