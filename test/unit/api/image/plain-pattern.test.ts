import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { plainPattern } from '#api/image/plain-pattern.ts';

function byRe2(pattern: string, text: string): (string | undefined)[] | null {
  const compiled = RE2JS.compile(pattern);
  const matcher = compiled.matcher(text);
  if (!matcher.find()) return null;
  return Array.from({ length: compiled.groupCount() + 1 }, (_, group) => matcher.group(group) ?? undefined);
}

const atom = fc.constantFrom(
  'a',
  'b',
  '0',
  '-',
  '_',
  '.',
  String.raw`\.`,
  String.raw`\-`,
  String.raw`\d`,
  String.raw`\w`,
  '[a-f0-9]',
  '[0-9]',
  '[ab]',
  '[a-]',
  String.raw`[\d.]`,
  '[_.-]',
);
const quantifier = fc.constantFrom('', '', '', '+', '*', '?', '{2}', '{1,3}', '{0,2}', '{2,}', '{0,}', '+?', '{2}?');
const run = fc.tuple(atom, quantifier).map((parts) => parts.join(''));
const group = fc
  .tuple(fc.constantFrom('(', '(?:', '(?P<n>', '(?<n>'), fc.array(run, { maxLength: 3 }), fc.constantFrom(')', ')', ')', ')?', ')+'))
  .map(([open, inner, close]) => open + inner.join('') + close);
const rest = fc.constantFrom('', '', '|a', '^', '$', '[^a]', '(?i)');
const patterns = fc
  .tuple(fc.constantFrom('', '^'), fc.array(run, { maxLength: 3 }), fc.option(group, { nil: '' }), fc.array(run, { maxLength: 3 }), rest)
  .map(([start, before, middle, after, end]) => start + before.join('') + middle + after.join('') + end);
const tags = fc.string({ unit: fc.constantFrom('a', 'b', 'f', 'z', '0', '1', '9', '-', '.', '_'), maxLength: 12 });

describe('a plain pattern', () => {
  it.each([
    ['^master-[a-f0-9]+-(?P<ts>[0-9]+)', 'master-c38379ba-1634977126'],
    [String.raw`^v?(\d+)\.(\d+)\.(\d+)$`, 'v1.22.333'],
    ['-([0-9]{8,14})$', 'main-20240102'],
  ])('%s', (pattern, tag) => {
    expect([...plainPattern(pattern)!(tag)!]).toEqual(byRe2(pattern, tag));
  });

  it.each([
    '(a|b)',
    '(a+)+',
    'a*a*b',
    '^.*-x',
    'a+?b',
    '[^a]+',
    '(?i)a',
    String.raw`\pL`,
    'a$b',
    '(a)?b',
    'a?a?a?aaa',
    String.raw`\bx`,
    'a{,2}',
    'é',
  ])('is not %s', (pattern) => {
    expect(plainPattern(pattern)).toBeUndefined();
  });

  it('says nothing of what is no tag', () => {
    expect(plainPattern('a')!('é\n')).toBeUndefined();
  });

  it('matches what RE2 matches, with the same groups', () => {
    let plain = 0;
    fc.assert(
      fc.property(patterns, fc.array(tags, { minLength: 1, maxLength: 8 }), (pattern, texts) => {
        const match = plainPattern(pattern);
        if (!match) return;
        plain += 1;
        for (const text of texts) {
          const found = match(text);
          expect([pattern, text, found && [...found]]).toEqual([pattern, text, byRe2(pattern, text)]);
        }
      }),
      { numRuns: 2_000 },
    );
    // So that the property is about something.
    expect(plain).toBeGreaterThan(80);
  });

  it('is as fast with the worst of tags', () => {
    const match = plainPattern(String.raw`[a-f]+\d+[g-z]*-?\.([A-Z]+)$`)!;
    const worst = 'a'.repeat(64) + '0'.repeat(64);
    const begun = process.cpuUsage();
    for (let round = 0; round < 1_000; round++) match(worst);
    const { user, system } = process.cpuUsage(begun);
    expect((user + system) / 1_000).toBeLessThan(1_000);
  });
});
