import { describe, expect, it } from 'vitest';
import { RecentCommits, sharesBranch } from '#agent/application/recent-commits.ts';
import type { Revision, Source } from '#agent/sync/source.ts';
import type { Component } from '#api/application.ts';

const id = (letter: string): string => letter.repeat(40);
const short = (letters: string): string =>
  letters
    .split('')
    .map((letter) => letter.repeat(12))
    .join(' ');
const at = (letter: string): Revision => ({ tip: { branch: 'main', commit: id(letter) }, commit: { id: id(letter) } }) as Revision;

/** A source that knows a history, and counts how often it is asked. */
function sourceOf(history: string): Source & { asked: number; known: readonly string[] } {
  const source = {
    asked: 0,
    known: [] as readonly string[],
    recent: ({ commit }: Revision, known: readonly string[]) => {
      source.asked++;
      source.known = known;
      return Promise.resolve(history.slice(history.indexOf(commit.id[0]!)).split('').map(id));
    },
  };
  return source as unknown as Source & { asked: number; known: readonly string[] };
}

describe('the commits that the status tells of', () => {
  it('are the newest of which everything is applied', async () => {
    const [recent, source] = [new RecentCommits({}), sourceOf('cba')];
    await recent.applied(source, at('b'), true);
    expect(recent.details).toEqual({ recent: short('ba') });
    await recent.applied(source, at('c'), true);
    expect([recent.details, source.known]).toEqual([{ recent: short('cba') }, short('ba').split(' ')]);
  });

  it('stay where nobody is told, so that a commit elsewhere writes no status', async () => {
    const [recent, source] = [new RecentCommits({ recent: short('a') }), sourceOf('ba')];
    await recent.applied(source, at('b'), false);
    expect([recent.details, source.asked]).toEqual([{ recent: short('a') }, 0]);
  });

  it('are taken over after a restart, without a question', async () => {
    const [recent, source] = [new RecentCommits({ recent: short('ba') }), sourceOf('ba')];
    await recent.applied(source, at('b'), true);
    expect([recent.details, source.asked]).toEqual([{ recent: short('ba') }, 0]);
  });

  it('name those that cannot be applied, until they are', async () => {
    const [recent, source] = [new RecentCommits({ recent: short('a') }), sourceOf('dcba')];
    await recent.failed(source, at('c'));
    expect(recent.details).toEqual({ recent: short('a'), failing: short('cb') });
    await recent.applied(source, at('d'), true);
    expect(recent.details).toEqual({ recent: short('dcba') });
  });
});

describe('components of one branch', () => {
  const component = (name: string, url: string, branch?: string): Component => ({
    name,
    type: 'kustomize',
    properties: { url, ...(branch ? { git: { branch } } : {}) },
  });

  it('are told by repository and branch', () => {
    const [one, same, other, fork] = [component('a', 'u', 'x'), component('b', 'u', 'x'), component('c', 'u'), component('d', 'v', 'x')];
    expect([sharesBranch([one, same], one), sharesBranch([one, other, fork], one), sharesBranch([one], one)]).toEqual([true, false, false]);
    expect(sharesBranch([one, { ...same, type: 'webservice' }], one)).toBe(false);
  });
});
