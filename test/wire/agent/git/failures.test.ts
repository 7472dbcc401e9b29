import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Failure } from '#api/failure.ts';
import { commitFiles, seedRepository } from '#dev/seed.ts';
import { type GitBench, type GitBenchOptions, startGitBench } from '#test/support/git.ts';
import type { GitCredentials } from '#agent/git/git.ts';

const OPTIONS = { timeoutMs: 15_000 };
const DATE = new Date('2026-01-02T03:04:05Z');
const USERS = [{ name: 'reader', password: 'reads-only', write: false }];

let bench: GitBench | undefined;

afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

/** A server with the seed's repository, and what is shown when its branch `infra` cannot be resolved. */
async function serve(options: GitBenchOptions = {}): Promise<GitBench> {
  bench = await startGitBench(options);
  await seedRepository(await bench.server.createRepository('seed'));
  return bench;
}

interface Shown {
  reason: string;
  kind: string;
  sentence: string;
}

async function shown(work: Promise<unknown>): Promise<Shown> {
  const failure = (await work.then(
    () => expect.unreachable('it was to fail'),
    (error: unknown) => error,
  )) as Failure;
  return { reason: failure.reason, kind: failure.kind, sentence: failure.sentence.replaceAll(/:\d{2,5}\b/g, ':PORT') };
}

function resolveSeed({ git, server }: GitBench, branch = 'infra', credentials?: GitCredentials): Promise<unknown> {
  return git.resolve({ url: server.cloneUrl('seed'), ...(credentials ? { credentials } : {}) }, branch, OPTIONS);
}

it('names the branches that there are when one is unknown', async () => {
  const { git, server } = await serve();
  const directory = server.directory('seed');
  for (let index = 0; index < 12; index++) await commitFiles(directory, `b${index}`, { a: 'a' }, { message: 'Branch', date: DATE });
  expect(await shown(git.resolve({ url: server.cloneUrl('seed') }, 'mian', OPTIONS))).toEqual({
    reason: 'RefNotFound',
    kind: 'transient',
    sentence:
      'http://127.0.0.1:PORT/seed has no branch mian; it has b0, b1, b10, b11, b2, b3, b4, b5, b6, b7 and 4 more; correct git.branch, or push the branch',
  });
  // A ref that ends in the name is not the branch.
  expect(await shown(resolveSeed(bench!, 'nfra'))).toMatchObject({ reason: 'RefNotFound' });
});

it('says when a repository is empty, and when its default branch is', async () => {
  const { git, server } = await serve();
  await server.createRepository('empty');
  const repository = { url: server.cloneUrl('empty') };
  const empty = {
    reason: 'RepositoryEmpty',
    kind: 'transient',
    sentence: 'http://127.0.0.1:PORT/empty has no commit yet; push a first commit',
  };
  expect(await shown(git.resolve(repository, undefined, OPTIONS))).toEqual(empty);
  expect(await shown(git.resolve(repository, 'main', OPTIONS))).toEqual(empty);
  await commitFiles(server.directory('empty'), 'other', { a: 'a' }, { message: 'Not on main', date: DATE });
  expect(await shown(git.resolve(repository, undefined, OPTIONS))).toEqual({
    reason: 'RefNotFound',
    kind: 'transient',
    sentence: 'http://127.0.0.1:PORT/empty does not say which branch is its default; it has other; name a branch in git.branch',
  });
});

it.each([
  [
    '404',
    {},
    {
      reason: 'RepositoryNotFound',
      kind: 'transient',
      text: 'is not on the server (404); check url; where it is a private repository, name a Secret in secretRef',
    },
  ],
  [
    'redirect',
    { status: 301, location: 'http://127.0.0.1:1/elsewhere' },
    {
      reason: 'InvalidURL',
      kind: 'stalled',
      text: 'redirects to another URL (301), and redirects are not followed; write the URL that it redirects to (curl -sI URL/info/refs?service=git-upload-pack shows it)',
    },
  ],
  [
    '403',
    { status: 403 },
    {
      reason: 'AuthFailed',
      kind: 'transient',
      text: 'does not let everybody read it, and no credentials were sent (403); name a Secret with username and password in secretRef',
    },
  ],
  ['429', { status: 429 }, { reason: 'Unreachable', kind: 'transient', text: 'is asked too often (429); raise pullInterval' }],
  [
    '503',
    { status: 503 },
    { reason: 'Unreachable', kind: 'transient', text: 'cannot be read: the server answered 503; ask who runs the Git server' },
  ],
  [
    '503 later',
    { only: '/git-upload-pack', status: 503 },
    { reason: 'Unreachable', kind: 'transient', text: 'cannot be read: the server answered 503; ask who runs the Git server' },
  ],
])('explains an answer of the server: %s', async (name, fault, { reason, kind, text }) => {
  const { git, server } = await serve();
  const repository = name === '404' ? 'none' : 'seed';
  server.setFault(repository, fault);
  expect(await shown(git.resolve({ url: server.cloneUrl(repository) }, 'infra', OPTIONS))).toEqual({
    reason,
    kind,
    sentence: `http://127.0.0.1:PORT/${repository} ${text}`,
  });
});

it('explains a connection that is cut in a listing and in a fetch', async () => {
  const { git, server } = await serve();
  const repository = { url: server.cloneUrl('seed') };
  const tip = await git.resolve(repository, 'infra', OPTIONS);
  server.setFault('seed', { cutAfterBytes: 20 });
  expect(await shown(git.resolve(repository, 'infra', OPTIONS))).toMatchObject({ reason: 'Unreachable', kind: 'transient' });
  server.setFault('seed', { only: '/git-upload-pack', cutAfterBytes: 100 });
  expect(await shown(git.fetch(repository, tip, OPTIONS))).toMatchObject({ reason: 'Unreachable', kind: 'transient' });
  server.setFault('seed', undefined);
  expect((await git.fetch(repository, tip, OPTIONS)).id).toBe(tip.commit);
});

it('explains a server that is down, one whose name is unknown, and one that speaks no TLS', async () => {
  const { git, server } = await serve();
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  expect(await shown(git.resolve({ url: `http://127.0.0.1:${port}/seed` }, 'infra', OPTIONS))).toMatchObject({
    reason: 'Unreachable',
    kind: 'transient',
    sentence: expect.stringMatching(
      /^http:\/\/127.0.0.1:PORT\/seed cannot be reached: .*; check url, and that the Git server is up$/,
    ) as string,
  });
  expect(await shown(git.resolve({ url: 'http://git.invalid/seed' }, 'infra', OPTIONS))).toEqual({
    reason: 'Unreachable',
    kind: 'transient',
    sentence:
      'http://git.invalid/seed cannot be reached: the name of the host is unknown; check the host in url, and the DNS of the cluster',
  });
  expect(await shown(git.resolve({ url: `${server.url.replace('http:', 'https:')}/seed` }, 'infra', OPTIONS))).toMatchObject({
    reason: 'TLSFailed',
    kind: 'transient',
  });
});

it('says whether credentials were refused or missing, and shows none of them', async () => {
  const { redactor } = await serve({ users: USERS });
  expect(await shown(resolveSeed(bench!))).toEqual({
    reason: 'AuthFailed',
    kind: 'transient',
    sentence:
      'http://127.0.0.1:PORT/seed asks for credentials, and none were sent (401); name a Secret with username and password in secretRef, or correct url (some servers answer so for a repository that is not there)',
  });
  expect(await shown(resolveSeed(bench!, 'infra', { username: 'reader', password: 'a-wrong-word' }))).toEqual({
    reason: 'AuthFailed',
    kind: 'transient',
    sentence: 'http://127.0.0.1:PORT/seed refused the credentials (401); correct the Secret that secretRef names',
  });
  expect(redactor.scrub('a-wrong-word and cmVhZGVyOmEtd3Jvbmctd29yZA==')).toBe('*** and ***');
});

it('reads a private repository with a name and password, and with a bearer token', async () => {
  const { git, server } = await serve({ users: USERS });
  const directory = server.directory('seed');
  for (const credentials of [{ username: 'reader', password: 'reads-only' }, { bearerToken: 'reads-only' }]) {
    const repository = { url: server.cloneUrl('seed'), credentials };
    const commit = await git.fetch(repository, await git.resolve(repository, 'infra', OPTIONS), OPTIONS);
    expect(commit.author).toBe('Fog Dong');
  }
  expect(directory).toContain('seed.git');
  expect(new Set(server.requests().map(({ user, status }) => `${user} ${status}`))).toEqual(new Set(['reader 200']));
});

it('refuses a file, a read and a pack that are too large, and a tree with too many files', async () => {
  const { git, server } = await serve({ limits: { fileBytes: 1000, readBytes: 1500, entries: 3 } });
  const directory = server.directory('seed');
  const fetched = async (branch: string) => {
    const repository = { url: server.cloneUrl('seed') };
    const { id } = await git.fetch(repository, await git.resolve(repository, branch, OPTIONS), OPTIONS);
    return git.tree(repository, id, OPTIONS);
  };
  await commitFiles(
    directory,
    'sizes',
    { large: 'x'.repeat(1001), a: 'x'.repeat(900), b: 'y'.repeat(900) },
    { message: 'Sizes', date: DATE },
  );
  const tree = await fetched('sizes');
  expect((await shown(tree.read(['large']))).sentence).toMatch(
    /^large in http:\S+ at commit \w{7} has 1001 bytes, the limit is 1000; make it smaller/,
  );
  expect(await shown(tree.read(['a', 'b']))).toMatchObject({
    reason: 'TooLarge',
    kind: 'stalled',
    sentence: expect.stringContaining('have 1800 bytes together, the limit is 1500') as string,
  });
  expect((await tree.read(['a'])).get('a')?.length).toBe(900);
  await commitFiles(directory, 'many', { a: '', b: '', c: '', d: '' }, { message: 'Many', date: DATE });
  expect(await shown(fetched('many'))).toMatchObject({
    reason: 'TooLarge',
    kind: 'stalled',
    sentence: expect.stringContaining('has 4 files, the limit is 3') as string,
  });
});

it('stops a pack that is larger than the limit, and a listing that never ends', async () => {
  const { git, server } = await serve({ limits: { packBytes: 1_000_000, outputBytes: 20_000 } });
  const directory = server.directory('seed');
  await commitFiles(directory, 'large', { large: randomBytes(3_000_000) }, { message: 'Large', date: DATE });
  const repository = { url: server.cloneUrl('seed') };
  const tip = await git.resolve(repository, 'large', OPTIONS);
  expect(await shown(git.fetch(repository, tip, OPTIONS))).toMatchObject({ reason: 'TooLarge', kind: 'stalled' });
  await commitFiles(directory, 'wide', Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`file-${index}`, ''])), {
    message: 'Wide',
    date: DATE,
  });
  const { id } = await git.fetch(repository, await git.resolve(repository, 'wide', OPTIONS), OPTIONS);
  expect(await shown(git.tree(repository, id, OPTIONS))).toMatchObject({ reason: 'TooLarge', kind: 'stalled' });
});

it('lets nothing near git that it could take for an option or another program', async () => {
  const { git, server } = await serve();
  const url = server.cloneUrl('seed');
  for (const bad of [
    'ext::sh -c id',
    'file:///etc',
    '--upload-pack=id',
    'git://127.0.0.1/x',
    'http://u:p@127.0.0.1/x',
    'http://127.0.0.1/x\ny',
  ]) {
    expect(await shown(git.resolve({ url: bad }, 'infra', OPTIONS))).toMatchObject({
      reason: expect.stringMatching(/^(InvalidURL|Unsupported)$/) as string,
      kind: 'stalled',
    });
  }
  for (const bad of ['--upload-pack=id', 'a b', 'x\ny', '+refs/*:refs/*', 'refs/heads/x', 'a..b', '']) {
    expect(await shown(git.resolve({ url }, bad, OPTIONS))).toMatchObject({ reason: 'InvalidRef', kind: 'stalled' });
  }
  for (const commit of ['HEAD', '--output=x', 'a'.repeat(39)]) {
    expect(await shown(git.fetch({ url }, { branch: 'infra', commit }, OPTIONS))).toMatchObject({ reason: 'Internal' });
    expect(await shown(git.tree({ url }, commit, OPTIONS))).toMatchObject({ reason: 'Internal' });
  }
  expect(server.requestCount()).toBe(0);
});

it('sends no credentials in the clear to another machine', async () => {
  const { git } = await serve();
  const repository = { url: 'http://git.example.com/seed', credentials: { username: 'reader', password: 'reads-only' } };
  expect(await shown(git.resolve(repository, 'infra', OPTIONS))).toEqual({
    reason: 'SecretInvalid',
    kind: 'stalled',
    sentence: 'http://git.example.com/seed would send the credentials unencrypted over http://; use https:// in url, or remove secretRef',
  });
});
