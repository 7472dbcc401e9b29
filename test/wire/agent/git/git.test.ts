import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitFiles, resetBranch, seedRepository } from '#dev/seed.ts';
import { git as plainGit } from '#dev/git-repository.ts';
import { type GitBench, startGitBench } from '#test/support/git.ts';

const OPTIONS = { timeoutMs: 15_000 };
const DATE = new Date('2026-01-02T03:04:05Z');

let bench: GitBench;

beforeEach(async () => {
  bench = await startGitBench();
});

afterEach(() => bench.close());

const posts = (): number => bench.server.requests().filter(({ method, status }) => method === 'POST' && status === 200).length;

describe('resolve, fetch and tree', () => {
  it('reads the repository of the seed document', async () => {
    const seed = await seedRepository(await bench.server.createRepository('seed'));
    const repository = { url: bench.server.cloneUrl('seed') };
    const tip = await bench.git.resolve(repository, 'infra', OPTIONS);
    expect(tip).toEqual({ branch: 'infra', commit: seed.infra });
    expect(await bench.git.fetch(repository, tip, OPTIONS)).toEqual({
      id: seed.infra,
      author: 'Fog Dong',
      email: 'fog@example.com',
      committedAt: '2022-06-30T06:50:00Z',
      subject: 'Add the server and its configuration',
    });
    const tree = await bench.git.tree(repository, tip.commit, OPTIONS);
    expect(tree.entries.map(({ path, kind, size }) => ({ path, kind, size }))).toEqual([
      { path: 'infrastructure/server-config.yaml', kind: 'file', size: 110 },
      { path: 'infrastructure/server.yaml', kind: 'file', size: 198 },
    ]);
    const files = await tree.read(['infrastructure/server-config.yaml']);
    expect([...files.keys()]).toEqual(['infrastructure/server-config.yaml']);
    expect(files.get('infrastructure/server-config.yaml')?.toString()).toContain('config: my-config');
    const ids = await plainGit(bench.server.directory('seed'), ['rev-parse', 'infra^{tree}', 'infra:infrastructure']);
    expect([tree.treeId(''), tree.treeId('infrastructure')]).toEqual(ids.split('\n'));
    expect(tree.treeId('infrastructure/server.yaml')).toBeUndefined();
  });

  it('takes the default branch of the remote where none is named', async () => {
    const directory = await bench.server.createRepository('app', { branch: 'trunk' });
    await commitFiles(directory, 'main', { a: 'a' }, { message: 'Not the default', date: DATE });
    const commit = await commitFiles(directory, 'trunk', { a: 'b' }, { message: 'The default', date: DATE });
    expect(await bench.git.resolve({ url: bench.server.cloneUrl('app') }, undefined, OPTIONS)).toEqual({ branch: 'trunk', commit });
  });

  it('lists links and submodules and follows neither', async () => {
    const directory = await bench.server.createRepository('app');
    const submodule = '1'.repeat(40);
    const files = {
      'bin/run': { executable: '#!/bin/sh\n' },
      'bin/passwd': { symlink: '/etc/passwd' },
      vendor: { submodule },
      'z ü\t.yaml': 'z',
    };
    const commit = await commitFiles(directory, 'main', files, { message: 'Kinds', date: DATE });
    const repository = { url: bench.server.cloneUrl('app') };
    await bench.git.fetch(repository, { branch: 'main', commit }, OPTIONS);
    const tree = await bench.git.tree(repository, commit, OPTIONS);
    expect(tree.entries.map(({ oid, ...rest }) => ({ ...rest, oid: oid.length }))).toEqual([
      { path: 'bin/passwd', kind: 'symlink', executable: false, size: 11, oid: 40 },
      { path: 'bin/run', kind: 'file', executable: true, size: 10, oid: 40 },
      { path: 'vendor', kind: 'submodule', executable: false, size: 0, oid: 40 },
      { path: 'z ü\t.yaml', kind: 'file', executable: false, size: 1, oid: 40 },
    ]);
    const contents = await tree.read(['bin/passwd', 'z ü\t.yaml']);
    expect([...contents].map(([path, content]) => [path, content.toString()])).toEqual([
      ['bin/passwd', '/etc/passwd'],
      ['z ü\t.yaml', 'z'],
    ]);
    await expect(tree.read(['vendor'])).rejects.toMatchObject({
      reason: 'PathNotFound',
      message: expect.stringContaining('vendor is a submodule') as string,
    });
    await expect(tree.read(['bin'])).rejects.toMatchObject({
      reason: 'PathNotFound',
      message: expect.stringContaining('bin is a folder') as string,
    });
    await expect(tree.read(['nothing'])).rejects.toMatchObject({
      reason: 'PathNotFound',
      message: expect.stringContaining('nothing is not there') as string,
    });
  });

  it('follows a force-push and an emptied branch', async () => {
    const directory = await bench.server.createRepository('app');
    const repository = { url: bench.server.cloneUrl('app') };
    const follow = async (): Promise<string[]> => {
      const tip = await bench.git.resolve(repository, 'main', OPTIONS);
      const { id } = await bench.git.fetch(repository, tip, OPTIONS);
      return (await bench.git.tree(repository, id, OPTIONS)).entries.map(({ path }) => path);
    };
    const first = await commitFiles(directory, 'main', { a: 'a' }, { message: 'One', date: DATE });
    await commitFiles(directory, 'main', { b: 'b' }, { message: 'Two', date: DATE });
    expect(await follow()).toEqual(['a', 'b']);
    await resetBranch(directory, 'main', first);
    await commitFiles(directory, 'main', { c: 'c' }, { message: 'Two, rewritten', date: DATE });
    expect(await follow()).toEqual(['a', 'c']);
    await commitFiles(directory, 'main', { a: null, c: null }, { message: 'Empty', date: DATE });
    expect(await follow()).toEqual([]);
  });
});

describe('what goes over the wire', () => {
  it('is one listing for concurrent calls of resolve', async () => {
    const seed = await seedRepository(await bench.server.createRepository('seed'));
    bench.server.setFault('seed', { delayMs: 100 });
    const repository = { url: bench.server.cloneUrl('seed') };
    const tips = await Promise.all(['infra', 'infra', 'image'].map((branch) => bench.git.resolve(repository, branch, OPTIONS)));
    expect(tips.map(({ commit }) => commit)).toEqual([seed.infra, seed.infra, seed.image]);
    expect(
      bench.server
        .requests()
        .map(({ method }) => method)
        .sort(),
    ).toEqual(['POST', 'POST']);
  });

  it('is one POST for concurrent fetches, and nothing for a commit that is there', async () => {
    const seed = await seedRepository(await bench.server.createRepository('seed'));
    const repository = { url: bench.server.cloneUrl('seed') };
    const tip = { branch: 'infra', commit: seed.infra };
    await Promise.all([1, 2, 3].map(() => bench.git.fetch(repository, tip, OPTIONS)));
    expect(posts()).toBe(1);
    const before = bench.server.requestCount();
    expect((await bench.git.fetch(repository, tip, OPTIONS)).id).toBe(seed.infra);
    const tree = await bench.git.tree(repository, seed.infra, OPTIONS);
    await tree.read(['infrastructure/server.yaml']);
    expect(bench.server.requestCount()).toBe(before);
  });

  it('is the new tip where the branch moved and the old one is gone', async () => {
    const directory = await bench.server.createRepository('app');
    const commit = await commitFiles(directory, 'main', { a: 'a' }, { message: 'Here', date: DATE });
    const repository = { url: bench.server.cloneUrl('app') };
    const gone = { branch: 'main', commit: '1'.repeat(40) };
    expect((await bench.git.fetch(repository, gone, OPTIONS)).id).toBe(commit);
    await expect(bench.git.tree(repository, gone.commit, OPTIONS)).rejects.toMatchObject({ reason: 'GitFailed', kind: 'transient' });
  });

  it('keeps one caller going when another one leaves', async () => {
    const seed = await seedRepository(await bench.server.createRepository('seed'));
    bench.server.setFault('seed', { delayMs: 300 });
    const repository = { url: bench.server.cloneUrl('seed') };
    const leaving = new AbortController();
    const first = bench.git.resolve(repository, 'infra', { ...OPTIONS, signal: leaving.signal });
    const second = bench.git.resolve(repository, 'infra', OPTIONS);
    const left = expect(first).rejects.toThrow('no longer needed');
    setTimeout(() => leaving.abort(new Error('no longer needed')), 100);
    await left;
    expect((await second).commit).toBe(seed.infra);
    expect(bench.server.requestCount()).toBe(1);
  });
});
