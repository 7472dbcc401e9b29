import { describe, expect, it } from 'vitest';
import { parsePattern } from '#api/image/pattern.ts';

describe('patterns are RE2 (§2.2)', () => {
  it.each(['(?P<n>a)', '(?<n>a)', '(?i)a', '(?s)a', '(?m)a', '(?U)a+', '[[:alpha:]]', '\\Qa.b\\E', '\\A', '\\z', '\\pL', '\\x41', ''])(
    'takes %s',
    (text) => {
      expect(parsePattern(text)).toHaveProperty('pattern');
    },
  );

  it.each([
    ['^(?!dev)', /lookaround/],
    ['^(a)\\1$', /back-references/],
    ['[', /close the \[/],
    ['a++', /possessive/],
    ['\\Z', /\\z for the end/],
    ['\\u0041', /x\{0041\}/],
    ['(?#note)', /syntax of RE2/],
    ['a{1001}', /at most 1000/],
    ['(?P<a-b>x)', /letters, digits/],
    ['(?P<a>x)(?P<a>y)', /a name of its own/],
    ['(', /close the \(/],
    ['a'.repeat(1025), /shorter/],
    ['((((a{100}){100}){100}){100})', /repeat|shorter/],
  ])('refuses %s', (text, remedy) => {
    const parsed = parsePattern(text);
    expect('problem' in parsed && parsed.problem.remedy).toMatch(remedy);
  });

  it('takes linear time', () => {
    const parsed = parsePattern('(a+)+$');
    const begun = performance.now();
    expect('pattern' in parsed && parsed.pattern.test(`${'a'.repeat(20_000)}b`)).toBe(false);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it('has digits, words and spaces of ASCII alone, and $ at the end alone', () => {
    const test = (text: string, subject: string): boolean => {
      const parsed = parsePattern(text);
      return 'pattern' in parsed && parsed.pattern.test(subject);
    };
    expect([test('\\d', '٣'), test('\\w', 'é'), test('a$', 'a\nb'), test('a$', 'ba')]).toEqual([false, false, false, true]);
  });
});
