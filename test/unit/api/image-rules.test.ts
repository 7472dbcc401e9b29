import { describe, expect, it } from 'vitest';
import { checkApplication } from '#api/check.ts';
import type { Cause } from '#api/failure.ts';
import { PROPERTIES, gitOpsApplication } from './cases.ts';

type Told = [at: string, code: Cause['code'], message: string, remedy: string | undefined];

/** Causes of an imageRepository laid over a right one, below the properties, the path taken out of the sentence. */
function told(images: Record<string, unknown>, rest: Record<string, unknown> = {}): Told[] {
  const imageRepository = { image: 'ghcr.io/org/app', policy: { numerical: { order: 'asc' } }, ...images };
  const { causes } = checkApplication(gitOpsApplication({ imageRepository, ...rest }), {});
  return causes.map(({ path, code, message, remedy }) => [path.slice(PROPERTIES.length + 1), code, message.slice(path.length + 1), remedy]);
}

const pattern = (text: string, extract?: string): Record<string, unknown> => ({
  filterTags: { pattern: text, ...(extract === undefined ? {} : { extract }) },
});
const at = (field: string): string => `imageRepository.${field}`;

describe('an image automation that may run', () => {
  it.each<[string, Record<string, unknown>]>([
    ['the seed document', pattern('^master-[a-f0-9]+-(?P<ts>[0-9]+)', '$ts')],
    ['a registry with a port', { image: 'localhost:5000/app' }],
    ['a range with commas', { policy: { semver: { range: '>=1.0.0, <2.0.0' } } }],
    ['alphabetical without an order', { policy: { alphabetical: {} } }],
    ['a group in braces', pattern('^v([0-9]+)x', '${1}x')],
    ['a whole match', pattern('^[0-9]+$', '$0')],
    ['characters that only may be there', pattern('^(a:)?v:?[0-9/]*(x|:y)$')],
    ['escaped dots and classes', pattern(String.raw`^v\d+\.\d+\.\d+[-_.][^:/]+$`)],
    ['a message of the seed document', { commitMessage: 'Image: {{range .Updated.Images}}{{println .}}{{end}}' }],
    ['a repeat count', pattern('^[0-9]{8,14}$')],
    ['an exclusion list', { exclusionList: [String.raw`\.sig$`, '^(?P<what>latest|dev)$'] }],
    ['an exclusion list without patterns', { exclusionList: [] }],
  ])('%s', (_, images) => {
    expect(told(images)).toEqual([]);
  });
});

describe('mistakes in an image automation', () => {
  it.each<[string, Record<string, unknown>, Told[]]>([
    [
      'patterns of the exclusion list',
      { exclusionList: ['^ok$', '(?!x)', 'a:b'] },
      [
        [
          at('exclusionList[1]'),
          'InvalidPattern',
          'is not a pattern: invalid or unsupported Perl syntax: `(?!`, received "(?!x)"',
          'RE2 has no lookaround: name what is wanted instead',
        ],
        [
          at('exclusionList[2]'),
          'InvalidPattern',
          'needs ":", which no tag may hold, received "a:b"',
          'write a pattern for the tag alone, without the image',
        ],
      ],
    ],
    [
      'an exclusion list without end',
      { exclusionList: Array.from({ length: 26 }, () => 'a') },
      [[at('exclusionList'), 'InvalidValue', 'has 26 patterns, at most 25 are allowed', 'join some of them with |']],
    ],
    [
      'an image with a tag',
      { image: 'ghcr.io/org/app:v1' },
      [[at('image'), 'InvalidImage', 'carries a tag, received "ghcr.io/org/app:v1"', 'write the image alone: ghcr.io/org/app']],
    ],
    [
      'an image with a digest',
      { image: 'app@sha256:00' },
      [[at('image'), 'InvalidImage', 'carries a digest, received "app@sha256:00"', 'write the image alone: app']],
    ],
    [
      'an image with a scheme',
      { image: 'https://ghcr.io/org/app' },
      [[at('image'), 'InvalidImage', 'has a scheme, received "https://ghcr.io/org/app"', 'write it without: ghcr.io/org/app']],
    ],
    ['no image', { image: '' }, [[at('image'), 'InvalidImage', 'is empty', 'write a name such as ghcr.io/org/app']]],
    [
      'no policy',
      { policy: {} },
      [[at('policy'), 'Required', 'must have one of "alphabetical", "numerical" and "semver"', 'add numerical: {order: asc} or the like']],
    ],
    [
      'two policies',
      { policy: { numerical: { order: 'asc' }, semver: { range: '*' } } },
      [[at('policy'), 'InvalidValue', 'has "numerical" and "semver", which exclude each other', 'keep one of them']],
    ],
    ['no order', { policy: { numerical: {} } }, [[at('policy.numerical.order'), 'Required', 'is required', 'add order: asc or desc']]],
    [
      'an order that is none',
      { policy: { numerical: { order: 'ASC' } } },
      [[at('policy.numerical.order'), 'InvalidValue', 'must be one of "asc" and "desc", received "ASC"', 'did you mean "asc"?']],
    ],
    [
      'a range that is none',
      { policy: { semver: { range: 'latest' } } },
      [
        [
          at('policy.semver.range'),
          'InvalidRange',
          'is not a range: "latest" is no version and no comparison',
          'write comparisons such as >=1.0.0 <2.0.0, 1.x, ~1.2 or ^1.2.3',
        ],
      ],
    ],
    [
      'lookahead',
      pattern('^(?!dev)'),
      [
        [
          at('filterTags.pattern'),
          'InvalidPattern',
          'is not a pattern: invalid or unsupported Perl syntax: `(?!`, received "^(?!dev)"',
          'RE2 has no lookaround: name what is wanted instead',
        ],
      ],
    ],
    [
      'a pattern too long',
      pattern('a'.repeat(1025)),
      [
        [
          at('filterTags.pattern'),
          'InvalidPattern',
          `has 1025 characters, at most 1024 are allowed, received "${'a'.repeat(79)}…"`,
          'make it shorter',
        ],
      ],
    ],
    [
      'a pattern for image and tag',
      pattern('^app:v[0-9]+$'),
      [
        [
          at('filterTags.pattern'),
          'InvalidPattern',
          'needs ":", which no tag may hold, received "^app:v[0-9]+$"',
          'write a pattern for the tag alone, without the image',
        ],
      ],
    ],
    [
      'an escaped slash',
      pattern(String.raw`v1\/x`),
      [
        [
          at('filterTags.pattern'),
          'InvalidPattern',
          String.raw`needs "/", which no tag may hold, received "v1\/x"`,
          'write a pattern for the tag alone, without the image',
        ],
      ],
    ],
    [
      'a group that runs on',
      pattern(String.raw`^v(\d+)-(?P<n>\d+)$`, '$1x'),
      [
        [
          at('filterTags.extract'),
          'InvalidExtract',
          'names the group $1x, which the pattern does not have, received "$1x"; it has "$n", "$0", "$1" and "$2"',
          'write ${1}x if the group 1 is meant',
        ],
      ],
    ],
    [
      'a group without a pattern',
      { filterTags: { extract: '$ts' } },
      [
        [
          at('filterTags.extract'),
          'InvalidExtract',
          'names the group $ts, which the pattern does not have, received "$ts"; it has "$0"',
          'write $0 for what the pattern matched, or give the pattern a group',
        ],
      ],
    ],
    [
      'a message that does not parse',
      { commitMessage: 'Image: {{range .Updated.Images}}' },
      [
        [
          at('commitMessage'),
          'InvalidTemplate',
          'is no template that can be filled: line 1, column 8: {{range}} without {{end}}',
          'write it in the syntax of Go templates; docs/reference.md lists the fields',
        ],
      ],
    ],
    [
      'a message that names a field that is not there',
      { commitMessage: '{{.Updated.Image}}' },
      [
        [
          at('commitMessage'),
          'InvalidTemplate',
          'is no template that can be filled: line 1, column 3: .Updated has no field Image; it has Images, Files, Objects',
          'write it in the syntax of Go templates; docs/reference.md lists the fields',
        ],
      ],
    ],
  ])('%s', (_, images, expected) => {
    expect(told(images)).toEqual(expected);
  });

  it('a ref that is no branch', () => {
    const says = 'excludes imageRepository, which commits new tags to a branch';
    const remedy = 'name a branch in git.branch, or remove imageRepository';
    for (const [key, value] of Object.entries({ tag: 'v1', semver: '1.x', commit: 'ab'.repeat(20), name: 'refs/pull/1/head' })) {
      expect(told({}, { git: { [key]: value } })).toEqual([[`git.${key}`, 'InvalidRef', says, remedy]]);
    }
    expect(told({}, { git: { branch: 'main' } })).toEqual([]);
  });
});

describe('Git refs', () => {
  const refused = (git: Record<string, unknown>): Told[] => {
    const { causes } = checkApplication(gitOpsApplication({ git }), {});
    return causes.map(({ path, code, message, remedy }) => [
      path.slice(PROPERTIES.length + 1),
      code,
      message.slice(path.length + 1),
      remedy,
    ]);
  };

  it.each<[string, Record<string, unknown>, Told[]]>([
    ['a tag', { tag: 'v1.0.0' }, []],
    ['a full ref', { name: 'refs/pull/1/head' }, []],
    ['a commit', { commit: 'ab'.repeat(20) }, []],
    [
      'a tag that is an option',
      { tag: '-x' },
      [['git.tag', 'InvalidRef', 'must not start with "-", received "-x"', 'write the short name of a tag']],
    ],
    [
      'a ref that is short',
      { name: 'main' },
      [['git.name', 'InvalidRef', 'must be a full ref, received "main"', 'write refs/heads/NAME, refs/tags/NAME or the like']],
    ],
    [
      'a ref with ..',
      { name: 'refs/heads/a..b' },
      [['git.name', 'InvalidRef', 'must be a ref that Git takes, received "refs/heads/a..b"', 'write refs/heads/NAME or the like']],
    ],
    [
      'an abbreviated commit',
      { commit: 'abcdef1' },
      [
        [
          'git.commit',
          'InvalidRef',
          'must be a full commit id of 40 or 64 hexadecimal digits, received "abcdef1"',
          'write what git rev-parse prints',
        ],
      ],
    ],
    [
      'a range that is none',
      { semver: 'v1..' },
      [['git.semver', 'InvalidRange', 'is not a range: ".." follows without a space or comma, received "v1.."', undefined]],
    ],
  ])('%s', (_, git, expected) => {
    expect(refused(git)).toEqual(expected);
  });
});
