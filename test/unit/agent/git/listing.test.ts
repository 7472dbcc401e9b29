import { expect, it } from 'vitest';
import { type Listing, listTip, lsRemoteArguments, parseListing } from '#agent/git/listing.ts';

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

/** Gives one listing after another. */
function answering(...texts: string[]): { asked: (string | undefined)[]; list: (ref?: string) => Promise<Listing> } {
  const asked: (string | undefined)[] = [];
  const list = async (ref?: string): Promise<Listing> => {
    asked.push(ref);
    return parseListing(texts.shift() ?? '');
  };
  return { asked, list };
}

it('does not take a ref that ends in the name of the branch for the branch', async () => {
  const { list } = answering(`${A}\trefs/remotes/refs/heads/main\n`, `${A}\trefs/remotes/refs/heads/main\n`);
  await expect(listTip(REPOSITORY, 'main', list)).rejects.toMatchObject({
    reason: 'RefNotFound',
    message: 'https://git.example.com/infra has no branch main; it has no branch at all',
  });
});

it('refuses a HEAD that names no branch', async () => {
  const { list } = answering(`${A}\tHEAD\n`, `${A}\tHEAD\n${A}\trefs/heads/main\n`);
  await expect(listTip(REPOSITORY, undefined, list)).rejects.toMatchObject({
    reason: 'RefNotFound',
    message: 'https://git.example.com/infra does not say which branch is its default; it has main',
    remedy: 'name a branch in git.branch',
  });
});

it('asks for one ref, with the URL behind the end of the options', async () => {
  const { asked, list } = answering(`${A}\trefs/heads/main\n`);
  expect(await listTip(REPOSITORY, 'main', list)).toEqual({ branch: 'main', commit: A });
  expect(asked).toEqual(['refs/heads/main']);
  const end = ['ls-remote', '--symref', '--end-of-options', 'https://git.example.com/infra'];
  expect(lsRemoteArguments(REPOSITORY.url)).toEqual(end);
  expect(lsRemoteArguments(REPOSITORY.url, asked[0])).toEqual([...end, 'refs/heads/main']);
});
