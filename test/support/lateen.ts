import { spawn } from 'node:child_process';
import { shipped } from './shipped-programs.ts';

const DEADLINE_MS = 20_000;

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  stdin?: string;
  cwd?: string;
  /** Called with whatever it writes to stderr, as it does. */
  onStderr?: (text: string) => void;
  /** After so long it is killed. */
  deadlineMs?: number;
}

/** Runs the command lateen as a user does, with nothing of the environment but PATH. */
export function lateen(
  args: readonly string[],
  { env = {}, stdin = '', cwd, onStderr, deadlineMs = DEADLINE_MS }: RunOptions = {},
): Promise<Ran> {
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  const [command, ...options] = shipped('lateen');
  const child = spawn(command, [...options, ...args], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', TZ: 'UTC', ...env },
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
    ...(cwd ? { cwd } : {}),
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.stderr += chunk;
    onStderr?.(chunk);
  });
  child.on('error', reject);
  child.on('close', (status) => resolve({ status, ...text }));
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  return promise;
}
