import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { GitError } from './client.ts';
import { gitEnvironment } from './environment.ts';

/** `OID blob SIZE` and two line breaks, with room to spare. */
const HEADER_BYTES = 128;

export interface BlobRequest {
  oid: string;
  /** Bytes, from the listing of the tree. */
  size: number;
}

export interface ReadOptions {
  /** Bare repository. */
  directory: string;
  /** An existing, empty folder. */
  home: string;
  signal: AbortSignal;
}

/**
 * Contents of blobs by object id, through one `git cat-file --batch`. It is run here and not by simple-git, since it needs
 * standard input. Never takes more memory than the sizes promise. Rejects with GitError or the signal's reason.
 */
export async function readBlobs(blobs: BlobRequest[], options: ReadOptions): Promise<Map<string, Buffer>> {
  const { directory, home, signal } = options;
  signal.throwIfAborted();
  const wanted = [...new Map(blobs.map((blob) => [blob.oid, blob])).values()];
  if (wanted.length === 0) return new Map();
  const maxBytes = wanted.reduce((sum, { size }) => sum + size + HEADER_BYTES, 0);
  // A group of its own: the whole of it is killed.
  const child = spawn('git', ['cat-file', '--batch'], { cwd: home, env: gitEnvironment({ home, directory }), detached: true });
  const kill = (): void => killGroup(child);
  signal.addEventListener('abort', kill, { once: true });
  try {
    child.stdin.on('error', () => undefined);
    child.stdin.end(wanted.map(({ oid }) => `${oid}\n`).join(''));
    const stderr = collect(child.stderr, 64 * 1024, kill);
    const stdout = collect(child.stdout, maxBytes, kill);
    const [code] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    if (code !== 0) throw new GitError('cat-file', stderr().toString('utf8') || `ended with status ${String(code)}`);
    return parseBatch(stdout());
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}

function collect(stream: NodeJS.ReadableStream, maxBytes: number, kill: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) return kill();
    chunks.push(chunk);
  });
  return () => Buffer.concat(chunks);
}

/** git-cat-file(1), BATCH OUTPUT: `OID SP TYPE SP SIZE LF CONTENTS LF`, or `OID SP missing LF`. */
function parseBatch(output: Buffer): Map<string, Buffer> {
  const contents = new Map<string, Buffer>();
  for (let at = 0; at < output.length; ) {
    const lineEnd = output.indexOf(10, at);
    const line = output.subarray(at, lineEnd < 0 ? output.length : lineEnd).toString('latin1');
    const match = /^([0-9a-f]+) blob (\d+)$/.exec(line);
    if (!match) throw new GitError('cat-file', line);
    const start = lineEnd + 1;
    const end = start + Number(match[2]);
    if (end >= output.length) throw new GitError('cat-file', 'output was cut short');
    contents.set(match[1]!, output.subarray(start, end));
    at = end + 1;
  }
  return contents;
}

function killGroup({ pid, exitCode, signalCode }: ChildProcessWithoutNullStreams): void {
  if (!pid || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
