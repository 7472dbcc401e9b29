import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';
import { Failure } from '#api/failure.ts';
import { gitVariables } from './environment.ts';

/** Puts git into a process group of its own; shipped beside the program. */
export const GROUP_WRAPPER = fileURLToPath(new URL('./group.sh', import.meta.url));

/** What git says on standard error is cut at this; a server may send any amount (spec/sync.md A10). */
const MAX_ERROR_BYTES = 64 * 1024;

export interface GitCall {
  args: string[];
  /** The whole environment: gitEnvironment of environment.ts. */
  environment: Record<string, string>;
  /** Working directory; an existing, empty folder. */
  cwd: string;
  /** A shell script that runs `git "$@"` in a process group of its own and kills it all on SIGINT. */
  wrapper: string;
  maxOutputBytes: number;
  /** Kills the whole process group. */
  signal: AbortSignal;
}

/** git ended with an error, or printed more than it may. */
export class GitError extends Error {
  readonly stderr: string;
  /** It was killed because it printed more than `maxOutputBytes`. */
  readonly tooMuch: boolean;

  constructor(command: string, stderr: string, tooMuch = false) {
    super(`git ${command}: ${tooMuch ? 'more output than the limit' : stderr.trim()}`);
    this.name = 'GitError';
    this.stderr = stderr;
    this.tooMuch = tooMuch;
  }
}

/** Without file descriptors there is a child without pipes, and an event that tells. */
export function noPipes(): Failure {
  return new Failure('GitFailed', 'git could not be started: the agent has too many files open', {
    remedy: 'raise the limit of open files of the agent',
  });
}

// simple-git stumbles over the pipes before it listens for the event, which would then end the agent.
subscribe('child_process', (message) => {
  (message as { process: ChildProcess }).process.on('error', () => undefined);
});

/**
 * Runs git through simple-git, which is loaded at the first call, and returns its standard output. Rejects with GitError,
 * Failure where it cannot be started, or the reason of `signal`; either way nothing of git is running any more.
 */
export async function runGit(call: GitCall): Promise<string> {
  const { args, environment, cwd, wrapper, maxOutputBytes, signal } = call;
  signal.throwIfAborted();
  const { simpleGit } = await import('simple-git');
  const overflow = new AbortController();
  const command = args[0] ?? '';
  // simple-git wraps what `errors` returns, so it is kept aside.
  let failed: GitError | undefined;
  const git = simpleGit({
    baseDir: cwd,
    binary: ['/bin/sh', wrapper],
    abort: AbortSignal.any([signal, overflow.signal]),
    allowEnvironment: gitVariables(environment),
    unsafe: {
      // The wrapper's path may hold any character; the rest is our own hardening, which simple-git takes for an attack.
      allowUnsafeCustomBinary: true,
      allowUnsafeAskPass: true,
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeHooksPath: true,
      allowUnsafeProtocolOverride: true,
      allowUnsafeTemplateDir: true,
    },
    errors(error, { exitCode, stdErr }) {
      if (exitCode) failed = new GitError(command, Buffer.concat(stdErr).toString('utf8'));
      return failed ?? error;
    },
  });
  git.outputHandler((_command, stdout, stderr) => {
    capBytes(stdout, maxOutputBytes, overflow);
    capBytes(stderr, MAX_ERROR_BYTES, overflow);
  });
  try {
    return await git.env(environment).raw(args);
  } catch (error) {
    signal.throwIfAborted();
    if (overflow.signal.aborted) throw new GitError(command, '', true);
    throw failed ?? (String((error as Error).message).startsWith('TypeError') ? noPipes() : error);
  }
}

function capBytes(stream: NodeJS.ReadableStream, maxBytes: number, overflow: AbortController): void {
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) overflow.abort(new Error('more output than the limit'));
  });
}
