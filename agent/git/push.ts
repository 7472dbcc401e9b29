import { oneLine } from '#core/errors.ts';
import type { PushOutcome } from './types.ts';

/** As much of the server's words as a sentence bears. */
const MAX_WORDS = 300;

/** Never with force: what others have pushed meanwhile is theirs. */
export function pushArguments(url: string, commit: string, branch: string): string[] {
  return [
    'push',
    '--no-progress',
    '--no-verify',
    '--no-signed',
    '--no-follow-tags',
    '--recurse-submodules=no',
    '--end-of-options',
    url,
    `${commit}:refs/heads/${branch}`,
  ];
}

/** The branch moved while we were looking: by our own git, or by the server in the last moment. */
const RACED =
  /\[rejected\]|fetch first|non-fast-forward|stale info|cannot lock ref|failed to update ref|incorrect old value|reference already exists/;
/** Rules of the server: protected branches, hooks, and what its refs may not be. */
const FORBIDDEN = /protected|declined|denied|not allowed|permission|forbidden|prohibited|GH0\d\d|hook/i;
const UNAUTHORIZED =
  /returned error: (?:401|403)|HTTP (?:401|403)|Authentication failed|could not read Username|access denied|not permitted|deploy key|read[- ]only/i;

/** What git's words on standard error say about a push; undefined where they say nothing of the kind. */
export function pushOutcome(stderr: string): PushOutcome | undefined {
  // The URL may hold any word.
  const words = stderr.replace(/'https?:\/\/[^']*'/g, "'URL'").replace(/^To https?:.*$/gm, '');
  if (/\[remote rejected\]/.test(words)) return refusedByServer(words);
  if (RACED.test(words)) return { outcome: 'raced' };
  if (UNAUTHORIZED.test(words)) return { outcome: 'forbidden', words: serverWords(words) };
  return undefined;
}

function refusedByServer(words: string): PushOutcome {
  if (/\[remote rejected\].*(?:cannot lock ref|failed to update ref|incorrect old value|reference already exists)/.test(words))
    return { outcome: 'raced' };
  return { outcome: FORBIDDEN.test(words) ? 'forbidden' : 'refused', words: serverWords(words) };
}

/** What the server said to the person, or else why git ended. */
function serverWords(words: string): string {
  const lines = words.split(/[\r\n]+/);
  // Git's own line about a hook says less than the hook did.
  const said = lines.filter((line) => /^remote: (?!error: hook declined)\S/.test(line)).map((line) => line.slice('remote: '.length).trim());
  const rejected = lines.filter((line) => line.includes('[remote rejected]')).map((line) => /\(([^()]*)\)\s*$/.exec(line)?.[1] ?? line);
  const [first] = lines.filter((line) => /^(?:fatal|error): /.test(line)).map((line) => line.replace(/^\w+: /, ''));
  const parts = [...rejected, ...said];
  return oneLine((parts.length > 0 ? parts : [first ?? 'git said nothing']).join('; '), MAX_WORDS);
}
