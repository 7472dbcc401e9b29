import { randomBytes } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError } from './client.ts';
import { failureFrom } from './failure.ts';
import type { Runner } from './runner.ts';
import type { Repository, Tip } from './types.ts';

/** Commits that are looked at: some hundred bytes each. */
const MAX_COMMITS = 1_000;

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
export async function historyHolds(
  { runner, folder, repository }: { runner: Runner; folder: string; repository: Repository },
  tip: Tip,
  { commit, base }: HistoryQuestion,
  signal: AbortSignal,
): Promise<boolean> {
  if (tip.commit === commit) return true;
  const directory = join(folder, `history-${randomBytes(8).toString('hex')}`);
  try {
    await mkdir(directory);
    const format = `--object-format=${commit.length === 64 ? 'sha256' : 'sha1'}`;
    await runner.local(directory, ['init', '--quiet', '--bare', '--template=', format], signal);
    await runner.onWire(repository, fetchArguments(repository.url, tip.commit), signal, directory);
    const listed = await runner.local(directory, ['rev-list', `--max-count=${MAX_COMMITS}`, 'refs/lateen/tip', '--'], signal);
    const commits = new Set(listed.split('\n'));
    if (commits.has(commit)) return true;
    const isWhole = !(await stat(join(directory, 'shallow')).catch(() => undefined));
    return !isWhole && !commits.has(base);
  } catch (error) {
    throw error instanceof GitError ? failureFrom(error.stderr, repository) : error;
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Servers that cannot leave files out send them. */
function fetchArguments(url: string, commit: string): string[] {
  const switches = [
    `--depth=${MAX_COMMITS}`,
    '--filter=tree:0',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
    '--no-show-forced-updates',
  ];
  return ['fetch', '--quiet', '--no-progress', ...switches, '--end-of-options', url, `+${commit}:refs/lateen/tip`];
}
