import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reasons } from '#api/reasons.ts';
import { suspicionsOf } from '#api/suspicions.ts';
import { anyApplication } from './arbitrary-applications.ts';
import { PROPERTIES, gitOpsApplication } from './cases.ts';

type Told = [at: string, code: string, message: string, remedy: string | undefined];

function told(application: unknown): Told[] {
  return suspicionsOf(application).map(({ path, code, message, remedy }) => [
    path.replace(`${PROPERTIES}.`, ''),
    code,
    message.slice(path.length + 1),
    remedy,
  ]);
}

function images(rest: Record<string, unknown>): Record<string, unknown> {
  const imageRepository = { image: 'ghcr.io/org/app', ...rest };
  return gitOpsApplication({ secretRef: 'git-secret', imageRepository });
}

const numerical = { numerical: { order: 'asc' } };
const builds = 'write a pattern that only the tags of your builds match';
const asText: Told = [
  'imageRepository.policy.alphabetical',
  'NumbersAsText',
  'compares numbers as text: 9 comes after 10',
  'use numerical: {order: asc}',
];

describe('nothing is suspicious about', () => {
  it.each<[string, unknown]>([
    ['the seed document', images({ policy: numerical, filterTags: { pattern: '^master-[a-f0-9]+-(?P<ts>[0-9]+)', extract: '$ts' } })],
    ['http without a secret', gitOpsApplication({ url: 'http://git.example.com/infra' })],
    ['https with a secret', gitOpsApplication({ secretRef: 'git-secret' })],
    ['30s and 24h', gitOpsApplication({ pullInterval: '30s', secretRef: 's', imageRepository: { interval: '24h' } })],
    ['a semver policy without a filter', images({ policy: { semver: { range: '>=1.0.0' } } })],
    ['timestamps of one length as text', images({ policy: { alphabetical: {} }, filterTags: { pattern: String.raw`^\d{14}$` } })],
    ['a worker', { spec: { components: [{ name: 'a', type: 'worker', properties: { url: 'http://x', secretRef: 's' } }] } }],
    ['what is no Application', 'x'],
  ])('%s', (_, application) => {
    expect(told(application)).toEqual([]);
  });
});

describe('a warning about', () => {
  it.each<[string, unknown, Told[]]>([
    [
      'credentials over http',
      gitOpsApplication({ url: 'HTTP://git.example.com/infra', secretRef: 'git-secret' }),
      [['url', 'NotEncrypted', 'is without TLS: the credentials of secretRef can be read on the way', 'use https://']],
    ],
    [
      'a short interval',
      gitOpsApplication({ pullInterval: '15s' }),
      [['pullInterval', 'UnusualInterval', 'is under 30s, received "15s"', 'write 30s or more, unless the server can bear it']],
    ],
    [
      'a long interval',
      gitOpsApplication({ pullInterval: '48h' }),
      [['pullInterval', 'UnusualInterval', 'is over a day, received "48h"', 'write 24h or less, unless it is meant']],
    ],
    [
      'a short scan',
      images({ interval: '1s', policy: { semver: { range: '*' } } }),
      [['imageRepository.interval', 'UnusualInterval', 'is under 30s, received "1s"', 'write 30s or more, unless the server can bear it']],
    ],
    [
      'nothing to push with',
      gitOpsApplication({ imageRepository: { image: 'a', policy: { semver: { range: '*' } } } }),
      [
        [
          'imageRepository',
          'NoPushCredentials',
          'commits new tags to the repository, and the component has no secretRef to push with',
          'add secretRef: a Secret with the right to push',
        ],
      ],
    ],
    [
      'no pattern',
      images({ policy: numerical }),
      [['imageRepository.filterTags', 'FloatingTag', 'has no pattern: a tag such as latest counts too and is no number', builds]],
    ],
    [
      'a pattern that lets latest through',
      images({ policy: numerical, filterTags: { pattern: '.*' } }),
      [
        [
          'imageRepository.filterTags.pattern',
          'FloatingTag',
          'lets tags such as latest through, received ".*"; latest is no number',
          builds,
        ],
      ],
    ],
    [
      'a pattern that matches floating names alone',
      images({ policy: { alphabetical: { order: 'asc' } }, filterTags: { pattern: '^main$' } }),
      [
        [
          'imageRepository.filterTags.pattern',
          'FloatingTag',
          'lets tags such as main through, received "^main$"; main sorts among the versions',
          builds,
        ],
      ],
    ],
    [
      'numbers of a group as text',
      images({ policy: { alphabetical: {} }, filterTags: { pattern: '^b-(?P<n>[0-9]+)$', extract: '$n' } }),
      [asText],
    ],
    [
      'numbers of group 1 as text',
      images({ policy: { alphabetical: {} }, filterTags: { pattern: String.raw`^b-(\d+)$`, extract: '${1}' } }),
      [asText],
    ],
    ['whole numbers as text', images({ policy: { alphabetical: {} }, filterTags: { pattern: '^v[0-9]+$' } }), [asText]],
    [
      'an extract that makes all alike',
      images({ policy: numerical, filterTags: { pattern: '^b-([0-9]+)$', extract: 'x' } }),
      [
        [
          'imageRepository.filterTags.extract',
          'InvalidExtract',
          'names no group of the pattern, so that all tags compare alike, received "x"',
          'write $1',
        ],
      ],
    ],
  ])('%s', (_, application, expected) => {
    expect(told(application)).toEqual(expected);
  });

  it('two components that sync the same folder', () => {
    const of = (name: string, path: string, git: object, url = 'https://h/x'): unknown => ({
      name,
      type: 'kustomize',
      properties: { url, path, git },
    });
    const components = [
      of('a', './x/', { branch: 'm' }),
      of('b', 'x', { branch: 'n' }),
      of('c', 'x', { branch: 'm' }, 'https://h/x.git'),
      of('d', 'x', {}),
    ];
    const says = 'and url and git are those of components[0] too: both would apply the same objects';
    expect(told({ spec: { components } })).toEqual([
      ['spec.components[2].properties.path', 'SameSource', says, 'remove one of the two, or correct its path'],
    ]);
  });
});

it('whatever JSON it is, it gets an answer in one line', () => {
  fc.assert(
    fc.property(anyApplication, (application) => {
      for (const { code, message, path } of suspicionsOf(application)) {
        expect(Object.keys(reasons)).toContain(code);
        expect(message.startsWith(path)).toBe(true);
        expect(message).toMatch(/^[^\n\r\0]+$/u);
      }
    }),
    { numRuns: 500 },
  );
});
