import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { GitError, noPipes } from './client.ts';

const MAX_ERROR_BYTES = 64 * 1024;

export interface GitInput {
  args: readonly string[];
  /** The whole environment: gitEnvironment of environment.ts. */
  environment: Record<string, string>;
  /** Working directory; an existing, empty folder. */
  cwd: string;
  input: Buffer;
  signal: AbortSignal;
}

/**
 * Starts git in a process group of its own, with its standard input open: it ends with that, so an agent that dies leaves none
 * behind. Throws Failure where the agent has so many files open that there are no pipes to git.
 */
export function startGit(
  args: readonly string[],
  { environment, cwd }: Pick<GitInput, 'environment' | 'cwd'>,
): ChildProcessWithoutNullStreams {
  const child = spawn('git', [...args], { cwd, env: environment, detached: true });
  // Comes in a moment where git could not be started. With nobody to hear it, it would end the agent.
  child.on('error', () => undefined);
  const { stdin } = child as ChildProcess;
  if (!stdin) throw noPipes();
  return child;
}

/** Gives git its input and waits for its end; what it prints is not asked for. Rejects with GitError or the signal's reason. */
export async function feedGit({ args, environment, cwd, input, signal }: GitInput): Promise<void> {
  signal.throwIfAborted();
  const child = startGit(args, { environment, cwd });
  const kill = (): void => killGroup(child);
  signal.addEventListener('abort', kill, { once: true });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr = `${stderr}${chunk.toString()}`.slice(0, MAX_ERROR_BYTES)));
  child.stdout.resume();
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    if (code !== 0) throw new GitError(args[0] ?? '', stderr || `ended with status ${String(code)}`);
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}

/** Kills git and all that it has started. */
export function killGroup({ pid, exitCode, signalCode }: ChildProcessWithoutNullStreams): void {
  if (!pid || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
