import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommitChange, Git, PushOutcome, Repository } from '#agent/git/git.ts';
import { branchTip, commitFiles, git as plainGit } from '#dev/git-repository.ts';
import { type GitBench, processesWith, startGitBench } from '#test/support/git.ts';

const OPTIONS = { timeoutMs: 20_000 };
const USERS = [
  { name: 'writer', password: 'may-write-all', write: true },
  { name: 'reader', password: 'may-only-read', write: false },
];
const AUTHOR = { name: 'kubevelabot', email: 'kubevelabot@users.noreply.github.com' };

let bench: GitBench;
let directory: string;
let repository: Repository;

beforeEach(async () => {
  bench = await startGitBench({ users: USERS });
  directory = await bench.server.createRepository('config');
  await commitFiles(
    directory,
    'main',
    { 'a b/\\é.yaml': 'old\n', 'run.sh': { executable: '#!/bin/sh\n' }, 'other.yaml': 'stays\n' },
    { message: 'first' },
  );
  repository = { url: bench.server.cloneUrl('config'), credentials: { username: 'writer', password: 'may-write-all' } };
});

afterEach(() => bench.close());

function change(path: string, content: string, more: Partial<CommitChange> = {}): CommitChange {
  return {
    author: AUTHOR,
    timeMs: 1_634_977_126_000,
    message: 'Update image automatically.',
    files: [{ path, content: Buffer.from(content), executable: false }],
    ...more,
  };
}

async function publish(what: CommitChange, { git, as = repository }: { git?: Git; as?: Repository } = {}): Promise<PushOutcome> {
  const client = git ?? bench.git;
  const tip = await client.resolve(as, 'main', OPTIONS);
  await client.fetch(as, tip, OPTIONS);
  return client.publish(as, tip, what, OPTIONS);
}

describe('a commit', () => {
  it('changes its file alone, and says byte for byte what it was given', async () => {
    const parent = await branchTip(directory, 'main');
    const message = 'Update image automatically.\nImage: ghcr.io/fogdong/test-fog:1\n\n# kept\n  \n';
    const pushed = await publish(change('a b/\\é.yaml', 'new\n', { message }));
    expect(pushed).toEqual({ outcome: 'pushed', commit: await branchTip(directory, 'main') });
    const raw = await plainGit(directory, ['cat-file', 'commit', 'main']);
    const person = 'kubevelabot <kubevelabot@users.noreply.github.com> 1634977126 +0000';
    const [head, ...body] = raw.split('\n\n');
    expect(head?.split('\n').slice(1)).toEqual([`parent ${parent}`, `author ${person}`, `committer ${person}`]);
    expect(`${body.join('\n\n')}\n`).toBe(message);
    expect(await plainGit(directory, ['diff', '--raw', '--name-only', '-z', 'main^', 'main'])).toBe('a b/\\é.yaml\0');
    expect(await plainGit(directory, ['show', 'main:a b/\\é.yaml'])).toBe('new');
    await expect(plainGit(directory, ['fsck', '--strict'])).resolves.toBe('');
  });

  it('keeps the mode of a program', async () => {
    await publish(change('', '', { files: [{ path: 'run.sh', content: Buffer.from('#!/bin/sh\n#new\n'), executable: true }] }));
    expect(await plainGit(directory, ['diff', '--summary', 'main^', 'main'])).toBe('');
    expect(await plainGit(directory, ['ls-tree', 'main', 'run.sh'])).toMatch(/^100755 /);
  });

  it('is known to the cache once it was pushed: the next pull fetches nothing', async () => {
    const pushed = await publish(change('other.yaml', 'new\n'));
    const posts = (): number =>
      bench.server.requests().filter(({ method, service }) => method === 'POST' && service === 'upload-pack').length;
    const tip = await bench.git.resolve(repository, 'main', OPTIONS);
    expect(pushed).toMatchObject({ commit: tip.commit });
    const before = posts();
    expect((await bench.git.fetch(repository, tip, OPTIONS)).author).toBe('kubevelabot');
    expect(posts()).toBe(before);
  });

  it('is made with a name that Git would not take', async () => {
    const author = { name: 'a<b>\nc', email: '<x@y>' };
    await publish(change('other.yaml', 'x', { author, message: 'nul\0s' }));
    expect(await plainGit(directory, ['log', '-1', '--format=%an|%ae|%B', 'main'])).toBe('abc|x@y|nuls\n'.trimEnd());
  });
});

describe('a push', () => {
  it('that came too late is no failure, and takes nothing away', async () => {
    const tip = await bench.git.resolve(repository, 'main', OPTIONS);
    await bench.git.fetch(repository, tip, OPTIONS);
    const theirs = await commitFiles(directory, 'main', { 'other.yaml': 'theirs' }, { message: 'theirs' });
    expect(await bench.git.publish(repository, tip, change('other.yaml', 'ours'), OPTIONS)).toEqual({ outcome: 'raced' });
    expect(await branchTip(directory, 'main')).toBe(theirs);
    expect(await publish(change('other.yaml', 'ours'))).toMatchObject({ outcome: 'pushed' });
    expect(await plainGit(directory, ['log', '--format=%s', 'main'])).toBe('Update image automatically.\ntheirs\nfirst');
  });

  it('to a branch that was forced back does not bring the old commits back', async () => {
    const first = await branchTip(directory, 'main');
    await commitFiles(directory, 'main', { 'other.yaml': 'second' }, { message: 'second' });
    const tip = await bench.git.resolve(repository, 'main', OPTIONS);
    await bench.git.fetch(repository, tip, OPTIONS);
    await plainGit(directory, ['update-ref', 'refs/heads/main', first!]);
    expect(await bench.git.publish(repository, tip, change('other.yaml', 'ours'), OPTIONS)).toEqual({ outcome: 'raced' });
    expect(await branchTip(directory, 'main')).toBe(first);
  });

  it('by who may only read is forbidden', async () => {
    const as = { ...repository, credentials: { username: 'reader', password: 'may-only-read' } };
    expect(await publish(change('other.yaml', 'x'), { as })).toEqual({
      outcome: 'forbidden',
      words: expect.stringContaining('403') as string,
    });
  });

  it('to a protected branch is forbidden, in the words of the server', async () => {
    await mkdir(join(directory, 'hooks'), { recursive: true });
    const hook = join(directory, 'hooks', 'update');
    await writeFile(hook, '#!/bin/sh\necho "the branch is protected: open a merge request, may-write-all" >&2\nexit 1\n');
    await chmod(hook, 0o755);
    expect(await publish(change('other.yaml', 'x'))).toEqual({
      outcome: 'forbidden',
      words: 'hook declined; the branch is protected: open a merge request, ***',
    });
  });

  it.each([
    [{ status: 500 }, 'Unreachable'],
    [{ hang: true }, 'TimedOut'],
  ])('to a server in trouble (%j) fails', async (fault, reason) => {
    const tip = await bench.git.resolve(repository, 'main', OPTIONS);
    await bench.git.fetch(repository, tip, OPTIONS);
    bench.server.setFault('config', { ...fault, only: '/git-receive-pack' });
    await expect(bench.git.publish(repository, tip, change('other.yaml', 'x'), { timeoutMs: 2_000 })).rejects.toMatchObject({ reason });
    bench.server.setFault('config', undefined);
    expect(await publish(change('other.yaml', 'x'))).toMatchObject({ outcome: 'pushed' });
  });

  it('shows its credentials to no other process', async () => {
    bench.server.setFault('config', { delayMs: 800, only: '/git-receive-pack' });
    const running = publish(change('other.yaml', 'x'));
    let seen: string[] = [];
    for (let look = 0; look < 40 && seen.length === 0; look++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      seen = (await processesWith(bench.cacheDir)).map(({ command }) => command).filter((command) => command.includes('push'));
    }
    await running;
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.join('\n')).not.toMatch(/may-write-all|bWF5LXdyaXRl/);
  });
});

it('three writers on one branch: every change lands, and no commit is lost', async () => {
  const writers = await Promise.all([0, 1, 2].map(() => startGitBench()));
  const rounds = 4;
  await commitFiles(directory, 'main', { '0.yaml': '', '1.yaml': '', '2.yaml': '' }, { message: 'start' });
  const before = Number(await plainGit(directory, ['rev-list', '--count', 'main']));
  await Promise.all(
    writers.map(async ({ git }, index) => {
      for (let round = 0; round < rounds; ) {
        const outcome = await publish(change(`${index}.yaml`, `${round}\n`), { git });
        if (outcome.outcome === 'pushed') round += 1;
        else expect(outcome).toEqual({ outcome: 'raced' });
      }
    }),
  );
  await Promise.all(writers.map((writer) => writer.close()));
  expect(Number(await plainGit(directory, ['rev-list', '--count', 'main'])) - before).toBe(3 * rounds);
  for (const index of [0, 1, 2]) expect(await plainGit(directory, ['show', `main:${index}.yaml`])).toBe(String(rounds - 1));
});

describe('whether a branch holds a commit', () => {
  const look = async (commit: string, base: string): Promise<boolean> => {
    const tip = await bench.git.resolve(repository, 'main', OPTIONS);
    return bench.git.holds(repository, tip, { commit, base }, OPTIONS);
  };

  it('is told from the history, whatever the cache has', async () => {
    const base = (await branchTip(directory, 'main'))!;
    const ours = await commitFiles(directory, 'main', { 'other.yaml': 'ours\n' }, { message: 'ours' });
    expect(await look(ours, base)).toBe(true);
    await commitFiles(directory, 'main', { 'other.yaml': 'stays\n' }, { message: 'a revert' });
    expect(await look(ours, base)).toBe(true);
    await plainGit(directory, ['update-ref', 'refs/heads/main', base]);
    await commitFiles(directory, 'main', { 'other.yaml': 'theirs\n' }, { message: 'theirs' });
    expect(await look(ours, base)).toBe(false);
  });

  it('is taken for granted where that is too long ago', async () => {
    const base = (await branchTip(directory, 'main'))!;
    const one = `commit refs/heads/main\ncommitter A <a@example.com> 1 +0000\ndata 1\na\n`;
    await plainGit(directory, ['fast-import', '--quiet', '--force'], `${one}from ${base}\n\n${`${one}\n`.repeat(999)}`);
    expect(await look('1'.repeat(40), base)).toBe(true);
    const first = (await plainGit(directory, ['rev-list', 'main'])).split('\n').at(-2)!;
    expect(await look('1'.repeat(40), first)).toBe(false);
  });
});

describe('the newest commits of a branch', () => {
  const recent = async (known: readonly string[] = []): Promise<string[]> => {
    const tip = await bench.git.resolve(repository, 'main', OPTIONS);
    await bench.git.fetch(repository, tip, OPTIONS);
    const before = bench.server.requestCount();
    const commits = await bench.git.recent(repository, tip, known, OPTIONS);
    asked = bench.server.requestCount() - before;
    return commits;
  };
  const push = (text: string): Promise<string> => commitFiles(directory, 'main', { 'other.yaml': text }, { message: text });
  const log = async (most: number): Promise<string[]> =>
    (await plainGit(directory, ['rev-list', `--max-count=${most}`, 'main'])).trim().split('\n');
  let asked = 0;

  it('follow from those before where there is one more, without asking the server', async () => {
    const [first] = await log(1);
    const second = await push('two');
    expect(await recent([first!.slice(0, 12)])).toEqual([second, first!.slice(0, 12)]);
    expect(asked).toBe(0);
  });

  it('are all that came in between where there are several, and those of a merge', async () => {
    const [first] = await log(1);
    const [second, third] = [await push('two'), await push('three')];
    expect(await recent([first!])).toEqual([third, second, first]);
    expect(asked).toBeGreaterThan(0);
    const commit = ['-c', 'user.name=A', '-c', 'user.email=a@example.com', 'commit-tree'];
    const side = (await plainGit(directory, [...commit, '-p', third, '-m', 'side', `${third}^{tree}`])).trim();
    const merge = (await plainGit(directory, [...commit, '-p', third, '-p', side, '-m', 'merge', `${third}^{tree}`])).trim();
    await plainGit(directory, ['update-ref', 'refs/heads/main', merge]);
    expect((await recent([third, second, first!])).toSorted()).toEqual([merge, side, third, second, first!].toSorted());
  });

  it('are no more than twenty', async () => {
    for (let number = 0; number < 22; number++) await push(String(number));
    const commits = await recent();
    expect(commits).toEqual(await log(20));
    const next = await push('next');
    expect(await recent(commits)).toEqual([next, ...commits.slice(0, 19)]);
  });

  it('do not hold what a forced push took away', async () => {
    const [first] = await log(1);
    const lost = await push('lost');
    await plainGit(directory, ['update-ref', 'refs/heads/main', first!]);
    const theirs = await push('theirs');
    expect(await recent([lost, first!])).toEqual([theirs, first]);
  });
});
