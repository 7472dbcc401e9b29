import { Failure } from '#api/failure.ts';
import { displayUrl } from '#api/source-url.ts';
import { oneLine } from '#core/errors.ts';
import type { Repository, Tip } from './types.ts';

const HEADS = 'refs/heads/';
/** As many branches as a message names. */
const MAX_BRANCHES_SHOWN = 10;
const COMMIT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Asks the server for its refs: those that `ref` names, or all; others may come with them. Throws Failure. */
export type ListRefs = (ref?: string) => Promise<Listing>;

/**
 * Tip of a branch by one listing. Undefined: the branch that HEAD of the remote names. Throws Failure RefNotFound (which costs a
 * second listing, to name the branches that there are) or RepositoryEmpty.
 */
export async function listTip(repository: Repository, branch: string | undefined, list: ListRefs): Promise<Tip> {
  const wanted = branch === undefined ? 'HEAD' : HEADS + branch;
  const refs = await list(wanted);
  const name = branch ?? refs.head;
  const commit = refs.commits.get(wanted);
  if (name !== undefined && commit !== undefined) return { branch: name, commit };
  const all = await list();
  throw missing(repository, branch, { ...all, head: all.head ?? refs.head, detached: commit !== undefined });
}

/** Arguments of git for such a listing. */
export function lsRemoteArguments(url: string, ref?: string): string[] {
  return ['ls-remote', '--symref', '--end-of-options', url, ...(ref === undefined ? [] : [ref])];
}

export interface Listing {
  /** Commit ids by full ref name. */
  commits: Map<string, string>;
  /** Short name of the branch that HEAD names. */
  head: string | undefined;
}

/**
 * Lines of `git ls-remote --symref`: `ref: refs/heads/main TAB HEAD` and `COMMIT TAB REF`. A pattern also matches refs
 * that end in it, so callers look refs up by their full name.
 */
export function parseListing(text: string): Listing {
  const commits = new Map<string, string>();
  let head: string | undefined;
  for (const line of text.split('\n')) {
    const [value = '', ref = ''] = line.split('\t');
    if (ref === 'HEAD' && value.startsWith(`ref: ${HEADS}`)) head = value.slice(`ref: ${HEADS}`.length);
    else if (COMMIT_ID.test(value)) commits.set(ref, value);
  }
  return { commits, head };
}

function missing(repository: Repository, branch: string | undefined, listing: Listing & { detached: boolean }): Failure {
  const url = displayUrl(repository.url);
  if (listing.commits.size === 0) return new Failure('RepositoryEmpty', `${url} has no commit yet`, { remedy: 'push a first commit' });
  const branches = [...listing.commits.keys()].filter((ref) => ref.startsWith(HEADS)).map((ref) => ref.slice(HEADS.length));
  const there = branches.length === 0 ? 'it has no branch at all' : `it has ${listNames(branches)}`;
  if (branch !== undefined)
    return new Failure('RefNotFound', `${url} has no branch ${branch}; ${there}`, { remedy: 'correct git.branch, or push the branch' });
  const what =
    listing.detached || listing.head === undefined
      ? 'does not say which branch is its default'
      : `has no commit on its default branch ${listing.head}`;
  return new Failure('RefNotFound', `${url} ${what}; ${there}`, { remedy: 'name a branch in git.branch' });
}

function listNames(names: string[]): string {
  const more = names.length > MAX_BRANCHES_SHOWN ? ` and ${names.length - MAX_BRANCHES_SHOWN} more` : '';
  return oneLine(`${names.slice(0, MAX_BRANCHES_SHOWN).join(', ')}${more}`);
}
