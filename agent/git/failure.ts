import { Failure, type FailureKind } from '#api/failure.ts';
import type { Reason } from '#api/reasons.ts';
import { displayUrl } from '#api/source-url.ts';
import { oneLine } from '#core/errors.ts';
import { authorization } from './environment.ts';
import type { Repository } from './types.ts';

/** As much of git's own words as a sentence bears. */
const MAX_DETAIL = 300;

interface Explanation {
  reason: Reason;
  /** The sentence after the URL. */
  text: string;
  remedy: string;
  kind?: FailureKind;
}

interface Circumstances {
  /** Whether credentials were sent. */
  sent: boolean;
  /** Whether the Secret names authorities. */
  ownAuthority: boolean;
  /** Git's last words. */
  detail: string;
  /** The HTTP status that git reported, or ''. */
  status: string;
}

type Row = [pattern: RegExp, explain: (circumstances: Circumstances) => Explanation];

const STATUS = /(?:returned error:|HTTP) (\d{3})/;

/** What git and libcurl write on standard error (in the C locale), the first match wins. git 2.39 with GnuTLS and OpenSSL. */
const TABLE: Row[] = [
  [
    /git: (?:command )?not found|exec: git:/,
    () => ({ reason: 'GitFailed', text: 'could not be read: the program git is not there', remedy: 'install git where the agent runs' }),
  ],
  [/could not read (?:Username|Password)|Authentication failed|(?:returned error:|HTTP) 401/, unauthorized],
  [/(?:returned error:|HTTP) 403/, forbidden],
  [/repository '.*' not found|(?:returned error:|HTTP) (?:404|410)/, notFound],
  [/not valid: is this a git repository|does not appear to be a git repository/, notGit],
  [/(?:returned error:|HTTP) 30[12378]/, redirected],
  [/(?:returned error:|HTTP) (?:429|5\d\d)/, unavailable],
  [
    /Operation too slow|[Tt]imed? ?out/,
    () => ({ reason: 'TimedOut', text: 'answered too slowly', remedy: 'check the Git server and the network to it' }),
  ],
  [
    /Could not resolve host/,
    () => ({
      reason: 'Unreachable',
      text: 'cannot be reached: the name of the host is unknown',
      remedy: 'check the host in url, and the DNS of the cluster',
    }),
  ],
  [/SSL|TLS|gnutls|certificate/, untrusted],
  [
    /Failed to connect|Couldn't connect|Connection (?:refused|reset)|unreachable|No route to host|Empty reply|transfer closed|Recv failure|Send failure|unexpected disconnect|hung up|curl \d+/,
    unreachable,
  ],
  [
    /File too large/,
    () => ({
      reason: 'TooLarge',
      text: 'has more bytes in one commit than the limit',
      remedy: 'keep large files out of the repository',
      kind: 'stalled',
    }),
  ],
  [
    /No space left on device/,
    () => ({
      reason: 'GitFailed',
      text: 'could not be stored: the disk of the cache folder is full',
      remedy: 'give the agent more space there',
    }),
  ],
  [/fsck error|[Ii]nvalid object|badTree|gitmodules/, unsound],
];

/** Whether git says that the server does not give out the commit that was asked for. */
export function isCommitGone(stderr: string): boolean {
  return /not our ref|unadvertised object|couldn't find remote ref/.test(stderr);
}

/** What git's words on standard error mean for the person who wrote the Application. */
export function failureFrom(stderr: string, repository: Repository): Failure {
  // The URL may hold any word of the table.
  const words = stderr.replace(/'https?:\/\/[^']*'/g, "'URL'");
  const circumstances: Circumstances = {
    sent: authorization(repository.credentials) !== undefined,
    ownAuthority: repository.credentials?.caCert !== undefined,
    detail: lastWords(words),
    status: STATUS.exec(words)?.[1] ?? '',
  };
  const explain = TABLE.find(([pattern]) => pattern.test(words))?.[1] ?? unforeseen;
  const { reason, text, remedy, kind = 'transient' } = explain(circumstances);
  return new Failure(reason, `${displayUrl(repository.url)} ${text}`, { kind, remedy });
}

export function timedOut(repository: Repository, timeoutMs: number): Failure {
  return new Failure('TimedOut', `${displayUrl(repository.url)} did not answer within ${timeoutMs / 1000} s`, {
    remedy: 'check the Git server and the network to it, or raise timeout',
  });
}

/** The line in which git says why it ended. */
function lastWords(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const line = lines.findLast((one) => /^(fatal|error|remote): /.test(one)) ?? lines.at(-1) ?? 'git said nothing';
  return oneLine(line.replace(/^(?:(?:fatal|error|remote): )+/, '').replace(/^unable to access 'URL': /, ''), MAX_DETAIL);
}

function unauthorized({ sent }: Circumstances): Explanation {
  return sent
    ? { reason: 'AuthFailed', text: 'refused the credentials (401)', remedy: 'correct the Secret that secretRef names' }
    : {
        reason: 'AuthFailed',
        text: 'asks for credentials, and none were sent (401)',
        remedy:
          'name a Secret with username and password in secretRef, or correct url (some servers answer so for a repository that is not there)',
      };
}

function forbidden({ sent }: Circumstances): Explanation {
  return sent
    ? {
        reason: 'AuthFailed',
        text: 'does not let these credentials read it (403)',
        remedy: 'give the user of the Secret that secretRef names the right to read it',
      }
    : {
        reason: 'AuthFailed',
        text: 'does not let everybody read it, and no credentials were sent (403)',
        remedy: 'name a Secret with username and password in secretRef',
      };
}

function notFound({ sent }: Circumstances): Explanation {
  const hidden = sent
    ? 'check url, and whether the user of the Secret may see the repository'
    : 'check url; where it is a private repository, name a Secret in secretRef';
  return { reason: 'RepositoryNotFound', text: 'is not on the server (404)', remedy: hidden };
}

function notGit(): Explanation {
  return { reason: 'RepositoryNotFound', text: 'answers, but not as a Git repository', remedy: 'write the URL that git clone takes' };
}

function redirected({ status }: Circumstances): Explanation {
  return {
    reason: 'InvalidURL',
    text: `redirects to another URL (${status}), and redirects are not followed`,
    remedy: 'write the URL that it redirects to (curl -sI URL/info/refs?service=git-upload-pack shows it)',
    kind: 'stalled',
  };
}

function unavailable({ status }: Circumstances): Explanation {
  return status === '429'
    ? { reason: 'Unreachable', text: 'is asked too often (429)', remedy: 'raise pullInterval' }
    : { reason: 'Unreachable', text: `cannot be read: the server answered ${status}`, remedy: 'ask who runs the Git server' };
}

function untrusted({ ownAuthority, detail }: Circumstances): Explanation {
  return {
    reason: 'TLSFailed',
    text: `has no certificate that is trusted: ${detail}`,
    remedy: ownAuthority
      ? 'correct ca.crt in the Secret that secretRef names'
      : 'put the certificate of its authority as ca.crt into the Secret that secretRef names',
  };
}

function unreachable({ detail }: Circumstances): Explanation {
  return { reason: 'Unreachable', text: `cannot be reached: ${detail}`, remedy: 'check url, and that the Git server is up' };
}

function unsound({ detail }: Circumstances): Explanation {
  return {
    reason: 'GitFailed',
    text: `holds an object that Git refuses: ${detail}`,
    remedy: 'run git fsck in the repository and remove what it names',
    kind: 'stalled',
  };
}

function unforeseen({ detail }: Circumstances): Explanation {
  return { reason: 'GitFailed', text: `could not be read: ${detail}`, remedy: 'try git ls-remote with this URL' };
}
