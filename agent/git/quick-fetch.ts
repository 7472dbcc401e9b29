import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError } from './client.ts';
import { HARMLESS_FSCK } from './environment.ts';
import { packRequest, parsePackAnswer } from './fetch-pack.ts';
import type { Runner } from './runner.ts';
import type { Repository } from './types.ts';
import type { UploadPack } from './upload-pack.ts';

/** Of an answer, which is held in memory: larger ones are fetched by git, which writes them to the disk as they come. */
const MAX_BYTES = 2 * 1024 * 1024;

export interface QuickFetchContext {
  runner: Runner;
  uploadPack: UploadPack;
}

export interface QuickFetch {
  /** Tells repositories and their credentials apart. */
  key: string;
  repository: Repository;
  commit: string;
  /** Bare repository that nobody else writes into; its refs are files. */
  directory: string;
  /** Commits that are in it. */
  held: readonly string[];
}

/**
 * Fetches one commit without its history as `git fetch --depth=1` does: one POST instead of two requests or three, and one process
 * that checks what came and keeps it. False where git has to do it: then nothing was kept, but for a line of the file
 * `shallow` that says nothing to anybody. Rejects with the signal's reason.
 */
export async function quickFetch(context: QuickFetchContext, wanted: QuickFetch, signal: AbortSignal): Promise<boolean> {
  const { key, repository, commit, directory, held } = wanted;
  // A repository of SHA-256 has words of its own in the protocol.
  if (commit.length !== 40) return false;
  const shallow = await shallowOf(directory);
  if (!shallow) return false;
  const question = { key, repository, what: 'pack', body: packRequest({ commit, held, shallow }), maxBytes: MAX_BYTES } as const;
  const answer = await context.uploadPack.ask({ ...question, read: parsePackAnswer }, signal);
  if (!answer) return false;
  try {
    // First, since the check of the pack would miss the parents.
    await writeShallow(directory, [...shallow, ...answer.shallow]);
    await context.runner.feed(directory, INDEX_PACK, answer.pack, signal);
    await writeRef(directory, commit);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    // What is wrong with the pack or the disk, git finds too, and has the words for it.
    if (error instanceof GitError) context.uploadPack.leave(question);
    return false;
  }
}

/** As `git fetch` starts it with transfer.fsckObjects: broken objects and links end it, and nothing is kept. */
const INDEX_PACK = ['index-pack', '--stdin', '--fix-thin', `--strict=${HARMLESS_FSCK.map((id) => `${id}=ignore`).join(',')}`];

/** Commits whose parents are not there, a line each (gitformat, shallow). Undefined where the disk does not tell. */
async function shallowOf(directory: string): Promise<string[] | undefined> {
  try {
    const text = await readFile(join(directory, 'shallow'), 'utf8');
    return text.split('\n').filter((line) => line !== '');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : undefined;
  }
}

async function writeRef(directory: string, commit: string): Promise<void> {
  const folder = join(directory, 'refs', 'lateen');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, commit), `${commit}\n`);
}

/** Under the name that git locks with, so that whoever reads meanwhile reads the old file or the new one. */
async function writeShallow(directory: string, commits: string[]): Promise<void> {
  if (commits.length === 0) return;
  const lock = join(directory, 'shallow.lock');
  await writeFile(lock, `${[...new Set(commits)].join('\n')}\n`);
  await rename(lock, join(directory, 'shallow'));
}
