import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { withDeadline } from '#core/clock.ts';
import { gitEnvironment } from '../git-environment.ts';

const COMMAND_DEADLINE_MS = 60_000;

/** The person's environment, but git as it is out of the box: no setting of theirs may change the play. */
function environment(): NodeJS.ProcessEnv {
  const { PATH: _path, HOME: _home, ...git } = gitEnvironment();
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  return { ...Object.fromEntries(own), ...git };
}

/**
 * Runs lines of sh and hands on what they print, standard error among it where it came. Resolves to the exit status.
 * Rejects, with everything killed that the lines started, after a minute and when the signal aborts.
 */
export async function runShell(lines: string[], options: { write: (text: string) => void; signal: AbortSignal }): Promise<number> {
  const script = ['exec 2>&1', ...lines].join('\n');
  // In a group of its own, which can be killed whole; and without a terminal, so that nothing can ask a question.
  const child = spawn('/bin/sh', ['-c', script], { env: environment(), stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const signal = withDeadline(COMMAND_DEADLINE_MS, options.signal);
  const kill = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  signal.addEventListener('abort', kill, { once: true });
  child.stdout.setEncoding('utf8').on('data', options.write);
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', kill);
  options.signal.throwIfAborted();
  if (signal.aborted) throw new Error(`it had not ended after ${COMMAND_DEADLINE_MS / 1000} s`);
  return code ?? 1;
}
