import { expect, it } from 'vitest';
import { exclusionsFrom } from '#agent/image/exclusions.ts';

function excluded(patterns: string[] | undefined, tags: string[]): string[] {
  const made = exclusionsFrom(patterns);
  return 'problem' in made ? [made.problem.text] : tags.filter((tag) => made.excludes(tag));
}

const besides = ['sha256-abc.sig', 'x.att', 'y.sbom', `sha256-${'a'.repeat(64)}`];

it('leaves out what is pushed beside images', () => {
  expect(excluded(undefined, ['v1', 'latest', 'sha256-1', 'v1.sig.2', ...besides])).toEqual(besides);
});

it('a list of its own replaces the default, an empty one leaves nothing out', () => {
  expect(excluded(['^latest$', 'rc'], ['latest', 'v1-rc1', 'v1.sig'])).toEqual(['latest', 'v1-rc1']);
  expect(excluded([], besides)).toEqual([]);
});

it('says which pattern is wrong', () => {
  expect(excluded(['ok', '['], [])).toEqual(['the pattern "[" of the exclusion list is not a pattern: missing closing ]: `[`']);
});
