import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { git, resetBranch } from '#dev/git-repository.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';
import { playScenario, type Scenario, type Setting } from '#test/support/failure-scenario.ts';
import { lateen } from '#test/support/lateen.ts';
import { configMapYaml, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

const PASSWORD = 'kept-from-everybody/7Zq';
const WRONG = 'mistaken+for-the-other';
const USERS = [{ name: 'reader', password: PASSWORD, write: false }];
const certificate = selfSignedCertificate();

let repositories: Repositories;
let secure: Repositories;
/** A server that goes away and comes back. */
let fragile: Repositories;
let tenant: Tenant;

beforeAll(async () => {
  [repositories, secure, fragile, tenant] = await Promise.all([
    startRepositories({ users: USERS }),
    startRepositories({ users: USERS, tls: certificate }),
    startRepositories({ users: USERS }),
    startTenant(),
  ]);
  for (const name of ['git-secret', 'git-changing']) await setSecret(name, { username: 'reader', password: PASSWORD });
  await setSecret('git-tls', { username: 'reader', password: PASSWORD, 'ca.crt': certificate.cert });
});

afterAll(async () => {
  await tenant?.close();
  await Promise.all([repositories, secure, fragile].map((one) => one?.close()));
});

async function setSecret(name: string, stringData: Record<string, string>): Promise<void> {
  const data = Object.fromEntries(Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  await tenant.client.apply(
    { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: tenant.namespace }, data },
    { fieldManager: 'person' },
  );
}

/** Git's own words, which differ with the TLS library that it was built with; there must be some. */
function saidIn({ tenant: { service }, name }: Setting, pattern: RegExp): string {
  const [, said] = pattern.exec(service(name, 'bad')?.message ?? '') ?? [];
  return said || '(git said nothing)';
}

const mended = ({ name }: Setting) => ({ 'kept.yaml': configMapYaml(`${name}-bad`) });

/** The first tries of a source that fails: seconds between them grow. */
async function expectBackoff({ tenant: { until, service }, name }: Setting): Promise<void> {
  const tries: number[] = [];
  await until(name, 'tried three times', () => {
    const next = Date.parse(service(name, 'bad')?.details?.['nextTry'] ?? '');
    if (next > (tries.at(-1) ?? 0)) tries.push(next);
    return tries.length === 3;
  });
  const [first = 0, second = 0, third = 0] = tries;
  // 2 s, 4 s, 8 s, each shortened by up to a half: the gaps between the announced tries are the second and the third of them.
  expect(second - first).toBeGreaterThan(1_900);
  expect(third - second).toBeGreaterThan(3_900);
}

const scenarios: Scenario[] = [
  {
    name: 'wrong-url',
    breaks: ({ configure, repository }) => configure({ url: `${repository.url}-lost` }),
    reason: 'RepositoryNotFound',
    sentence: () => 'URL-lost is not on the server (404); check url, and whether the user of the Secret may see the repository',
    retried: true,
    mends: ({ configure }) => configure({}),
  },
  {
    name: 'unknown-branch',
    breaks: ({ configure }) => configure({ git: { branch: 'mian' } }),
    reason: 'RefNotFound',
    sentence: () => 'URL has no branch mian; it has main; correct git.branch, or push the branch',
    retried: true,
    mends: ({ repository, name }) => repository.push({ 'kept.yaml': configMapYaml(`${name}-bad`) }, { branch: 'mian' }),
  },
  {
    name: 'missing-path',
    breaks: ({ configure }) => configure({ path: './deploy' }),
    reason: 'PathNotFound',
    sentence: () => 'the path deploy is not in the repository; correct the path, or push the folder',
    retried: false,
    mends: ({ push, name }) => push({ 'deploy/kept.yaml': configMapYaml(`${name}-bad`) }),
  },
  {
    name: 'refused-password',
    properties: { secretRef: 'git-changing' },
    breaks: () => setSecret('git-changing', { username: 'reader', password: WRONG }),
    reason: 'AuthFailed',
    sentence: () => 'URL refused the credentials (401); correct the Secret that secretRef names',
    retried: true,
    mends: () => setSecret('git-changing', { username: 'reader', password: PASSWORD }),
  },
  {
    name: 'lost-secret',
    breaks: ({ configure }) => configure({ secretRef: 'git-late' }),
    reason: 'SecretNotFound',
    sentence: () =>
      'there is no Secret git-late in the namespace; create it with the keys username and password, bearerToken, ca.crt, or correct secretRef',
    retried: true,
    mends: () => setSecret('git-late', { username: 'reader', password: PASSWORD }),
  },
  {
    name: 'untrusted',
    properties: { secretRef: 'git-tls' },
    repositories: () => secure,
    breaks: () => setSecret('git-tls', { username: 'reader', password: PASSWORD, 'ca.crt': selfSignedCertificate().cert }),
    reason: 'TLSFailed',
    sentence: (setting) =>
      `URL has no certificate that is trusted: ${saidIn(setting, /trusted: (.*); correct/)}; correct ca.crt in the Secret that secretRef names`,
    retried: true,
    mends: () => setSecret('git-tls', { username: 'reader', password: PASSWORD, 'ca.crt': certificate.cert }),
  },
  {
    name: 'emptied',
    breaks: ({ repository }) => resetBranch(repository.directory, 'main', undefined),
    reason: 'RepositoryEmpty',
    sentence: () => 'URL has no commit yet; push a first commit',
    retried: true,
    mends: (setting) => setting.push(mended(setting)),
  },
  {
    name: 'emptied-folder',
    breaks: ({ push }) => push({ 'kept.yaml': null, 'README.md': 'Nothing here.' }),
    reason: 'EmptyBuild',
    sentence: () =>
      './ holds no object at main, so nothing is applied and nothing is pruned; put manifests there, or delete the component to remove its objects',
    retried: false,
    mends: (setting) => setting.push(mended(setting)),
  },
  {
    name: 'server-down',
    repositories: () => fragile,
    breaks: () => fragile.goDown(),
    reason: 'Unreachable',
    sentence: (setting) => `URL cannot be reached: ${saidIn(setting, /reached: (.*); check/)}; check url, and that the Git server is up`,
    retried: true,
    meanwhile: expectBackoff,
    mends: () => fragile.comeBack(),
  },
];

describe.concurrent('a source that fails', () => {
  for (const scenario of scenarios) {
    it(`${scenario.name}: ${scenario.reason} is told, nothing is pruned, and all is well again when it is mended`, () =>
      playScenario(scenario, { tenant, repositories, properties: { secretRef: 'git-secret' } }));
  }
});

describe('lateen status', () => {
  it('shows the reason, the sentence and the next try', async () => {
    const url = `${repositories.server.url}/nowhere`;
    await tenant.apply('shown', [{ name: 'a', type: 'kustomize', properties: { url, path: './', pullInterval: '1s' } }]);
    await tenant.until('shown', 'failing', () => tenant.service('shown', 'a')?.details?.['nextTry'] !== undefined);
    const { stdout } = await lateen(['status', 'shown', '-n', tenant.namespace, '--kubeconfig', inject('plane').kubeconfig]);
    expect(stdout).toMatch(
      / Error: +AUTH_FAILED: http.*\/nowhere asks for credentials, and none were sent \(401\); name a Secret .*\n +Next try: +(in|now)/,
    );
  });
});

describe('a history that is written anew', () => {
  it('is followed, also where the server has forgotten the old commits', async () => {
    const repository = await repositories.create('rewritten', {
      'a.yaml': configMapYaml('rewritten'),
      'b.yaml': configMapYaml('rewritten-b'),
    });
    const old = await repository.push({ 'a.yaml': configMapYaml('rewritten', 'two') });
    await tenant.apply('rewritten', [
      { name: 'a', type: 'kustomize', properties: { url: repository.url, secretRef: 'git-secret', pullInterval: '1s', path: './' } },
    ]);
    await tenant.untilRunning('rewritten');
    const uid = (await tenant.get('ConfigMap', 'rewritten'))?.metadata.uid;
    const commit = await repository.push({ 'a.yaml': configMapYaml('rewritten', 'three') }, { branch: 'anew', message: 'Begin anew' });
    await resetBranch(repository.directory, 'main', commit);
    await resetBranch(repository.directory, 'anew', undefined);
    await git(repository.directory, ['reflog', 'expire', '--expire=now', '--all']);
    await git(repository.directory, ['gc', '--quiet', '--prune=now']);
    await expect(git(repository.directory, ['cat-file', '-e', old])).rejects.toThrow('cat-file');
    await tenant.until('rewritten', `at ${commit}`, () => tenant.service('rewritten', 'a')?.details?.['commit'] === commit);
    await tenant.untilRunning('rewritten');
    expect(await tenant.get('ConfigMap', 'rewritten')).toMatchObject({ metadata: { uid }, data: { key: 'three' } });
    // What the new history does not have is pruned, as after any other commit.
    await tenant.eventually('pruned', async () => (await tenant.get('ConfigMap', 'rewritten-b')) === undefined);
  });
});

describe('secrets', () => {
  it('were shown to nobody, neither right nor wrong ones', async () => {
    const shown = await tenant.shown();
    expect(shown).toContain('REPOSITORY_NOT_FOUND');
    for (const word of [PASSWORD, WRONG]) {
      for (const spelling of [
        word,
        encodeURIComponent(word),
        ...[word, `reader:${word}`].map((text) => Buffer.from(text).toString('base64')),
      ])
        expect(shown).not.toContain(spelling);
    }
  });
});
