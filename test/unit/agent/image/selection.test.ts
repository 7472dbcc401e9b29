import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Selection, type SelectionSpec, selectorFrom } from '#agent/image/selection.ts';
import { alphabetical, filters, numerical, semver, type Vector } from './vectors.ts';

function selection(spec: SelectionSpec, tags: string[]): Selection | { reason: string } {
  const made = selectorFrom(spec);
  return 'problem' in made ? made.problem : made.selector.select(tags);
}

function outcome(spec: SelectionSpec, tags: string[]): string | { reason: string } {
  const selected = selection(spec, tags);
  if ('reason' in selected) return { reason: selected.reason };
  return selected.problem ? { reason: selected.problem.reason } : selected.kept[0]!.tag;
}

function tagsOf(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}

describe.each<[string, Vector[]]>([
  ['numerical', numerical],
  ['alphabetical', alphabetical],
  ['filterTags', filters],
  ['semver', semver],
])('vectors of %s', (_, vectors) => {
  it.each(vectors)('%s', (_id, spec, text, result) => {
    expect(outcome(spec, tagsOf(text))).toEqual(result);
  });

  it('give the same whatever the order of the tags', () => {
    fc.assert(
      fc.property(fc.constantFrom(...vectors), fc.infiniteStream(fc.nat()), ([, spec, text, result], numbers) => {
        const shuffled = tagsOf(text)
          .map((tag) => [numbers.next().value, tag] as const)
          .sort(([a], [b]) => a - b)
          .map(([, tag]) => tag);
        expect(outcome(spec, shuffled)).toEqual(result);
      }),
      { numRuns: 300 },
    );
  });
});

describe('what became of the others', () => {
  const spec: SelectionSpec = { policy: { numerical: { order: 'asc' } }, filterTags: { pattern: '^b-(\\w+)$', extract: '$1' } };

  it('is said of each', () => {
    const selected = selection(spec, ['b-1', 'b-2', 'b-x', 'a', 'b-2']);
    expect(selected).toEqual({
      seen: 4,
      kept: [
        { tag: 'b-2', key: '2' },
        { tag: 'b-1', key: '1' },
      ],
      dropped: [
        { tag: 'b-x', reason: 'NotANumber', why: '"x" is not a number' },
        { tag: 'a', reason: 'NoMatch', why: 'it does not match the pattern' },
      ],
    });
  });

  it('tells pre-releases from versions outside of the range', () => {
    const selected = selection({ policy: { semver: { range: '1.x' } } }, ['1.0.0', '1.1.0-rc.1', '2.0.0', 'latest', '0.9.0-rc']);
    expect('dropped' in selected && selected.dropped.map(({ tag, why }) => `${tag}: ${why}`)).toEqual([
      '1.1.0-rc.1: it is a pre-release, which 1.x does not ask for',
      '2.0.0: it is outside of 1.x',
      'latest: "latest" is not a version',
      '0.9.0-rc: it is outside of 1.x',
    ]);
  });

  it('names the twin of a tag with the same key', () => {
    const selected = selection({ policy: { semver: { range: '*' } }, filterTags: { pattern: '^([\\d.]+)-\\w+$', extract: '$1' } }, [
      '1.0.0-b',
      '1.0.0-a',
    ]);
    expect(selected).toMatchObject({ kept: [{ tag: '1.0.0-a', key: '1.0.0' }], dropped: [{ tag: '1.0.0-b', reason: 'Duplicate' }] });
  });
});

describe('nothing that a registry lists makes it fail', () => {
  it.each<[string, SelectionSpec]>([
    ['numerical', { policy: { numerical: {} } }],
    ['alphabetical', { policy: { alphabetical: {} } }],
    ['semver', { policy: { semver: { range: '*-0' } } }],
    ['with a filter', { policy: { numerical: {} }, filterTags: { pattern: '(.*)', extract: '$1$1' } }],
  ])('%s', (_, spec) => {
    const tag = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[-+_.\dexpEXPinf]{0,40}$/),
      fc.stringMatching(/^v?\d{0,25}(\.\d{0,25}){0,3}(-[\da-z.]{0,9})?$/),
    );
    fc.assert(
      fc.property(fc.array(tag), (tags) => {
        const selected = selection(spec, tags);
        expect('kept' in selected && selected.kept.length + selected.dropped.length).toBe(new Set(tags).size);
      }),
      { numRuns: 300 },
    );
  });

  it('and no pattern, template or range', () => {
    const pattern = fc.oneof(fc.string(), fc.stringMatching(/^[\^$()[\]\\dw+*?|a{}0-9<>P:]{0,30}$/));
    const range = fc.oneof(fc.string(), fc.stringMatching(/^[\d.x*<>=~^!|, v-]{0,30}$/));
    fc.assert(
      fc.property(pattern, fc.string(), range, (text, extract, rangeText) => {
        expect(
          outcome({ policy: { semver: { range: rangeText } }, filterTags: { pattern: text, extract } }, ['v1.2.3', 'a']),
        ).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });
});
