import { randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BareRepositories } from './bare-repositories.ts';
import { GitError } from './client.ts';
import { failureFrom } from './failure.ts';
import type { Runner } from './runner.ts';
import type { Repository, Tip } from './types.ts';

/** Commits that are looked at: some hundred bytes each. */
const MAX_COMMITS = 1_000;

/** Commits that are remembered of a branch, so that somebody who waits for one of them finds it. */
const RECENT_COMMITS = 20;

interface Place {
  runner: Runner;
  bare: BareRepositories;
  folder: string;
  repository: Repository;
}

export interface HistoryQuestion {
  /** Looked for. */
  commit: string;
  /** The commit that it was made upon. */
  base: string;
}

/**
 * Whether the commit is in the history of a tip. Where it is so long ago that neither the commit nor its base is found,
 * that is taken for yes. Asked for rarely: the history, without files, is fetched into a folder of its own, since the
 * cache holds single commits. Rejects with Failure, GitError or the signal's reason.
 */
export async function historyHolds(place: Place, tip: Tip, { commit, base }: HistoryQuestion, signal: AbortSignal): Promise<boolean> {
  if (tip.commit === commit) return true;
  const { commits, isWhole } = await historyOf(place, tip.commit, MAX_COMMITS, signal);
  return commits.includes(commit) || (!isWhole && !commits.includes(base));
}

/**
 * The newest commits of a tip's history, newest first. `known` are those of the tip before, as far as their first digits:
 * where the new one was made upon it alone, which its `parents` tell, nothing goes over the wire. Rejects with Failure, GitError or the signal's reason.
 */
export async function recentCommits(
  place: Place,
  { tip, parents }: { tip: Tip; parents: readonly string[] },
  known: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const [parent, ...others] = parents;
  if (parent !== undefined && others.length === 0 && known[0] && parent.startsWith(known[0]))
    return [tip.commit, ...known].slice(0, RECENT_COMMITS);
  const { commits } = await historyOf(place, tip.commit, RECENT_COMMITS, signal);
  return commits;
}

/** At most so many commits of a history, newest first, and whether that is all of it. */
async function historyOf(
  { runner, bare, folder, repository }: Place,
  commit: string,
  most: number,
  signal: AbortSignal,
): Promise<{ commits: string[]; isWhole: boolean }> {
  const directory = join(folder, `history-${randomBytes(8).toString('hex')}`);
  try {
    await bare.make(directory, commit, signal);
    await runner.onWire(repository, fetchArguments(repository.url, commit, most), signal, directory);
    const listed = await runner.local(directory, ['rev-list', `--max-count=${most}`, 'refs/lateen/tip', '--'], signal);
    const isWhole = !(await stat(join(directory, 'shallow')).catch(() => undefined));
    return { commits: listed.split('\n').filter((line) => line !== ''), isWhole };
  } catch (error) {
    throw error instanceof GitError ? failureFrom(error.stderr, repository) : error;
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Servers that cannot leave files out send them. */
function fetchArguments(url: string, commit: string, depth: number): string[] {
  const switches = [
    `--depth=${depth}`,
    '--filter=tree:0',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
    '--no-show-forced-updates',
  ];
  return ['fetch', '--quiet', '--no-progress', ...switches, '--end-of-options', url, `+${commit}:refs/lateen/tip`];
}
