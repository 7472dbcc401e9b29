import type { Finding } from './schema.ts';
import { quote, shorten } from './wording.ts';

/**
 * A folder of a repository in its one spelling: no leading `./`, no doubled or closing slash, the root as ''.
 * Only for paths that `pathRule` has let pass.
 */
export function normalizePath(path: string): string {
  return path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}

/** spec/sync.md A1: a path that leaves the repository is refused, never clamped in silence. */
export function pathRule(path: string): Finding[] {
  const wrong = pathMistake(path);
  if (!wrong) return [];
  const [problem, remedy] = wrong;
  return [{ code: 'InvalidPath', text: `${problem}, received ${quote(path)}`, value: shorten(path), remedy }];
}

// What most people write, told by one look: a review reads hundreds.
const PLAIN = /^[\w.-][\w./-]*$/;
const LONGEST = 1024;

function pathMistake(path: string): [problem: string, remedy: string] | undefined {
  if (path.length <= LONGEST && PLAIN.test(path) && !path.includes('..')) return undefined;
  if (path === '') return ['must not be empty', 'write "." for the whole repository'];
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  if (/[\u0000-\u001f\u007f]/.test(path)) return ['must not hold control characters', 'remove them'];
  if (path.includes('\\')) return ['must not hold a backslash', 'separate folders with /'];
  if (/%(2e|2f|5c|00)/i.test(path)) return ['must not hold percent escapes', 'write the characters themselves'];
  if (path.startsWith('/')) return ['must be relative to the root of the repository', `write .${path === '/' ? '' : shorten(path)}`];
  if (path.startsWith('~')) return ['must be relative to the root of the repository', 'write it without ~'];
  if (path.includes('..') && path.split('/').includes('..')) return ['must stay inside the repository', 'write the path without ..'];
  return path.length > LONGEST ? [`must have at most ${LONGEST} characters`, 'use a shorter path'] : undefined;
}
