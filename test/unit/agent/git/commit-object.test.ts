import { expect, it } from 'vitest';
import { parseCommitObject } from '#agent/git/commit-object.ts';

const [ID, TREE, PARENT] = ['1', '2', '3'].map((digit) => digit.repeat(40)) as [string, string, string];
const WHO = 'Ada Lovelace <ada@example.org> 1767323045 +0100';

function parse(head: string[], message = 'Subject\n'): ReturnType<typeof parseCommitObject> {
  return parseCommitObject(ID, Buffer.from(`${head.join('\n')}\n\n${message}`));
}

it('reads tree, parents, author, time and subject', () => {
  const head = [`tree ${TREE}`, `parent ${PARENT}`, `parent ${ID}`, `author ${WHO}`, 'committer Bot <bot@example.org> 1767326645 +0000'];
  expect(parse(head, 'One\ntwo\n\nbody\n')).toEqual({
    commit: { id: ID, author: 'Ada Lovelace', email: 'ada@example.org', committedAt: '2026-01-02T04:04:05Z', subject: 'One two' },
    tree: TREE,
    parents: [PARENT, ID],
  });
});

it('is not led astray by a signature, a message that looks like headers, or what is not there', () => {
  const signed = [`tree ${TREE}`, `author ${WHO}`, `committer ${WHO}`, 'gpgsig -----BEGIN', ' tree ', ` parent ${PARENT}`, ' -----END'];
  expect(parse(signed, `parent ${PARENT}\ntree ${PARENT}`)).toMatchObject({ tree: TREE, parents: [] });
  expect(parse([`tree ${TREE}`, 'author nobody', 'committer  <> 99999999999999999 +0000'], '')?.commit).toEqual({
    id: ID,
    author: '',
    email: '',
    committedAt: '1970-01-01T00:00:00Z',
    subject: '',
  });
});

it.each(['', 'tree x', 'blob of any kind', `tree ${TREE.slice(1)}`])('%j is no commit', (text) => {
  expect(parseCommitObject(ID, Buffer.from(text))).toBeUndefined();
});
