import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { annotation, label } from '#api/names.ts';
import { REFERENCE, withGeneratedParts } from '#dev/generate-docs.ts';

describe('docs/reference.md', () => {
  it('is what `node dev/generate-docs.ts` writes', async () => {
    const text = await readFile(REFERENCE, 'utf8');
    expect(text).toBe(withGeneratedParts(text));
  });

  it('has every property that the issue names, and says what works', async () => {
    const text = await readFile(REFERENCE, 'utf8');
    const row = (name: string): string | undefined => text.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
    expect(row('pullInterval')).toBe('| `pullInterval` | duration | `5m` | time between two pulls | 0.1 |');
    expect(row('git.tag')).toBe('| `git.tag` | string |  | a tag | not yet |');
    expect(row('imageRepository.policy.semver.range')).toBe(
      '| `imageRepository.policy.semver.range` | string | (required) | the range that a version must be in | 0.1 |',
    );
  });

  it('names each of our labels and annotations', async () => {
    const text = await readFile(REFERENCE, 'utf8');
    const ours = [...Object.values(annotation), ...Object.values(label)].filter((name) => name.startsWith('lateen.dev/'));
    expect(ours.filter((name) => !text.includes(name))).toEqual([]);
  });

  it('refuses to generate into a page without markers', () => {
    expect(() => withGeneratedParts('# Reference')).toThrow(
      'docs/reference.md needs the lines <!-- generated: kustomize --> and <!-- end -->',
    );
  });
});
