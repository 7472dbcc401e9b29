import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./lifeline.sh', import.meta.url));

/** How much of a log is shown when its program died. */
const TAIL_BYTES = 4_096;
const TAIL_LINES = 20;

export interface ProcessOptions {
  /** Shown to people: `etcd`. */
  name: string;
  command: string;
  args: string[];
  /** The whole environment of the process; absent: that of this process. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Standard output and error are appended here. */
  logFile: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process in a group of its own that cannot outlive this process. */
export interface ManagedProcess {
  name: string;
  /** Process id, and id of the process group. */
  pid: number;
  logFile: string;
  /** Resolves when the program ended; never rejects. */
  exited: Promise<Exit>;
  /** Kills the group, after `graceMs` of SIGTERM where given. Resolves when the program is gone. */
  stop(graceMs?: number): Promise<void>;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}

/** Starts a process under dev/lifeline.sh. Rejects when the shell cannot be started; a wrong command exits with 127. */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const { name, command, args, env = process.env, cwd, logFile } = options;
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn('/bin/sh', [SCRIPT, command, ...args], {
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    env,
    ...(cwd === undefined ? {} : { cwd }),
  });
  closeSync(log);
  const lifeline = child.stdio[3];
  lifeline?.on('error', () => undefined);
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      lifeline?.destroy();
      resolve({ code, signal });
    });
  });
  await once(child, 'spawn');
  const pid = child.pid!;

  async function stop(graceMs = 0): Promise<void> {
    if (graceMs > 0) {
      signalGroup(pid, 'SIGTERM');
      await Promise.race([exited, sleep(graceMs, undefined, { ref: false })]);
    }
    signalGroup(pid, 'SIGKILL');
    await exited;
  }
  return { name, pid, logFile, exited, stop };
}

/** The last lines of a log file, for a message; empty where there is none. Reads at most `maxBytes`. */
export async function logTail(logFile: string, maxBytes = TAIL_BYTES): Promise<string> {
  const file = await open(logFile).catch(() => undefined);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, maxBytes);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  } finally {
    await file.close();
  }
}
