import type { Finding } from './schema.ts';
import { quote, shorten } from './wording.ts';

// What most people write, told by one look: a review reads hundreds.
const PLAIN = /^\w[\w-]*$/;
const LONGEST = 244;

/**
 * What `git check-ref-format --branch` refuses (git-check-ref-format(1)), and a leading `-` besides, which git could take
 * for an option (spec/sync.md A7).
 */
export function branchRule(branch: string): Finding[] {
  if (branch.length <= LONGEST && PLAIN.test(branch) && branch !== 'HEAD') return [];
  const wrong = branchMistake(branch);
  return wrong ? [{ code: 'InvalidRef', text: `${wrong[0]}, received ${quote(branch)}`, value: shorten(branch), remedy: wrong[1] }] : [];
}

/** The name of a tag: Git takes the same names as for a branch. */
export function tagRule(tag: string): Finding[] {
  return branchRule(tag).map((finding) => ({ ...finding, remedy: 'write the short name of a tag' }));
}

/** A ref by its full name, such as refs/pull/1/head. */
export function refRule(name: string): Finding[] {
  const wrong = (text: string, remedy: string): Finding[] => [
    { code: 'InvalidRef', text: `${text}, received ${quote(name)}`, value: shorten(name), remedy },
  ];
  if (!name.startsWith('refs/')) return wrong('must be a full ref', 'write refs/heads/NAME, refs/tags/NAME or the like');
  return branchRule(name.slice('refs/'.length)).length > 0
    ? wrong('must be a ref that Git takes', 'write refs/heads/NAME or the like')
    : [];
}

/** A whole commit id, SHA-1 or SHA-256: an abbreviated one may come to mean another. */
export function commitRule(commit: string): Finding[] {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return [];
  const text = `must be a full commit id of 40 or 64 hexadecimal digits, received ${quote(commit)}`;
  return [{ code: 'InvalidRef', text, value: shorten(commit), remedy: 'write what git rev-parse prints' }];
}

function branchMistake(branch: string): [text: string, remedy: string] | undefined {
  if (branch === '') return ['must not be empty', 'name a branch, or remove it for the default branch of the remote'];
  if (branch.startsWith('-')) return ['must not start with "-"', 'name the branch alone'];
  if (branch.startsWith('refs/')) return ['must be the short name of a branch', `write ${quote(branch.replace(/^refs\/(heads\/)?/, ''))}`];
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  if (/[\u0000-\u0020\u007f~^:?*[\\]/.test(branch))
    return ['must not hold spaces, control characters or any of ~^:?*[\\', 'name the branch alone'];
  if (branch.includes('..') || branch.includes('@{') || branch === '@')
    return ['must not be or hold "..", "@{" or a lone "@"', 'name the branch alone'];
  if (branch === 'HEAD') return ['must not be HEAD', 'remove it for the default branch of the remote'];
  if (/[./]/.test(branch) && branch.split('/').some((part) => part === '' || part.startsWith('.') || part.endsWith('.lock'))) {
    return ['must not hold an empty part, one that starts with "." or one that ends in ".lock"', 'name the branch alone'];
  }
  if (branch.endsWith('.')) return ['must not end with "."', 'name the branch alone'];
  return branch.length > LONGEST ? [`must have at most ${LONGEST} characters`, 'use a shorter name'] : undefined;
}
