import { describe, expect, it } from 'vitest';
import { decide, outdated, type Recorded, type Wanted } from '#agent/revision/decision.ts';

function recorded(number: number, hash: string, version?: string, rest: Partial<Recorded> = {}): Recorded {
  return { name: `web-v${number}`, number, hash, version, usable: true, succeeded: true, endedRun: 'then', ...rest };
}

function decided(wanted: Partial<Wanted>, ...revisions: Recorded[]): string {
  const latest = wanted.latest ?? (revisions.length > 0 ? { name: revisions.at(-1)!.name, revision: revisions.at(-1)!.number } : undefined);
  const { revision, isNew, stored, note, about } = decide(
    { application: 'web', hash: 'a', version: undefined, hold: undefined, ...wanted, latest },
    revisions,
  );
  return [revision.name, isNew ? 'new' : '', stored ? 'stored' : '', note ?? '', about ?? ''].filter((word) => word !== '').join(' ');
}

describe('without a publishVersion', () => {
  it.each<[string, string, Recorded[], string]>([
    ['the first spec', 'a', [], 'web-v1 new'],
    ['an unchanged spec', 'a', [recorded(1, 'a')], 'web-v1'],
    ['a changed spec', 'b', [recorded(1, 'a')], 'web-v2 new'],
    ['a spec that returns to an older one', 'a', [recorded(1, 'a'), recorded(2, 'b')], 'web-v3 new'],
    ['a revision of an earlier Application of the name', 'a', [recorded(1, 'a', undefined, { usable: false })], 'web-v2 new'],
    ['numbers with a gap', 'b', [recorded(7, 'a')], 'web-v8 new'],
    ['a publishVersion that was taken away', 'a', [recorded(1, 'a', 'alpha1')], 'web-v2 new'],
  ])('%s', (_name, hash, revisions, expected) => {
    expect(decided({ hash }, ...revisions)).toBe(expected);
  });

  it('never goes below what the status remembers, though the revisions were deleted', () => {
    expect(decided({ latest: { name: 'web-v4', revision: 4 } })).toBe('web-v5 new');
  });
});

describe('with a publishVersion', () => {
  const [v1, v2] = [recorded(1, 'a', 'alpha1'), recorded(2, 'b', 'alpha2')];

  it.each<[string, Partial<Wanted>, Recorded[], string]>([
    ['the first one', { version: 'alpha1' }, [], 'web-v1 new'],
    ['the same one and the same spec', { version: 'alpha1' }, [v1], 'web-v1'],
    ['the same one and another spec', { version: 'alpha1', hash: 'b' }, [v1], 'web-v1 stored PublishVersionUnchanged'],
    ['another one and the same spec', { version: 'alpha2' }, [v1], 'web-v2 new'],
    ['another one and another spec', { version: 'alpha2', hash: 'b' }, [v1], 'web-v2 new'],
    ['one put on a spec that ran without', { version: 'alpha1' }, [recorded(1, 'a')], 'web-v2 new'],
    ['an older one with its spec', { version: 'alpha1', hash: 'a' }, [v1, v2], 'web-v1'],
    ['an older one alone, the bump taken back', { version: 'alpha1', hash: 'b' }, [v1, v2], 'web-v1 stored PublishVersionUnchanged'],
    ['an older one with a third spec', { version: 'alpha1', hash: 'c' }, [v1, v2], 'web-v2 stored VersionReused web-v1'],
    [
      'an older one that runs again, and an edit under it',
      { version: 'alpha1', hash: 'c', latest: { name: 'web-v1', revision: 1 } },
      [v1, v2],
      'web-v1 stored PublishVersionUnchanged',
    ],
    [
      'one that was made before the status was written, and an edit under it',
      { version: 'alpha2', hash: 'c', latest: { name: 'web-v1', revision: 1 } },
      [v1, v2],
      'web-v2 stored PublishVersionUnchanged',
    ],
  ])('%s', (_name, wanted, revisions, expected) => {
    expect(decided(wanted, ...revisions)).toBe(expected);
  });
});

describe('with a hold', () => {
  const [v1, v2] = [recorded(1, 'a', 'alpha1'), recorded(2, 'b', 'alpha2')];

  it.each([
    ['by its name', 'web-v1', 'web-v1 stored Held'],
    ['by its number', 'v1', 'web-v1 stored Held'],
    ['that is what the spec says', 'web-v2', 'web-v2 Held'],
    ['of what is not there', 'web-v7', 'web-v2 RevisionNotFound web-v7'],
  ])('%s', (_name, hold, expected) => {
    expect(decided({ hold, version: 'alpha2', hash: 'b' }, v1, v2)).toBe(expected);
  });
});

describe('retention', () => {
  const many = Array.from({ length: 8 }, (_, index) => recorded(index + 1, 'h', `v${index + 1}`, { succeeded: index < 3 }));
  const left = (limit: number, running: string, hold?: string): string[] =>
    outdated(many, { limit, running, hold }).map(({ name }) => name);

  it('takes the oldest beyond the limit and the one that runs', () => {
    expect(left(10, 'web-v8')).toEqual([]);
    expect(left(5, 'web-v8')).toEqual(['web-v1', 'web-v2']);
  });

  it('never the one that runs, the last that succeeded, or the one that a hold names', () => {
    expect(left(0, 'web-v1')).toEqual(['web-v2', 'web-v4', 'web-v5', 'web-v6', 'web-v7', 'web-v8']);
    expect(left(2, 'web-v8', 'v1')).toEqual(['web-v2', 'web-v4', 'web-v5', 'web-v6', 'web-v7']);
  });
});
