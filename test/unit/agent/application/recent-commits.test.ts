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

/** What waits has waited for too long at once. */
const around = { clock: { sleep: () => Promise.resolve() }, wake: () => undefined };
/** Never waits for too long. */
const patient = { ...around, clock: { sleep: () => new Promise<void>(() => undefined) } };
const recentCommits = (details: Record<string, string>): RecentCommits => new RecentCommits(details, patient);

const told = { told: true, asked: false };
const asked = { told: false, asked: true };

describe('the commits that the status tells of', () => {
  it('are the newest of which everything is applied, since the first that was seen', async () => {
    const [recent, source] = [recentCommits({}), sourceOf('cba')];
    await recent.applied(source, at('b'), told);
    expect([recent.details, source.asked]).toEqual([{ recent: short('b') }, 0]);
    await recent.applied(source, at('c'), told);
    expect([recent.details, source.known]).toEqual([{ recent: short('cba') }, short('b').split(' ')]);
  });

  it('are those of before too when somebody asks, once', async () => {
    const [recent, source] = [recentCommits({ recent: short('b') }), sourceOf('cba')];
    await recent.applied(source, at('b'), asked);
    expect([recent.details, source.known]).toEqual([{ recent: short('ba') }, []]);
    await recent.applied(source, at('b'), asked);
    expect(source.asked).toBe(1);
    await recent.applied(source, at('c'), asked);
    expect([recent.details, source.known]).toEqual([{ recent: short('cba') }, short('ba').split(' ')]);
  });

  it('stay where nobody is told, so that a commit elsewhere writes no status', async () => {
    const [recent, source] = [recentCommits({ recent: short('a') }), sourceOf('ba')];
    await recent.applied(source, at('b'), { told: false, asked: false });
    expect([recent.details, source.asked]).toEqual([{ recent: short('a') }, 0]);
  });

  it('are taken over after a restart, without a question', async () => {
    const [recent, source] = [recentCommits({ recent: short('ba') }), sourceOf('ba')];
    await recent.applied(source, at('b'), told);
    expect([recent.details, source.asked]).toEqual([{ recent: short('ba') }, 0]);
  });

  it('name those that cannot be applied, until they are', async () => {
    const [recent, source] = [recentCommits({ recent: short('a') }), sourceOf('dcba')];
    await recent.failed(source, at('c'), false);
    expect(recent.details).toEqual({ recent: short('a'), failing: short('cb') });
    await recent.applied(source, at('d'), told);
    expect(recent.details).toEqual({ recent: short('dcba') });
  });
});

describe('the first commit of all', () => {
  it('is told alone where it cannot be applied, with its history when somebody asks', async () => {
    const [recent, source] = [recentCommits({}), sourceOf('ba')];
    await recent.failed(source, at('b'), false);
    expect([recent.details, source.asked]).toEqual([{ failing: short('b') }, 0]);
    await recent.failed(source, at('b'), true);
    expect(recent.details).toEqual({ failing: short('ba') });
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

describe('a history that takes long to look up', () => {
  const slow = () => {
    const answers: ((commits: string[]) => void)[] = [];
    const source = { recent: () => new Promise<string[]>((resolve) => answers.push(resolve)) } as unknown as Source;
    return { source, answers };
  };

  it('keeps nobody waiting, and wakes when it is there', async () => {
    let woken = 0;
    const recent = new RecentCommits({ recent: short('a') }, { ...around, wake: () => woken++ });
    const { source, answers } = slow();
    await recent.applied(source, at('c'), told);
    expect([recent.details, woken]).toEqual([{ recent: short('a') }, 0]);
    answers[0]?.([id('c'), id('b'), id('a')]);
    await expect.poll(() => woken).toBe(1);
    expect(recent.details).toEqual({ recent: short('cba') });
  });

  it('is taken though nobody is told meanwhile that the same commit runs', async () => {
    const recent = new RecentCommits({ recent: short('a') }, around);
    const { source, answers } = slow();
    await recent.applied(source, at('b'), told);
    await recent.applied(source, at('b'), { told: false, asked: false });
    answers[0]?.([id('b'), id('a')]);
    await expect.poll(() => recent.details).toEqual({ recent: short('ba') });
  });

  it('is not taken when something newer was said meanwhile', async () => {
    const recent = new RecentCommits({ recent: short('a') }, around);
    const { source, answers } = slow();
    await recent.failed(source, at('b'), false);
    await recent.applied(source, at('c'), told);
    answers[0]?.([id('b'), id('a')]);
    answers[1]?.([id('c'), id('b'), id('a')]);
    await expect.poll(() => recent.details).toEqual({ recent: short('cba') });
  });

  it('is looked up again where something went wrong for a moment while it was', async () => {
    let woken = 0;
    const recent = new RecentCommits({ recent: short('a') }, { ...around, wake: () => woken++ });
    const { source, answers } = slow();
    const quiet = { told: false, asked: false };
    await recent.applied(source, at('b'), told);
    await recent.failed(source, at('b'), false);
    await recent.applied(source, at('b'), quiet);
    for (const answer of answers) answer([id('b'), id('a')]);
    await expect.poll(() => recent.details).toEqual({ recent: short('ba') });
    expect(woken).toBe(1);
  });
});
