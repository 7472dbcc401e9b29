import { expect, it } from 'vitest';
import { failureFrom, isCommitGone } from '#agent/git/failure.ts';

const REPOSITORY = { url: 'https://git.example.com/infra' };
const ACCESS = "fatal: unable to access 'https://git.example.com/infra/': ";

it.each([
  ['/bin/sh: 1: git: not found', 'GitFailed', 'transient'],
  ["fatal: could not read Username for 'https://git.example.com': terminal prompts disabled", 'AuthFailed', 'transient'],
  ["fatal: Authentication failed for 'https://git.example.com/infra/'", 'AuthFailed', 'transient'],
  [`${ACCESS}The requested URL returned error: 403`, 'AuthFailed', 'transient'],
  ["fatal: repository 'https://git.example.com/infra/' not found", 'RepositoryNotFound', 'transient'],
  ['fatal: https://git.example.com/infra/info/refs not valid: is this a git repository?', 'RepositoryNotFound', 'transient'],
  [`${ACCESS}The requested URL returned error: 302`, 'InvalidURL', 'stalled'],
  [`${ACCESS}The requested URL returned error: 429`, 'Unreachable', 'transient'],
  [
    'error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\nfatal: expected flush after ref listing',
    'Unreachable',
    'transient',
  ],
  [`${ACCESS}Operation too slow. Less than 1000 bytes/sec transferred the last 20 seconds`, 'TimedOut', 'transient'],
  [`${ACCESS}Failed to connect to git.example.com port 443 after 130000 ms: Connection timed out`, 'TimedOut', 'transient'],
  [`${ACCESS}Could not resolve host: git.example.com`, 'Unreachable', 'transient'],
  [`${ACCESS}SSL certificate problem: self-signed certificate in certificate chain`, 'TLSFailed', 'transient'],
  [`${ACCESS}server certificate verification failed. CAfile: /x.pem CRLfile: none`, 'TLSFailed', 'transient'],
  [`${ACCESS}SSL: no alternative certificate subject name matches target host name 'git.example.com'`, 'TLSFailed', 'transient'],
  [`${ACCESS}gnutls_handshake() failed: An unexpected TLS packet was received.`, 'TLSFailed', 'transient'],
  [`${ACCESS}Failed to connect to git.example.com port 443 after 2 ms: Couldn't connect to server`, 'Unreachable', 'transient'],
  ['error: RPC failed; curl 18 transfer closed with outstanding read data remaining', 'Unreachable', 'transient'],
  ['fatal: the remote end hung up unexpectedly', 'Unreachable', 'transient'],
  ['fatal: write error: File too large\nfatal: fetch-pack: invalid index-pack output', 'TooLarge', 'stalled'],
  ['fatal: write error: No space left on device', 'GitFailed', 'transient'],
  ['error: object 1234: gitmodulesName: disallowed submodule name\nfatal: fsck error in packed object', 'GitFailed', 'stalled'],
  ['fatal: something that nobody has seen', 'GitFailed', 'transient'],
  ['', 'GitFailed', 'transient'],
])('reads %j', (stderr, reason, kind) => {
  const failure = failureFrom(stderr, REPOSITORY);
  expect({ reason: failure.reason, kind: failure.kind }).toEqual({ reason, kind });
  expect(failure.message).toMatch(/^https:\/\/git.example.com\/infra [a-z]/);
  expect(failure.remedy).toMatch(/^[a-z]/);
});

it('does not read the URL for a word of git', () => {
  const repository = { url: 'https://git.example.com/certificates/SSL/timed-out' };
  const stderr = `fatal: unable to access '${repository.url}/': Failed to connect to git.example.com port 443 after 2 ms: Couldn't connect to server`;
  expect(failureFrom(stderr, repository).sentence).toBe(
    `${repository.url} cannot be reached: Failed to connect to git.example.com port 443 after 2 ms: Couldn't connect to server; check url, and that the Git server is up`,
  );
});

it('shows git’s words on one line without control characters, shortened', () => {
  const { message } = failureFrom(`remote: \u001b[31mbad\u0007 news ${'x'.repeat(500)}\n`, REPOSITORY);
  expect(message).toMatch(/^https:\/\/git.example.com\/infra could not be read: \[31mbad news x+…$/);
  expect(message.length).toBeLessThan(360);
});

it('knows when a commit is gone', () => {
  expect(isCommitGone('fatal: remote error: upload-pack: not our ref 1234')).toBe(true);
  expect(isCommitGone('error: Server does not allow request for unadvertised object 1234')).toBe(true);
  expect(isCommitGone('fatal: early EOF')).toBe(false);
});
