import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { branchTip, git } from '#dev/git-repository.ts';
import { type GitServer, startGitServer } from '#dev/git-server.ts';
import { commitFiles, resetBranch, SEED_REPOSITORY, seedRepository } from '#dev/seed.ts';

const USERS = [
  { name: 'reader', password: 'reads-only', write: false },
  { name: 'writer', password: 'reads-and-writes', write: true },
];
const DATE = new Date('2026-01-02T03:04:05Z');

let folder: string;
let server: GitServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  server = await startGitServer({ root: join(folder, 'served'), users: USERS });
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** A clone without a work tree, into which and from which tests fetch and push. */
async function clone(url: string): Promise<string> {
  const directory = join(folder, 'clone.git');
  await git(folder, ['clone', '--quiet', '--bare', url, directory]);
  return directory;
}

it('serves the repository of the seed document under the path of its URL, with the same commits every time', async () => {
  const seed = await seedRepository(await server.createRepository(SEED_REPOSITORY, { public: true }));
  expect(seed).toEqual({ infra: 'dab59a99498f7a6fbb0164f7034cb83a8a1ae87f', image: '965dc475c7be3d2fc4c087609271105474c6f1f9' });
  expect(await seedRepository(server.directory(SEED_REPOSITORY))).toEqual(seed);
  expect(server.cloneUrl(SEED_REPOSITORY)).toBe(`${server.url}/FogDong/KubeVela-GitOps-Infra-Demo`);
  const cloned = await clone(server.cloneUrl(SEED_REPOSITORY));
  expect(await git(cloned, ['ls-tree', '-r', '--name-only', 'infra'])).toBe(
    'infrastructure/server-config.yaml\ninfrastructure/server.yaml',
  );
  expect(await git(cloned, ['show', 'image:application/my-app.yaml'])).toContain('image: nginx # {"$imagepolicy": "default:image-gitops"}');
  expect(await git(cloned, ['log', '-1', '--format=%an <%ae> %ct', 'infra'])).toBe('Fog Dong <fog@example.com> 1656571800');
});

it('lets those in who may: by Basic authentication, and for reading a public repository everybody', async () => {
  const directory = await server.createRepository('private');
  await server.createRepository('open', { public: true });
  const commit = await commitFiles(directory, 'main', { a: 'a' }, { message: 'One', date: DATE });
  const list = (url: string): Promise<string> => git(folder, ['ls-remote', url, 'refs/heads/main']);
  await expect(list(server.cloneUrl('private'))).rejects.toThrow('could not read Username');
  await expect(list(server.cloneUrl('private', 'reader').replace('reads-only', 'wrong'))).rejects.toThrow('Authentication failed');
  expect(await list(server.cloneUrl('private', 'reader'))).toBe(`${commit}\trefs/heads/main`);
  expect(await list(`${server.cloneUrl('private', 'writer')}.git`)).toBe(`${commit}\trefs/heads/main`);
  expect(await list(server.cloneUrl('open'))).toBe('');
  await expect(list(`${server.url}/nothing`)).rejects.toThrow('could not read Username');
  await expect(list(server.cloneUrl('nothing', 'reader'))).rejects.toThrow('not found');
});

it('takes pushes of those who may write, also large and chunked ones', async () => {
  const directory = await server.createRepository('app');
  await commitFiles(directory, 'main', { a: 'a' }, { message: 'One', date: DATE });
  const cloned = await clone(server.cloneUrl('app', 'writer'));
  // Over http.postBuffer (1 MiB) git sends the pack in chunks, without a length.
  const large = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7919 * (index % 251)) % 256));
  const commit = await commitFiles(cloned, 'main', { large }, { message: 'Two', date: DATE });
  await expect(git(cloned, ['push', '--quiet', server.cloneUrl('app', 'reader'), 'main'])).rejects.toThrow('403');
  await git(cloned, ['push', '--quiet', server.cloneUrl('app', 'writer'), 'main']);
  expect(await branchTip(directory, 'main')).toBe(commit);
  expect(
    server
      .requests()
      .filter(({ method, service }) => method === 'POST' && service === 'receive-pack')
      .at(-1),
  ).toMatchObject({ user: 'writer', status: 200 });
});

it('commits additions, changes and removals without a work tree, and moves branches', async () => {
  const directory = await server.createRepository('app');
  const first = await commitFiles(
    directory,
    'main',
    { 'a b/c': 'one', gone: 'x', run: { executable: '#!' }, link: { symlink: '../x' } },
    { message: 'One', date: DATE },
  );
  const second = await commitFiles(directory, 'main', { 'a b/c': 'two', gone: null }, { message: 'Two\n\nBody', date: DATE });
  expect(await git(directory, ['log', '--format=%H %s', 'main'])).toBe(`${second} Two\n${first} One`);
  const listing = await git(directory, ['ls-tree', '-r', 'main']);
  expect(listing.replace(/ blob \w+\t/g, ' ')).toBe('100644 a b/c\n120000 link\n100755 run');
  expect(await git(directory, ['show', 'main:a b/c'])).toBe('two');
  await resetBranch(directory, 'main', first);
  expect(await branchTip(directory, 'main')).toBe(first);
  await resetBranch(directory, 'main', undefined);
  expect(await branchTip(directory, 'main')).toBeUndefined();
});

it('goes wrong on purpose, and counts requests', async () => {
  const directory = await server.createRepository('app', { public: true });
  await commitFiles(directory, 'main', { a: 'a' }, { message: 'One', date: DATE });
  const list = (): Promise<string> => git(folder, ['ls-remote', server.cloneUrl('app')]);
  server.setFault('app', { status: 503 });
  await expect(list()).rejects.toThrow('503');
  server.setFault('app', { only: '/git-upload-pack', cutAfterBytes: 8 });
  await expect(list()).rejects.toThrow('RPC failed');
  server.setFault('app', { delayMs: 300 });
  const begun = performance.now();
  await list();
  expect(performance.now() - begun).toBeGreaterThan(600);
  server.setFault('app', undefined);
  await list();
  expect([server.requestCount('app'), server.requestCount('other'), server.requestCount()]).toEqual([7, 0, 7]);
  expect(
    server
      .requests()
      .map(({ method, status }) => `${method} ${status}`)
      .slice(-2),
  ).toEqual(['GET 200', 'POST 200']);
});
