import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { GitError } from './client.ts';
import { gitEnvironment } from './environment.ts';
import { killGroup, startGit } from './process-group.ts';
import type { CommitChange } from './types.ts';

export interface CommitOptions {
  /** Bare repository that holds the commit which is built upon. */
  directory: string;
  /** An existing, empty folder. */
  home: string;
  signal: AbortSignal;
}

const PENDING = 'refs/lateen/pending';
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * Makes a commit on top of `base` without a work tree, by one `git fast-import`, and keeps it under refs/lateen/COMMIT as
 * the cache keeps what it fetches. Resolves to its id. Rejects with GitError or the signal's reason.
 */
export async function makeCommit(base: string, change: CommitChange, options: CommitOptions): Promise<string> {
  const { directory, home, signal } = options;
  signal.throwIfAborted();
  const args = ['fast-import', '--quiet', '--force', '--done', '--date-format=raw'];
  const child = startGit(args, { cwd: home, environment: gitEnvironment({ home, directory }) });
  const kill = (): void => killGroup(child);
  signal.addEventListener('abort', kill, { once: true });
  try {
    return await talk(child, base, change, signal);
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}

async function talk(child: ChildProcessWithoutNullStreams, base: string, change: CommitChange, signal: AbortSignal): Promise<string> {
  let stderr = '';
  let stdout = '';
  child.stdin.on('error', () => undefined);
  child.stderr.on('data', (chunk: Buffer) => (stderr = `${stderr}${chunk.toString()}`.slice(0, MAX_ERROR_BYTES)));
  const named = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout = `${stdout}${chunk.toString()}`.slice(0, 200);
      if (stdout.includes('\n')) resolve();
    });
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  for (const part of commitStream(base, change)) child.stdin.write(part);
  await Promise.race([named, closed]);
  const id = stdout.trim();
  if (isCommitId(id)) child.stdin.end(`reset refs/lateen/${id}\nfrom :1\n\ndone\n`);
  const [code] = await closed;
  signal.throwIfAborted();
  if (code !== 0 || !isCommitId(id)) throw new GitError('fast-import', stderr || `ended with status ${String(code)}`);
  return id;
}

function isCommitId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** The language of git-fast-import(1). What comes from people stands in counted data, or quoted. */
function* commitStream(base: string, { author, timeMs, message, files }: CommitChange): Iterable<string | Buffer> {
  const person = `${nameOf(author.name)} <${nameOf(author.email)}> ${Math.floor(timeMs / 1000)} +0000`;
  yield `commit ${PENDING}\nmark :1\nauthor ${person}\ncommitter ${person}\n`;
  // Git has no NUL in messages.
  yield* counted(Buffer.from(message.replaceAll('\0', '')));
  yield `from ${base}\n`;
  for (const { path, content, executable } of files) {
    yield `M ${executable ? '100755' : '100644'} inline ${quotedPath(path)}\n`;
    yield* counted(content);
  }
  yield '\nget-mark :1\n';
}

function* counted(content: Buffer): Iterable<string | Buffer> {
  yield `data ${content.length}\n`;
  yield content;
  yield '\n';
}

/** What a line of author and committer cannot hold. */
function nameOf(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this removes
  return text.replace(/[\u0000-\u001f<>]/g, '').trim();
}

/** Always quoted, as C does it. */
function quotedPath(path: string): string {
  const bytes = [...Buffer.from(path)].map((byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte);
  });
  return `"${bytes.join('')}"`;
}
