import { expect, it } from 'vitest';
import { listTip, parseListing } from '#agent/git/listing.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(64);
const REPOSITORY = { url: 'https://git.example.com/infra' };

it('reads the lines of ls-remote, of SHA-1 and SHA-256, and passes over all others', () => {
  const text = `ref: refs/heads/main\tHEAD\n${A}\tHEAD\n${B}\trefs/heads/main\nwarning: redirecting\nabc\trefs/heads/short\n`;
  expect(parseListing(text)).toEqual({
    commits: new Map([
      ['HEAD', A],
      ['refs/heads/main', B],
    ]),
    head: 'main',
  });
});

it('does not take a ref that ends in the name of the branch for the branch', async () => {
  const answers = [`${A}\trefs/remotes/refs/heads/main\n`, `${A}\trefs/remotes/refs/heads/main\n`];
  await expect(listTip(REPOSITORY, 'main', async () => answers.shift() ?? '')).rejects.toMatchObject({
    reason: 'RefNotFound',
    message: 'https://git.example.com/infra has no branch main; it has no branch at all',
  });
});

it('refuses a HEAD that names no branch', async () => {
  const answers = [`${A}\tHEAD\n`, `${A}\tHEAD\n${A}\trefs/heads/main\n`];
  await expect(listTip(REPOSITORY, undefined, async () => answers.shift() ?? '')).rejects.toMatchObject({
    reason: 'RefNotFound',
    message: 'https://git.example.com/infra does not say which branch is its default; it has main',
    remedy: 'name a branch in git.branch',
  });
});

it('asks for one ref, with the URL behind the end of the options', async () => {
  const asked: string[][] = [];
  const run = async (args: string[]): Promise<string> => {
    asked.push(args);
    return `${A}\trefs/heads/main\n`;
  };
  expect(await listTip(REPOSITORY, 'main', run)).toEqual({ branch: 'main', commit: A });
  expect(asked).toEqual([['ls-remote', '--symref', '--end-of-options', 'https://git.example.com/infra', 'refs/heads/main']]);
});
