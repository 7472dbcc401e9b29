import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CONTROL_PLANE_PROGRAMS } from './control-plane.ts';
import {
  KEEPER_LOG,
  type KeeperPlane,
  type KeeperState,
  type KeeperStatus,
  type ProgramRequest,
  releaseState,
  RUN_FOLDER,
  runningState,
  type StartedProgram,
} from './keeper-state.ts';
import { logTail } from './lifeline.ts';
import { isRunning } from './process-identity.ts';
import { programs } from './programs.ts';

export type { KeeperPlane, KeeperStatus, ProgramRequest } from './keeper-state.ts';

const MAIN = fileURLToPath(new URL('./keeper-main.ts', import.meta.url));

const CALL_DEADLINE_MS = 15_000;
/** Longer than the control plane's own deadline, which says more. */
const READY_DEADLINE_MS = 180_000;
const STOP_DEADLINE_MS = 15_000;
const POLL_MS = 100;

/** The keeper of this checkout, running and ready. */
export interface Keeper {
  plane: KeeperPlane;
  /** Whether this call started it. */
  started: boolean;
  status(): Promise<KeeperStatus>;
  start(program: ProgramRequest): Promise<StartedProgram>;
  /** SIGTERM, and SIGKILL after 5 s. False where no such program was started. */
  stop(name: string): Promise<boolean>;
}

function call<T>(state: KeeperState, method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: state.socket, method, path, agent: false as const, signal: AbortSignal.timeout(CALL_DEADLINE_MS) };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text) as T);
        else reject(new Error(`the keeper refused ${path}: ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function clientOf(state: KeeperState, plane: KeeperPlane, started: boolean): Keeper {
  return {
    plane,
    started,
    status: () => call(state, 'GET', '/status'),
    start: (program) => call(state, 'POST', '/start', program),
    stop: async (name) => (await call<{ stopped: boolean }>(state, 'POST', '/stop', { name })).stopped,
  };
}

export interface KeeperOptions {
  /** Programs that are fetched, and what gets ready. */
  log: (line: string) => void;
  /** Gives up fetching and waiting. */
  signal?: AbortSignal;
}

/** Starts the keeper in a session of its own, so that it outlives make and its Ctrl-C. */
async function launch(options: KeeperOptions): Promise<ChildProcess> {
  const found = await programs([...CONTROL_PLANE_PROGRAMS, 'kustomize', 'helm'], options);
  await mkdir(RUN_FOLDER, { recursive: true });
  const output = openSync(KEEPER_LOG, 'a', 0o600);
  const args = ['--disable-warning=ExperimentalWarning', MAIN, JSON.stringify(found)];
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', output, output], cwd: RUN_FOLDER });
  closeSync(output);
  child.unref();
  return child;
}

interface Asked {
  /** Undefined where no keeper runs. */
  state?: KeeperState | undefined;
  /** Undefined also where it does not answer yet. */
  status?: KeeperStatus | undefined;
  progress: string[];
}

async function ask(): Promise<Asked> {
  const state = await runningState();
  const status = state && (await call<KeeperStatus>(state, 'GET', '/status').catch(() => undefined));
  return { state, status, progress: status?.progress ?? [] };
}

/** Shows the keeper's progress until it is ready. */
async function untilReady({ log, signal }: KeeperOptions, child?: ChildProcess): Promise<{ state: KeeperState; plane: KeeperPlane }> {
  const logEnd = async (): Promise<string> => `the end of ${KEEPER_LOG}:\n${await logTail(KEEPER_LOG)}`;
  const until = Date.now() + READY_DEADLINE_MS;
  let shown = 0;
  while (Date.now() < until) {
    const { state, status, progress } = await ask();
    for (const line of progress.slice(shown)) log(line);
    shown = Math.max(shown, progress.length);
    if (status?.phase === 'failed') throw new Error(status.problem);
    if (!state && child?.exitCode != null) throw new Error(`the keeper ended with code ${child.exitCode}; ${await logEnd()}`);
    if (state && status?.plane) return { state, plane: status.plane };
    await sleep(POLL_MS, undefined, { signal });
  }
  throw new Error(`the control plane is not ready after ${READY_DEADLINE_MS / 1000} s; ${await logEnd()}`);
}

/** The keeper of this checkout, started where none runs. */
export async function ensureKeeper(options: KeeperOptions): Promise<Keeper> {
  const running = await runningState();
  const ready = running && (await call<KeeperStatus>(running, 'GET', '/status')).plane;
  if (ready) return clientOf(running, ready, false);
  const child = running ? undefined : await launch(options);
  const { state, plane } = await untilReady(options, child);
  return clientOf(state, plane, child?.pid === state.pid);
}

/** Stops the keeper and everything under it, and removes the data. Resolves to false where none ran. */
export async function stopKeeper(): Promise<boolean> {
  const state = await runningState();
  if (state) {
    await call(state, 'POST', '/shutdown').catch(() => undefined);
    const until = Date.now() + STOP_DEADLINE_MS;
    while ((await isRunning(state)) && Date.now() < until) await sleep(POLL_MS / 2);
    // Its programs hang on its pipes: they end with it.
    if (await isRunning(state)) process.kill(state.pid, 'SIGKILL');
  }
  await releaseState();
  for (const name of ['plane', 'git', 'agents', 'demo', 'webhook', 'kubelet'])
    await rm(join(RUN_FOLDER, name), { recursive: true, force: true });
  return state !== undefined;
}
