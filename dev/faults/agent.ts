import { execFile } from 'node:child_process';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { logTail, type ManagedProcess, startProcess } from '../lifeline.ts';
import { freePorts } from '../ports.ts';
import { PROGRAM_STARTS } from '../program-start.ts';

const BUNDLER = fileURLToPath(new URL('../bundle.ts', import.meta.url));
const CLOCK_JUMP = new URL('./clock-jump.ts', import.meta.url).href;
const { options, environment } = PROGRAM_STARTS['lateen-agent'];
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning', ...options];
const READY_DEADLINE_MS = 60_000;
const POLL_MS = 30;
/** Enough for the cache of some small repositories, and soon full. */
const CACHE_BYTES = 16 * 1024 * 1024;

export interface FaultAgentOptions {
  namespace: string;
  kubeconfig: string;
  kustomize: string;
  /** Of the log and the cache. */
  folder: string;
  /** The command that starts it: see bundledAgent. */
  command: readonly string[];
  flags?: Record<string, string>;
}

/** An agent that is there to be mistreated. */
export interface FaultAgent {
  pid: number;
  /** What it counts, as /metrics shows it. */
  metrics(): Promise<string>;
  /** Resolves to true when it is ready, to false where it was killed before; rejects where it does not get there. */
  ready: Promise<boolean>;
  /** SIGKILL, before anything else happens. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: all clocks of the agent have jumped ahead. */
  freeze(): void;
  thaw(): void;
  /** Sets its clock of the wall an hour back; the next time an hour ahead, then right again. */
  jumpClock(): Promise<void>;
  /** Fills the disk of its cache, or gives it room again. False where this machine does not let the cache have one. */
  fillDisk(on: boolean): Promise<boolean>;
  /** Megabytes that are its own or shared. */
  residentMegabytes(): Promise<number>;
}

/** The agent as it ships, in one file: it starts in half the time. */
export async function bundledAgent(folder: string): Promise<readonly string[]> {
  await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', BUNDLER, folder], { timeout: 120_000 });
  return [process.execPath, ...NODE_OPTIONS, '--import', CLOCK_JUMP, join(folder, 'lateen-agent.mjs')];
}

/** Its cache on a disk of its own, which nobody else sees, where the kernel lets an ordinary user mount one. */
const OWN_DISK = ['unshare', '--user', '--map-root-user', '--mount', '/bin/sh', '-c'];
const MOUNT = `mount -t tmpfs -o size=${CACHE_BYTES} cache "$0" && exec "$@"`;

let ownDisk: Promise<boolean> | undefined;

function canHaveOwnDisk(): Promise<boolean> {
  const [command = '', ...args] = OWN_DISK;
  ownDisk ??= promisify(execFile)(command, [...args, MOUNT, '/tmp', 'true'], { timeout: 5_000 }).then(
    () => true,
    () => false,
  );
  return ownDisk;
}

/** Resolves at once: it can be killed before it is ready. */
export async function startFaultAgent(options: FaultAgentOptions): Promise<FaultAgent> {
  const { namespace, kubeconfig, kustomize, folder, flags = {} } = options;
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const cache = join(folder, 'cache');
  await mkdir(cache, { recursive: true });
  const settings = { namespace, kubeconfig, kustomize, 'cache-dir': cache, 'health-address': address, 'min-interval': '1s', ...flags };
  const disk = (await canHaveOwnDisk()) ? [...OWN_DISK, MOUNT, cache] : [];
  const argv = [...disk, ...options.command, ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`)];
  const [command = '', ...args] = argv;
  const logFile = logFileOf(folder);
  const started = await startProcess({ name: 'lateen-agent', command, args, logFile, env: { PATH: process.env['PATH'], ...environment } });
  const { pid } = started;
  let killed = false;
  const ready = untilReady(started, `http://${address}/readyz`, () => killed);
  ready.catch(() => undefined);
  return {
    pid,
    ready,
    metrics: async () => (await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(5_000) })).text(),
    async kill() {
      killed = true;
      signal(pid, 'SIGKILL');
      await started.exited;
    },
    freeze: () => signal(pid, 'SIGSTOP'),
    thaw: () => signal(pid, 'SIGCONT'),
    async jumpClock() {
      // Before it listens the signal would end it.
      if (await ready) signal(pid, 'SIGUSR2', false);
    },
    fillDisk: (on) => (disk.length > 0 ? fill(join(`/proc/${pid}/root`, cache, 'filler'), on) : Promise.resolve(false)),
    async residentMegabytes() {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
    },
  };
}

/** What all agents of the folder have logged. */
export function logFileOf(folder: string): string {
  return join(folder, 'agent.log');
}

function signal(pid: number, name: NodeJS.Signals, group = true): void {
  try {
    process.kill(group ? -pid : pid, name);
  } catch {
    // It has ended already.
  }
}

async function untilReady(started: ManagedProcess, url: string, isKilled: () => boolean): Promise<boolean> {
  let ended = false;
  void started.exited.then(() => (ended = true));
  for (const until = Date.now() + READY_DEADLINE_MS; Date.now() < until && !ended; await sleep(POLL_MS)) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok) return true;
  }
  await started.stop();
  if (isKilled()) return false;
  throw new Error(`the agent did not get ready; the end of its log:\n${await logTail(started.logFile)}`);
}

async function fill(file: string, on: boolean): Promise<boolean> {
  if (!on) return rm(file, { force: true }).then(() => true);
  const handle = await open(file, 'w');
  try {
    for (const block of [64 * 1024, 512]) {
      // Until the disk says that it is full.
      const write = () => handle.write(Buffer.alloc(block)).then(({ bytesWritten }) => bytesWritten === block);
      while (await write().catch(() => false));
    }
  } finally {
    await handle.close();
  }
  return true;
}
