import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { Component } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { branchTip, git } from '#dev/git-repository.ts';
import { programs } from '#dev/programs.ts';
import { type Registry, startRegistry } from '#dev/registry.ts';
import { lateen } from '#test/support/lateen.ts';
import { applicationYaml, kustomize, type Repositories, startRepositories, type TestRepository } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

const USERS = [
  { name: 'writer', password: 'may-write-9aZ', write: true },
  { name: 'reader', password: 'may-read-9aZ', write: false },
];
const MESSAGE = 'Image: {{range .Updated.Images}}{{println .}}{{end}}';
const FIRST = 'master-cba5605f-1632714412';
const SECOND = 'master-c38379ba-1634977126';
const THIRD = 'master-aaaaaaaa-1700000000';

let folder: string;
let registry: Registry;
let repositories: Repositories;
let tenant: Tenant;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-registry-'));
  const { crane } = await programs(['crane']);
  [registry, repositories, tenant] = await Promise.all([
    startRegistry({ crane, folder }),
    startRepositories({ users: USERS }),
    startTenant(),
  ]);
  for (const { name, password } of USERS) await setSecret(`git-${name}`, { username: name, password });
});

afterAll(async () => {
  await tenant?.close();
  await Promise.all([registry?.stop(), repositories?.close()]);
  await rm(folder, { recursive: true, force: true });
});

async function setSecret(name: string, values: Record<string, string>): Promise<void> {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  await tenant.client.apply(
    { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: tenant.namespace }, data },
    { fieldManager: 'person' },
  );
}

function imageGitops(name: string, { url }: TestRepository, image: string, more: Record<string, unknown> = {}): Component {
  const filterTags = { pattern: '^master-[a-f0-9]+-(?P<ts>[0-9]+)', extract: '$ts' };
  const imageRepository = { image, interval: '1s', filterTags, policy: { numerical: { order: 'asc' } }, commitMessage: MESSAGE };
  return kustomize(name, url, { secretRef: 'git-writer', imageRepository, ...more });
}

function marked(name: string, image: string, policy: string): string {
  return applicationYaml(name, `${image} # {"$imagepolicy": "${tenant.namespace}:${policy}"}`);
}

function imageOf(deployment: KubeObject | undefined): string | undefined {
  const { template } = (deployment?.['spec'] ?? {}) as { template?: { spec?: { containers?: { image: string }[] } } };
  return template?.spec?.containers?.[0]?.image;
}

/** Looks again and again. */
async function eventually<Result>(what: string, look: () => Promise<Result | undefined | false>, timeoutMs = 30_000): Promise<Result> {
  for (const end = Date.now() + timeoutMs; ; ) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`not within ${timeoutMs / 1000} s: ${what}\n${(await tenant.agent.log()).slice(-4_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const details = (application: string): Record<string, string> => tenant.service(application, application)?.details ?? {};

it('the example of the seed: a new tag becomes one commit and a rollout', async () => {
  const image = `${registry.host}/fogdong/test-fog`;
  await registry.push('fogdong/test-fog', [FIRST, 'latest', 'dev-1-99']);
  const repository = await repositories.create('seed');
  const before = marked('my-app', 'nginx', 'image-gitops');
  await repository.push({ 'my-app.yaml': before });
  await tenant.apply('image-gitops', [imageGitops('image-gitops', repository, image)]);
  const rolled = (tag: string) =>
    eventually(`my-app with ${tag}`, async () => imageOf(await tenant.get('Deployment', 'my-app')) === `${image}:${tag}`);
  await rolled(FIRST);
  await registry.push('fogdong/test-fog', [SECOND]);
  await rolled(SECOND);
  const raw = await git(repository.directory, ['cat-file', 'commit', 'main']);
  const [head = '', ...message] = raw.split('\n\n');
  expect(`${message.join('\n\n')}\n`).toBe(`Update image automatically.\nImage: ${image}:${SECOND}\n`);
  expect(head).toMatch(/^author kubevelabot <kubevelabot@users\.noreply\.github\.com> \d+ \+0000$/m);
  expect(head).toMatch(/^committer kubevelabot <kubevelabot@users\.noreply\.github\.com> \d+ \+0000$/m);
  const diff = await git(repository.directory, ['diff', '-U0', 'main^', 'main']);
  expect(diff.split('\n').filter((line) => /^[-+](?![-+])/.test(line))).toHaveLength(2);
  expect(await git(repository.directory, ['show', 'main:my-app.yaml'])).toBe(before.replace('nginx', `${image}:${SECOND}`).trimEnd());
  // The filter of the seed's CI: !contains(message, 'Update image automatically').
  const subjects = (await git(repository.directory, ['log', '--format=%s', 'main'])).split('\n');
  expect(subjects.map((subject) => !subject.includes('Update image automatically'))).toEqual([false, false, true]);
  expect(await tenant.events('image-gitops')).toContainEqual(
    expect.stringContaining(`Normal ImageUpdated component image-gitops: set ${image}:${SECOND} at 1 markers`),
  );
  await eventually('details', async () => details('image-gitops')['imageMarkers']?.includes('up to date'));
  expect(details('image-gitops')).toMatchObject({
    image: `${image}:${SECOND}`,
    imageTags: '4 seen, 2 kept',
    imageCommit: await branchTip(repository.directory, 'main'),
  });
});

it('the robot yields: what a person takes back stays back, through a kill of the agent, until a newer tag or a resume', async () => {
  const image = `${registry.host}/org/yield`;
  await registry.push('org/yield', [FIRST, SECOND]);
  const repository = await repositories.create('yield', { 'app.yaml': marked('yield-app', 'nginx', 'yield') });
  await tenant.apply('yield', [imageGitops('yield', repository, image)]);
  const inGit = () => git(repository.directory, ['show', 'main:app.yaml']);
  const says = (tag: string) => eventually(`${tag} in Git`, async () => (await inGit()).includes(`${image}:${tag} `));
  await says(SECOND);
  await eventually('remembered', async () =>
    JSON.stringify((await tenant.get('ConfigMap', 'lateen-yield'))?.['data'] ?? '').includes(SECOND),
  );
  await tenant.agent.kill();
  const reverted = await repository.push(
    { 'app.yaml': marked('yield-app', `${image}:${FIRST}`, 'yield') },
    { message: 'Back to the old one' },
  );
  await tenant.startAgent();
  await eventually('held', async () => details('yield')['imageReason'] === 'IMAGE_HELD');
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await branchTip(repository.directory, 'main')).toBe(reverted);
  await eventually('the old one runs', async () => imageOf(await tenant.get('Deployment', 'yield-app')) === `${image}:${FIRST}`);
  expect(await tenant.events('yield')).toContainEqual(
    expect.stringMatching(/^Warning ImageHeld component yield: app\.yaml:\d+: somebody changed it away from/),
  );
  const ran = await lateen(['image', 'resume', 'yield', '-n', tenant.namespace, '--kubeconfig', inject('plane').kubeconfig]);
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  await says(SECOND);
  await repository.push({ 'app.yaml': marked('yield-app', `${image}:${FIRST}`, 'yield') }, { message: 'Back once more' });
  await eventually('held again', async () => details('yield')['imageReason'] === 'IMAGE_HELD');
  await registry.push('org/yield', [THIRD]);
  await says(THIRD);
});

/** The next push ends with the agent dead: before the branch has moved, or after. */
async function dieAtPush({ directory }: TestRepository, side: 'before' | 'after'): Promise<void> {
  await mkdir(join(directory, 'hooks'), { recursive: true });
  const hook = join(directory, 'hooks', side === 'before' ? 'pre-receive' : 'post-receive');
  // Once: what is pushed later finds no hook.
  await writeFile(hook, `#!/bin/sh\nrm -f "${hook}"\nkill -9 ${tenant.agent.pid}\n${side === 'before' ? 'exit 1' : ''}\n`);
  await chmod(hook, 0o755);
}

const hookIsGone =
  ({ directory }: TestRepository, side: 'before' | 'after') =>
  () =>
    stat(join(directory, 'hooks', side === 'before' ? 'pre-receive' : 'post-receive')).then(
      () => false,
      () => true,
    );

/** One that has begun to follow the first tag and dies when it pushes the second. */
async function killedAtPush(name: string, side: 'before' | 'after'): Promise<{ repository: TestRepository; image: string }> {
  const image = `${registry.host}/org/${name}`;
  await registry.push(`org/${name}`, [FIRST]);
  const repository = await repositories.create(name, { 'app.yaml': marked(`${name}-app`, `${image}:${FIRST}`, name) });
  await tenant.apply(name, [imageGitops(name, repository, image)]);
  await eventually('followed', async () => details(name)['imageMarkers']?.includes('up to date'));
  await dieAtPush(repository, side);
  await registry.push(`org/${name}`, [SECOND]);
  await eventually('killed', hookIsGone(repository, side));
  await tenant.agent.kill();
  return { repository, image };
}

const commitsOf = ({ directory }: TestRepository) => git(directory, ['rev-list', '--count', 'main']);
const appOf = ({ directory }: TestRepository) => git(directory, ['show', 'main:app.yaml']);

it('an agent that is killed between commit and push: its successor pushes, once', async () => {
  const { repository, image } = await killedAtPush('died-before', 'before');
  expect(await commitsOf(repository)).toBe('1');
  const theirs = await repository.push({ 'other.yaml': '' }, { message: 'Something else' });
  await tenant.startAgent();
  await eventually('set', async () => (await appOf(repository)).includes(`${image}:${SECOND} `));
  await eventually('settled', async () => details('died-before')['imageMarkers']?.includes('up to date'));
  expect(await git(repository.directory, ['rev-parse', 'main^'])).toBe(theirs);
  expect(details('died-before')['imageReason']).toBeUndefined();
});

it('an agent that is killed between push and the writing of what it did: no second commit, and a newer tag is set', async () => {
  const { repository, image } = await killedAtPush('died-after', 'after');
  expect(await commitsOf(repository)).toBe('2');
  const pushed = await branchTip(repository.directory, 'main');
  await tenant.startAgent();
  await eventually('known', async () => details('died-after')['imageCommit'] === pushed);
  await registry.push('org/died-after', [THIRD]);
  await eventually('set', async () => (await appOf(repository)).includes(`${image}:${THIRD} `));
  expect(await commitsOf(repository)).toBe('3');
});

it('what a person takes back while the agent lies dead between push and the writing of what it did stays back', async () => {
  const { repository, image } = await killedAtPush('died-held', 'after');
  const revert = { 'app.yaml': marked('died-held-app', `${image}:${FIRST}`, 'died-held') };
  const theirs = await repository.push(revert, { message: 'Back to the old one' });
  await tenant.startAgent();
  await eventually('held', async () => details('died-held')['imageReason'] === 'IMAGE_HELD');
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(await branchTip(repository.directory, 'main')).toBe(theirs);
  await registry.push('org/died-held', [THIRD]);
  await eventually('set', async () => (await appOf(repository)).includes(`${image}:${THIRD} `));
});

it('hold and resume by hand', async () => {
  const image = `${registry.host}/org/hold`;
  await registry.push('org/hold', [FIRST]);
  const repository = await repositories.create('hold', { 'app.yaml': marked('hold-app', 'nginx', 'hold') });
  const options = ['-n', tenant.namespace, '--kubeconfig', inject('plane').kubeconfig];
  await tenant.apply('hold', [imageGitops('hold', repository, image)], { annotations: { 'lateen.dev/image-hold': 'true' } });
  await eventually('held', async () => details('hold')['imageReason'] === 'IMAGE_HELD');
  expect(await git(repository.directory, ['rev-list', '--count', 'main'])).toBe('1');
  expect((await lateen(['image', 'resume', 'hold', ...options])).status).toBe(0);
  await eventually('set', async () => (await git(repository.directory, ['show', 'main:app.yaml'])).includes(`${image}:${FIRST} `));
  expect((await lateen(['image', 'hold', 'hold', ...options])).status).toBe(0);
  await registry.push('org/hold', [SECOND]);
  await eventually('held', async () => details('hold')['imageReason'] === 'IMAGE_HELD');
  expect(await git(repository.directory, ['rev-list', '--count', 'main'])).toBe('2');
});

it('lateen image explain tells the whole way, from the registry to what runs', async () => {
  const image = `${registry.host}/org/chain`;
  await registry.push('org/chain', [FIRST, SECOND, 'latest']);
  const repository = await repositories.create('chain', { 'app.yaml': marked('chain-app', 'nginx', 'chain') });
  await tenant.apply('chain', [imageGitops('chain', repository, image)]);
  await eventually('rolled out', async () => imageOf(await tenant.get('Deployment', 'chain-app')) === `${image}:${SECOND}`);
  await eventually('told', async () => details('chain')['commit'] === (await branchTip(repository.directory, 'main')));
  const options = ['-n', tenant.namespace, '--kubeconfig', inject('plane').kubeconfig];
  const { stdout, status } = await lateen(['image', 'explain', 'chain', ...options]);
  const tip = await branchTip(repository.directory, 'main');
  expect(status).toBe(0);
  expect(stdout.replace(/Since: .*/, 'Since: TIME').split('\n')).toEqual([
    'chain',
    `  Registry:   3 tags, 2 kept; latest ${SECOND}, before it ${FIRST}`,
    `  Latest:     ${image}:${SECOND}`,
    '  Tags:       3 seen, 2 kept',
    '  Since: TIME',
    '  Markers:    app.yaml:10 up to date',
    `  Commit:     ${tip}`,
    `  Synced:     ${tip}`,
    expect.stringMatching(`^  Running:    ${image}:${SECOND} in Deployment/chain-app, [01] of 1 ready$`),
    '',
  ]);
  const json = await lateen(['image', 'explain', 'chain', '-o', 'json', ...options]);
  expect(JSON.parse(json.stdout)).toMatchObject([
    {
      component: 'chain',
      registry: { seen: 3, kept: 2, latest: SECOND, runnerUp: FIRST },
      agent: { image: `${image}:${SECOND}`, imageCommit: tip, commit: tip },
      running: [{ kind: 'Deployment', name: 'chain-app', image: `${image}:${SECOND}`, wanted: 1 }],
    },
  ]);
});

it('credentials that may only read are named, and the sync goes on', async () => {
  const image = `${registry.host}/org/reader`;
  await registry.push('org/reader', [FIRST]);
  const repository = await repositories.create('reader', { 'app.yaml': marked('reader-app', 'nginx', 'reader') });
  await tenant.apply('reader', [imageGitops('reader', repository, image, { secretRef: 'git-reader' })]);
  await eventually('forbidden', async () => details('reader')['imageReason'] === 'PUSH_FORBIDDEN');
  expect(details('reader')['imageMessage']).toMatch(
    /does not let the user of the Secret git-reader push: .*; give that user the right to write/,
  );
  await repository.push({ 'app.yaml': marked('reader-app', 'nginx:1.27', 'reader') });
  await eventually('synced', async () => imageOf(await tenant.get('Deployment', 'reader-app')) === 'nginx:1.27');
  await eventually('healthy', async () => tenant.service('reader', 'reader')?.healthy);
});

it('a marker that fits two Applications is left, and both say so', async () => {
  const image = `${registry.host}/org/twice`;
  await registry.push('org/twice', [FIRST]);
  const repository = await repositories.create('twice', { 'app.yaml': marked('twice-app', 'nginx', 'same') });
  for (const name of ['twice-a', 'twice-b']) await tenant.apply(name, [{ ...imageGitops('same', repository, image), name: 'same' }]);
  const reason = (name: string) => tenant.service(name, 'same')?.details?.['imageReason'];
  await eventually('ambiguous', async () => reason('twice-a') === 'MARKER_AMBIGUOUS' && reason('twice-b') === 'MARKER_AMBIGUOUS');
  await tenant.delete('Application', 'twice-b');
  await eventually('set', async () => (await git(repository.directory, ['show', 'main:app.yaml'])).includes(`${image}:${FIRST} `));
});

it('two policies of one repository become one commit; what is removed is forgotten', async () => {
  await registry.push('org/a', [FIRST]);
  await registry.push('org/b', [FIRST]);
  const repository = await repositories.create('both', {
    'a/app.yaml': marked('both-a', 'nginx', 'both-a'),
    'b/app.yaml': marked('both-b', 'nginx', 'both-b'),
  });
  const one = (name: string) => imageGitops(`both-${name}`, repository, `${registry.host}/org/${name}`, { path: `./${name}` });
  await tenant.apply('both', [one('a'), one('b')]);
  const set = (name: string) =>
    eventually(`both-${name}`, async () => imageOf(await tenant.get('Deployment', `both-${name}`))?.endsWith(FIRST));
  await Promise.all([set('a'), set('b')]);
  expect(await git(repository.directory, ['log', '--format=%B', '-1', 'main'])).toBe(
    `Update image automatically.\nImage: ${registry.host}/org/a:${FIRST}\n${registry.host}/org/b:${FIRST}\n`,
  );
  expect(await git(repository.directory, ['rev-list', '--count', 'main'])).toBe('2');
  const metrics = async () => (await fetch(`${tenant.agent.healthUrl}/metrics`)).text();
  await eventually('counted', async () => (await metrics()).includes('lateen_agent_image_tags{application="both",component="both-b"} 1\n'));
  const page = await metrics();
  expect(page).toMatch(/^lateen_agent_image_scans_total\{outcome="listed"\} [1-9]\d*$/m);
  expect(page).toMatch(/^lateen_agent_image_commits_total [1-9]\d*$/m);
  expect(page).toContain('lateen_agent_image_held_markers{application="both",component="both-a"} 0\n');
  const remembered = async () => JSON.stringify((await tenant.get('ConfigMap', 'lateen-both'))?.['data'] ?? '');
  await eventually('remembered', async () => (await remembered()).includes('/org/b:'));
  await tenant.apply('both', [one('a')]);
  await eventually('forgotten', async () => !(await remembered()).includes('/org/b:'));
  expect(await remembered()).toContain('/org/a:');
  expect(await metrics()).not.toContain('lateen_agent_image_tags{application="both",component="both-b"}');
});

it('a marked publishVersion is bumped in the commit that sets the image', async () => {
  const image = `${registry.host}/org/version`;
  await registry.push('org/version', [FIRST]);
  const file = (value: string, version: string) =>
    marked('version-app', value, 'version').replace(
      '  name: version-app\nspec:',
      `  name: version-app\n  annotations:\n    app.oam.dev/publishVersion: ${version} # {"$publishversion": "${tenant.namespace}:version"}\nspec:`,
    );
  const repository = await repositories.create('version', { 'app.yaml': file('nginx', 'v1') });
  await tenant.apply('version', [imageGitops('version', repository, image)]);
  await eventually('set', async () => (await appOf(repository)).includes(`${image}:${FIRST} `));
  expect(await commitsOf(repository)).toBe('2');
  const [, version = ''] = /publishVersion: (\S+) #/.exec(await appOf(repository)) ?? [];
  expect(version).not.toBe('v1');
  expect(await appOf(repository)).toBe(file(`${image}:${FIRST}`, version).trimEnd());
  await eventually('the new version runs', async () => imageOf(await tenant.get('Deployment', 'version-app')) === `${image}:${FIRST}`);
  const app = await tenant.get('Application', 'version-app');
  expect(app?.metadata.annotations?.['app.oam.dev/publishVersion']).toBe(version);
});
