import { describe, expect, it } from 'vitest';
import { expand, extractProblems, parseExtract } from '#api/image/extract.ts';
import { parsePattern } from '#api/image/pattern.ts';

function pattern(text: string) {
  const parsed = parsePattern(text);
  if ('problem' in parsed) throw new Error(parsed.problem.text);
  return parsed.pattern;
}

function expanded(patternText: string, extract: string, subject: string): string {
  const compiled = pattern(patternText);
  return expand(parseExtract(extract), compiled.match(subject) ?? [], compiled);
}

describe('the template of extract (§2.1)', () => {
  it.each([
    ['$1', '1'],
    ['${1}', '1'],
    ['$0', 'v1-2'],
    ['$1x', ''],
    ['${1}x', '1x'],
    ['$1_$2', '2'],
    ['$1.$2', '1.2'],
    ['$1-$2', '1-2'],
    ['$1$2', '12'],
    ['$01', ''],
    ['$9', ''],
    ['$none', ''],
    ['$$1', '$1'],
    ['a${1', 'a${1'],
    ['a$', 'a$'],
    ['$-1', '$-1'],
    ['${ 1 }', '${ 1 }'],
    ['${}', '${}'],
    ['$&$<a>$`', '$&$<a>$`'],
    ['$big', '1'],
    ['${big}.0', '1.0'],
    ['const', 'const'],
  ])('%s', (extract, key) => {
    expect(expanded('^v(?P<big>\\d+)-(\\d+)$', extract, 'v1-2')).toBe(key);
  });

  it('gives nothing for a group that took no part', () => {
    expect(expanded('a(b)?c', '[$1]', 'ac')).toBe('[]');
  });
});

describe('what is most likely a slip', () => {
  it.each([
    ['$1x', [{ at: 0, remedy: 'write ${1}x if the group 1 is meant' }]],
    ['$1_$2', [{ at: 0, remedy: 'write ${1}_ if the group 1 is meant' }]],
    ['$tsx', [{ remedy: 'write ${ts}x if the group ts is meant' }]],
    ['$9', [{ remedy: 'write $ts' }]],
    ['const', [{ text: 'names no group of the pattern, so that all tags compare alike' }]],
    ['$ts', []],
    ['$0', []],
    ['', []],
  ])('%s', (extract, problems) => {
    expect(extractProblems(parseExtract(extract), pattern('(?P<ts>\\d+)-(\\d+)'))).toMatchObject(problems);
  });
});
