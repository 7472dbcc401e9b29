import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A process that cannot be mistaken for a later one with the same id. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, as the system writes it; only good for comparing. */
  startTime: string;
}

/** Field 22 of /proc/PID/stat (proc(5)); the fields are counted behind the name, which may hold spaces and parentheses. */
function startTimeOf(stat: string): string | undefined {
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; its parent has just not asked yet.
  return state === 'Z' ? undefined : fields[18];
}

async function readStartTime(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    return readFile(`/proc/${pid}/stat`, 'utf8').then(startTimeOf, () => undefined);
  }
  const asked = run('ps', ['-o', 'lstart=', '-p', String(pid)], { timeout: 5_000 });
  return asked.then(
    ({ stdout }) => stdout.trim() || undefined,
    () => undefined,
  );
}

/** The identity of a running process; undefined where there is none. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const startTime = await readStartTime(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Whether exactly this process still runs. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identityOf(identity.pid))?.startTime === identity.startTime;
}
