import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { GitLimits, Tree } from '#agent/git/git.ts';
import { commitFiles, seedRepository } from '#dev/seed.ts';
import { type GitBench, processesWith, startGitBench } from '#test/support/git.ts';

const OPTIONS = { timeoutMs: 15_000 };
const DATE = new Date('2026-01-02T03:04:05Z');

let bench: GitBench | undefined;

afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

async function serve(limits: Partial<GitLimits> = {}): Promise<GitBench> {
  bench = await startGitBench({ limits });
  return bench;
}

async function pull({ git, server }: GitBench, name: string, branch: string): Promise<Tree> {
  const repository = { url: server.cloneUrl(name) };
  const { id } = await git.fetch(repository, await git.resolve(repository, branch, OPTIONS), OPTIONS);
  return git.tree(repository, id, OPTIONS);
}

const posts = ({ server }: GitBench): number => server.requests().filter(({ method }) => method === 'POST').length;

/** Files in the cache whose path ends so. */
async function cached({ cacheDir }: GitBench, ending: string): Promise<string[]> {
  const entries = await readdir(cacheDir, { recursive: true });
  return entries.filter((entry) => entry.endsWith(ending)).map((entry) => join(cacheDir, entry));
}

it('heals when it is deleted while a tree is in use', async () => {
  const { server, git, cacheDir } = await serve();
  await seedRepository(await server.createRepository('seed'));
  const repository = { url: server.cloneUrl('seed') };
  const { id } = await git.fetch(repository, await git.resolve(repository, 'infra', OPTIONS), OPTIONS);
  const tree = await git.tree(repository, id, OPTIONS);
  const before = posts(bench!);
  await rm(cacheDir, { recursive: true });
  // A process that is reading has the files open; whoever comes after it finds nothing.
  await expect.poll(() => processesWith(cacheDir), { timeout: 10_000 }).toEqual([]);
  expect([...(await tree.read(['infrastructure/server.yaml'])).keys()]).toEqual(['infrastructure/server.yaml']);
  expect((await git.tree(repository, id, OPTIONS)).entries).toEqual(tree.entries);
  expect(posts(bench!)).toBe(before + 1);
  await rm(cacheDir, { recursive: true });
  expect((await pull(bench!, 'seed', 'infra')).entries).toEqual(tree.entries);
  expect((await pull(bench!, 'seed', 'image')).entries).toHaveLength(1);
});

it('heals when its packs are damaged', async () => {
  const { server } = await serve();
  await seedRepository(await server.createRepository('seed'));
  const tree = await pull(bench!, 'seed', 'infra');
  const [pack] = await cached(bench!, '.pack');
  const bytes = await readFile(pack!);
  bytes.fill(0, 12);
  await chmod(pack!, 0o600);
  await writeFile(pack!, bytes);
  expect((await tree.read(['infrastructure/server.yaml'])).get('infrastructure/server.yaml')?.toString()).toContain('image: nginx');
  expect((await pull(bench!, 'seed', 'infra')).entries).toEqual(tree.entries);
});

it('goes on after a git that was killed left its lock', async () => {
  const { server } = await serve();
  await seedRepository(await server.createRepository('seed'));
  await pull(bench!, 'seed', 'infra');
  const [head] = await cached(bench!, '/HEAD');
  await writeFile(join(head!, '..', 'shallow.lock'), '');
  await writeFile(join(head!, '..', 'objects', 'pack', 'tmp_pack_x'), 'x');
  expect((await pull(bench!, 'seed', 'image')).entries).toHaveLength(1);
  expect(await cached(bench!, 'tmp_pack_x')).toEqual([]);
  expect(await cached(bench!, '/HEAD')).toEqual([head]);
});

it('stays small: a repository is fetched anew after so many fetches, and old repositories go', async () => {
  const { server } = await serve({ repositoryFetches: 3, repositories: 2 });
  const directory = await server.createRepository('app');
  for (let index = 0; index < 5; index++) {
    await commitFiles(directory, 'main', { a: `${index}` }, { message: `Commit ${index}`, date: DATE });
    await pull(bench!, 'app', 'main');
    expect(await cached(bench!, '/HEAD')).toHaveLength(1);
  }
  expect(await cached(bench!, '.pack')).toHaveLength(2);
  for (const name of ['b', 'c']) {
    await commitFiles(await server.createRepository(name), 'main', { a: 'a' }, { message: 'One', date: DATE });
    await pull(bench!, name, 'main');
  }
  expect(await cached(bench!, '/HEAD')).toHaveLength(2);
});

it('serves many branches and commits of one repository side by side', async () => {
  const { server } = await serve();
  const directory = await server.createRepository('app');
  const names = Array.from({ length: 8 }, (_, index) => `branch-${index}`);
  for (const name of names) await commitFiles(directory, name, { file: name }, { message: name, date: DATE });
  const trees = await Promise.all(names.map((name) => pull(bench!, 'app', name)));
  const contents = await Promise.all(trees.map((tree) => tree.read(['file'])));
  expect(contents.map((files) => files.get('file')?.toString())).toEqual(names);
});

it('removes what killed agents have left, and at the end its own', async () => {
  const { server, cacheDir, git } = await serve();
  await seedRepository(await server.createRepository('seed'));
  const { pid } = spawnSync('true');
  const leftOver = join(cacheDir, `git-${pid}-0123abcd`);
  await mkdir(join(leftOver, 'repositories'), { recursive: true });
  await mkdir(join(cacheDir, 'something-else'));
  await pull(bench!, 'seed', 'infra');
  expect((await readdir(cacheDir)).filter((name) => !name.startsWith(`git-${process.pid}-`))).toEqual(['something-else']);
  await git.close();
  expect(await readdir(cacheDir)).toEqual(['something-else']);
});

it('holds no secret in names or contents of its files', async () => {
  const { server, git, cacheDir } = await serve();
  await seedRepository(await server.createRepository('seed'));
  const repository = { url: server.cloneUrl('seed'), credentials: { username: 'someone', password: 'a-very-secret-word' } };
  await git.fetch(repository, await git.resolve(repository, 'infra', OPTIONS), OPTIONS);
  const files = await readdir(cacheDir, { recursive: true, withFileTypes: true });
  expect(files.length).toBeGreaterThan(5);
  const spellings = ['a-very-secret-word', Buffer.from('someone:a-very-secret-word').toString('base64')];
  for (const file of files) {
    const path = join(file.parentPath, file.name);
    const content = file.isFile() ? await readFile(path, 'latin1') : '';
    for (const spelling of spellings) expect(`${path} ${content}`).not.toContain(spelling);
  }
});
