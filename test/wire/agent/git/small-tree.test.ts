import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Tree } from '#agent/git/git.ts';
import { commitFiles, git } from '#dev/git-repository.ts';
import { type AppBench, processesWith, startAppBench } from '#test/support/git.ts';

const OPTIONS = { timeoutMs: 15_000 };

let bench: AppBench;

beforeEach(async () => {
  bench = await startAppBench();
});

afterEach(() => bench.close());

/** Makes an object of the server's repository, and returns its id. */
function make(args: string[], input: string): string {
  const { stdout, stderr } = spawnSync('git', args, { cwd: bench.directory, input, encoding: 'utf8' });
  if (!/^[0-9a-f]{40}\n$/.test(stdout)) throw new Error(stderr);
  return stdout.trim();
}

const folder = (...entries: string[]): string => make(['mktree', '--missing'], entries.map((entry) => `${entry}\n`).join(''));
const file = (content: string): string => make(['hash-object', '-w', '--stdin'], content);

async function pull(tree: string): Promise<Tree> {
  const commit = make(['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit-tree', tree], 'Change');
  await git(bench.directory, ['update-ref', 'refs/heads/main', commit]);
  const fetched = await bench.git.fetch(bench.repository, await bench.git.resolve(bench.repository, 'main', OPTIONS), OPTIONS);
  return bench.git.tree(bench.repository, fetched.id, OPTIONS);
}

/** Each entry as `git ls-tree -r -l` shows it. */
async function listed(tree: string): Promise<string[]> {
  const text = await git(bench.directory, ['ls-tree', '-r', '-l', '-z', tree]);
  return text
    .split('\0')
    .filter(Boolean)
    .map((line) => line.replace(/ +/g, ' '));
}

const shown = ({ entries }: Tree): string[] =>
  entries.map(({ path, kind, executable, oid, size }) => {
    if (kind === 'submodule') return `160000 commit ${oid} -\t${path}`;
    const mode = kind === 'symlink' ? '120000' : executable ? '100755' : '100644';
    return `${mode} blob ${oid} ${size}\t${path}`;
  });

it('is listed as git lists it, whatever it holds', async () => {
  const [one, two] = [file('one'), file('')];
  const inner = folder(`100755 blob ${one}\trun.sh`, `120000 blob ${two}\tlink`, `160000 commit ${'c'.repeat(40)}\tmodule`);
  const root = folder(
    `100644 blob ${one}\tb.yaml`,
    `100644 blob ${two}\tb-c`,
    `040000 tree ${inner}\tb`,
    `040000 tree ${inner}\tgröße und mehr`,
    `040000 tree ${folder(`040000 tree ${inner}\tdeep`)}\ta`,
  );
  const tree = await pull(root);
  expect(shown(tree)).toEqual(await listed(root));
  expect(['', 'b', 'a/deep', 'größe und mehr', 'b.yaml'].map(tree.treeId)).toEqual([root, inner, inner, inner, undefined]);
});

it('is listed as git lists it where an old tool has written zeros and rights of its own into it', async () => {
  const [one, inner] = [file('one'), folder(`100644 blob ${file('x')}\tx`)];
  const raw = (mode: string, name: string, oid: string): Buffer =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]);
  const content = Buffer.concat([raw('040000', 'a', inner), raw('100664', 'b', one), raw('0100775', 'c', one)]);
  const { stdout } = spawnSync('git', ['hash-object', '-t', 'tree', '-w', '--stdin', '--literally'], {
    cwd: bench.directory,
    input: content,
  });
  const root = stdout.toString().trim();
  const tree = await pull(root);
  expect(shown(tree)).toEqual(await listed(root));
  expect([tree.treeId('a'), tree.entries.length]).toEqual([inner, 3]);
});

it('has its files with it: nothing is read once more', async () => {
  await commitFiles(bench.directory, 'main', { 'a/x': 'X', y: 'Y' }, { message: 'Begin' });
  const tree = await pull((await git(bench.directory, ['rev-parse', 'main^{tree}'])).trim());
  await expect.poll(() => processesWith(bench.cacheDir), { timeout: 10_000 }).toEqual([]);
  expect((await tree.read(['a/x', 'y'])).get('a/x')?.toString()).toBe('X');
  expect(await processesWith(bench.cacheDir)).toEqual([]);
});

it.each([
  ['many files', () => folder(...Array.from({ length: 80 }, (_, index) => `100644 blob ${file(`${index}`)}\tf${index}`))],
  ['large files', () => folder(`100644 blob ${file('x'.repeat(400_000))}\tlarge`, `100644 blob ${file('s')}\tsmall`)],
  [
    'many folders',
    () => folder(...Array.from({ length: 80 }, (_, index) => `040000 tree ${folder(`100644 blob ${file('x')}\tf${index}`)}\td${index}`)),
  ],
  [
    'a folder that stands in many places',
    () => {
      let tree = folder(`100644 blob ${file('x')}\tf`);
      for (let level = 0; level < 8; level++) tree = folder(`040000 tree ${tree}\ta`, `040000 tree ${tree}\tb`);
      return tree;
    },
  ],
])('with %s it is left to git', async (_what, build) => {
  const root = build();
  const tree = await pull(root);
  expect(shown(tree)).toEqual(await listed(root));
  const [{ path } = { path: '' }] = tree.entries.slice(-1);
  expect((await tree.read([path])).get(path)?.length).toBeGreaterThan(0);
});
