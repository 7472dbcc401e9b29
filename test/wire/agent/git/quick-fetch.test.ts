import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { gitEnvironment } from '#agent/git/environment.ts';
import type { Commit } from '#agent/git/git.ts';
import { commitFiles, git } from '#dev/git-repository.ts';
import { type AppBench, startAppBench } from '#test/support/git.ts';

const OPTIONS = { timeoutMs: 15_000 };
const QUICKLY = ['POST /git-upload-pack 200'];
/** What the server speaks, then the pack. */
const BY_GIT = ['GET /info/refs 200', 'POST /git-upload-pack 200'];

let bench: AppBench;

beforeEach(async () => {
  bench = await startAppBench();
});

afterEach(() => bench.close());

const commit = (files: Record<string, string>) => commitFiles(bench.directory, 'main', files, { message: 'Change' });
const tip = () => bench.git.resolve(bench.repository, 'main', OPTIONS);

/** What a fetch of the tip asks the server for, and what it brings. */
async function fetching(): Promise<{ asked: string[]; commit: Commit; files: Record<string, string> }> {
  const wanted = await tip();
  const before = bench.server.requests().length;
  const fetched = await bench.git.fetch(bench.repository, wanted, OPTIONS);
  const asked = bench.server.requests().slice(before);
  const tree = await bench.git.tree(bench.repository, fetched.id, OPTIONS);
  const contents = await tree.read(tree.entries.map(({ path }) => path));
  return {
    asked: asked.map(({ method, path, status }) => `${method} ${path.replace('/app', '')} ${status}`),
    commit: fetched,
    files: Object.fromEntries([...contents].map(([path, content]) => [path, content.toString()])),
  };
}

/** The one repository of the cache. */
async function cached(): Promise<string> {
  const heads = (await readdir(bench.cacheDir, { recursive: true })).filter((path) => path.endsWith('/HEAD'));
  expect(heads).toHaveLength(1);
  return dirname(join(bench.cacheDir, heads[0]!));
}

it('takes one request for each commit, and asks for what is new alone', async () => {
  const large = randomBytes(300_000).toString('hex');
  const first = await commit({ large, a: '0' });
  expect(await fetching()).toMatchObject({ asked: QUICKLY, commit: { id: first }, files: { large, a: '0' } });
  for (const a of ['1', '2', '3']) {
    const id = await commit({ a });
    expect(await fetching()).toMatchObject({ asked: QUICKLY, commit: { id }, files: { large, a } });
  }
  const sizes = (await git(await cached(), ['count-objects', '-v'])).split('\n');
  expect(Number(sizes.find((line) => line.startsWith('size-pack'))?.split(' ')[1])).toBeLessThan(400);
});

it('leaves a repository that git finds whole and goes on with', async () => {
  for (const a of ['0', '1']) {
    await commit({ a });
    await fetching();
  }
  const held = await cached();
  expect(await git(held, ['fsck', '--strict', '--no-dangling'])).toBe('');
  expect(await git(held, ['rev-parse', '--is-shallow-repository'])).toBe('true');
  expect((await git(held, ['rev-list', '--all'])).split('\n').filter(Boolean)).toHaveLength(2);

  // One listing the quick way is answered, the pack is not: git fetches it into the same folder.
  const id = await commit({ a: '2' });
  const wanted = await tip();
  bench.server.setFault('app', { status: 503 });
  await expect(bench.git.fetch(bench.repository, wanted, OPTIONS)).rejects.toMatchObject({ reason: 'Unreachable' });
  bench.server.setFault('app', undefined);
  expect(await fetching()).toMatchObject({ asked: BY_GIT, commit: { id }, files: { a: '2' } });
  expect(await cached()).toBe(held);
});

it('leaves a large answer to git, and does not ask for it once more', async () => {
  await commit({ large: randomBytes(3_000_000).toString('latin1') });
  const { asked } = await fetching();
  expect(asked.slice(1)).toEqual(BY_GIT);
  await commit({ a: '1' });
  expect((await fetching()).asked).toEqual(BY_GIT);
});

it('carries a publish, and the fetch of what is made upon it', async () => {
  await commit({ a: '0' });
  await fetching();
  const change = {
    author: { name: 'Lateen', email: 'lateen@example.org' },
    timeMs: 1_767_323_045_000,
    message: 'Update',
    files: [{ path: 'a', content: Buffer.from('1'), executable: false }],
  };
  const wanted = await tip();
  expect(await bench.git.publish(bench.repository, wanted, change, OPTIONS)).toMatchObject({ outcome: 'pushed' });
  expect((await fetching()).files).toEqual({ a: '1' });
  await commit({ b: '2' });
  expect(await fetching()).toMatchObject({ asked: QUICKLY, files: { a: '1', b: '2' } });
});

it('refuses what git refuses, in the words of git', async () => {
  await commit({ a: '0' });
  const make = (args: string[], input: string) => spawnSync('git', args, { cwd: bench.directory, input, encoding: 'utf8' }).stdout.trim();
  const blob = make(['hash-object', '-w', '--stdin'], 'x');
  const bad = make(['mktree'], `100644 blob ${blob}\t.GIT\n`);
  const made = await git(bench.directory, ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit-tree', bad, '-m', 'bad']);
  await git(bench.directory, ['update-ref', 'refs/heads/main', made.trim()]);
  await expect(fetching()).rejects.toMatchObject({
    reason: 'GitFailed',
    message: expect.stringContaining('holds an object that Git refuses') as string,
  });
});

it('takes little memory for a pack that unfolds to very much', async () => {
  const bytes = 200_000_000;
  const make = (args: string[], input: string | Buffer) => spawnSync('git', args, { cwd: bench.directory, input }).stdout.toString().trim();
  const tree = make(['mktree'], `100644 blob ${make(['hash-object', '-w', '--stdin'], Buffer.alloc(bytes))}\tzeros\n`);
  await git(bench.directory, [
    'update-ref',
    'refs/heads/main',
    make(['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit-tree', tree, '-m', 'x'], ''),
  ]);
  const pack = spawnSync('git', ['pack-objects', '--all', '--stdout'], { cwd: bench.directory, input: '' }).stdout;
  expect(pack.length).toBeLessThan(2 * 1024 * 1024);

  const home = await mkdtemp(join(bench.folder, 'home-'));
  await git(home, ['init', '--quiet', '--bare', '--template=']);
  // Address space in KB: half of what the file has.
  const limited = ['-c', 'ulimit -v 100000; exec git index-pack --stdin --strict'];
  const kept = spawnSync('sh', limited, { cwd: home, env: gitEnvironment({ home, directory: home }), input: pack, encoding: 'utf8' });
  expect([kept.status, kept.stderr]).toEqual([0, '']);

  const wanted = await tip();
  await bench.git.fetch(bench.repository, wanted, OPTIONS);
  const { entries, read } = await bench.git.tree(bench.repository, wanted.commit, OPTIONS);
  expect(entries).toMatchObject([{ path: 'zeros', size: bytes }]);
  await expect(read(['zeros'])).rejects.toMatchObject({ reason: 'TooLarge' });
});

it('reads of a commit what git log shows of it', async () => {
  await commit({ a: '0' });
  const tree = (await git(bench.directory, ['rev-parse', 'main^{tree}'])).trim();
  const messages = ['Größe\ntwo\n\nthree', '', '\n\n  indented\nsecond\n', 'ends with space  \n \nbody', 'tab\there'];
  for (const [index, message] of messages.entries()) {
    const env = {
      ...process.env,
      GIT_AUTHOR_NAME: index === 0 ? 'Ada' : `Größe ${index}`,
      GIT_AUTHOR_EMAIL: 'a b@example.org',
      GIT_COMMITTER_NAME: 'c',
      GIT_COMMITTER_EMAIL: 'c@d',
    };
    const encoding = index === 0 ? ['-c', 'i18n.commitEncoding=ISO-8859-1'] : [];
    const input = Buffer.from(message, index === 0 ? 'latin1' : 'utf8');
    const made = spawnSync('git', [...encoding, 'commit-tree', tree], { cwd: bench.directory, env, input, encoding: 'utf8' }).stdout.trim();
    await git(bench.directory, ['update-ref', 'refs/heads/main', made]);
    const shown = await git(bench.directory, ['log', '-1', '--format=%an%x00%ae%x00%ct%x00%s', made]);
    const [author, email, seconds, subject] = shown.replace(/\n$/, '').split('\0');
    const committedAt = new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z');
    const fetched = (await fetching()).commit;
    expect({ ...fetched, subject: fetched.subject.trim() }).toEqual({
      id: made,
      author,
      email,
      committedAt,
      subject: subject?.trim(),
    });
  }
});
