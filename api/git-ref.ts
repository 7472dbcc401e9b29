import type { Finding } from './schema.ts';
import { quote, shorten } from './wording.ts';

/**
 * What `git check-ref-format --branch` refuses (git-check-ref-format(1)), and a leading `-` besides, which git could take
 * for an option (spec/sync.md A7).
 */
export function branchRule(branch: string): Finding[] {
  const wrong = branchMistake(branch);
  return wrong ? [{ code: 'InvalidRef', text: `${wrong[0]}, received ${quote(branch)}`, value: shorten(branch), remedy: wrong[1] }] : [];
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
  if (branch.split('/').some((part) => part === '' || part.startsWith('.') || part.endsWith('.lock'))) {
    return ['must not hold an empty part, one that starts with "." or one that ends in ".lock"', 'name the branch alone'];
  }
  if (branch.endsWith('.')) return ['must not end with "."', 'name the branch alone'];
  return branch.length > 244 ? ['must have at most 244 characters', 'use a shorter name'] : undefined;
}
