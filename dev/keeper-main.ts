// Started by dev/keeper.ts in a session of its own. Owns a control plane, a Git server, and the programs that it is
// asked to start; when it ends, in whatever way, they end with it.
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import { untilSignal } from '#core/lifecycle.ts';
import { installCrds } from './agent-access.ts';
import { startControlPlane } from './control-plane.ts';
import { startKeeperGit } from './keeper-git.ts';
import {
  claimState,
  type KeeperPrograms,
  type KeeperStatus,
  type ProgramRequest,
  releaseState,
  RUN_FOLDER,
  type StartedProgram,
} from './keeper-state.ts';
import { type ManagedProcess, startProcess } from './lifeline.ts';
import { identityOf, isRunning } from './process-identity.ts';

/** So that an agent can finish what it writes. */
const GRACE_MS = 5_000;
const MAX_REQUEST_BYTES = 64 * 1024;

interface Kept {
  process: ManagedProcess;
  running: boolean;
}

const status: Omit<KeeperStatus, 'programs'> = { phase: 'starting', progress: [] };
const kept = new Map<string, Kept>();
const closing: (() => Promise<void>)[] = [];
const shutdown = new AbortController();

function say(line: string): void {
  status.progress.push(line);
  console.log(line);
}

function currentStatus(): KeeperStatus {
  const programs = [...kept.values()].map(({ process: { name, pid, logFile }, running }) => ({ name, pid, running, logFile }));
  return { ...status, programs };
}

async function stopProgram(name: string): Promise<boolean> {
  const program = kept.get(name);
  kept.delete(name);
  await program?.process.stop(GRACE_MS);
  return program !== undefined;
}

async function startProgram({ name, keep, argv, env = {}, cwd, logFile }: ProgramRequest): Promise<StartedProgram> {
  const running = kept.get(name);
  if (keep && running?.running) return { pid: running.process.pid, started: false };
  const [command, ...args] = argv;
  if (command === undefined) throw new Error(`argv of ${name} is empty`);
  await stopProgram(name);
  await mkdir(dirname(logFile), { recursive: true });
  const options = { name, command, args, env: { ...process.env, ...env }, logFile };
  const started: Kept = { process: await startProcess(cwd === undefined ? options : { ...options, cwd }), running: true };
  kept.set(name, started);
  void started.process.exited.then(() => {
    started.running = false;
  });
  return { pid: started.process.pid, started: true };
}

let last: Promise<unknown> = Promise.resolve();

/** One start or stop at a time, so that two of the same name do not run side by side. */
function inTurn<Input, Output>(work: (input: Input) => Promise<Output>, input: Input): Promise<Output> {
  const result = last.then(() => work(input));
  last = result.catch(() => undefined);
  return result;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk as string;
    if (text.length > MAX_REQUEST_BYTES) throw new Error(`the request is over ${MAX_REQUEST_BYTES} bytes`);
  }
  return JSON.parse(text || '{}');
}

async function answer(request: IncomingMessage): Promise<unknown> {
  switch (`${request.method} ${request.url}`) {
    case 'GET /status':
      return currentStatus();
    case 'POST /start':
      return inTurn(startProgram, (await readJson(request)) as ProgramRequest);
    case 'POST /stop':
      return { stopped: await inTurn(stopProgram, ((await readJson(request)) as { name: string }).name) };
    case 'POST /shutdown':
      shutdown.abort(new Error('asked to shut down'));
      return {};
    default:
      throw new Error(`no such request: ${request.method} ${request.url}`);
  }
}

function respond(request: IncomingMessage, response: ServerResponse): void {
  const send = (code: number, body: unknown): void => {
    response.writeHead(code, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify(body));
  };
  answer(request).then(
    (body) => send(200, body),
    (error: unknown) => send(400, { problem: messageOf(error) }),
  );
}

/** The socket stands in a private temporary folder: the path of a checkout may be longer than the 108 bytes of a socket. */
async function listen(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-keeper-'));
  const socket = join(folder, 'socket');
  const server = createServer(respond);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  await chmod(socket, 0o600);
  closing.push(async () => {
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true, force: true });
  });
  return socket;
}

async function startEverything(programs: KeeperPrograms, signal: AbortSignal): Promise<void> {
  const directory = join(RUN_FOLDER, 'plane');
  const [plane, git] = await Promise.all([
    startControlPlane({ directory, programs, signal, log: say }),
    startKeeperGit(join(RUN_FOLDER, 'git')),
  ]);
  closing.push(() => plane.stop(), git.stop);
  plane.broken.catch((error: unknown) => {
    fail(error);
    shutdown.abort(error);
  });
  await installCrds(plane);
  say('the API server knows Application and ApplicationRevision');
  say(`Git server ready at ${git.git.url}`);
  const { kubeconfig, server, caFile, auditLog } = plane;
  status.plane = { kubeconfig, server, caFile, auditLog, programs, git: git.git };
  status.phase = 'ready';
}

function fail(error: unknown): void {
  status.phase = 'failed';
  status.problem = messageOf(error);
  process.exitCode = 1;
  console.error(status.problem);
}

/** How long a failed keeper stays to say why. */
const FAILED_MS = 3_000;

/** How soon a keeper follows its owner. */
const OWNER_POLL_MS = 500;

/**
 * A keeper outlives the `make` that started it. One that a test starts must not outlive the test run, however that ends:
 * LATEEN_RUN_OWNER names a process with which the keeper ends.
 */
async function followOwner(pid: string | undefined): Promise<void> {
  const owner = pid ? await identityOf(Number(pid)) : undefined;
  if (!pid) return;
  while (owner && (await isRunning(owner))) await systemClock.sleep(OWNER_POLL_MS);
  shutdown.abort(new Error(`process ${pid}, which owns this keeper, has ended`));
}

async function closeEverything(): Promise<void> {
  await Promise.all([...kept.keys()].map(stopProgram));
  await Promise.all(closing.map((close) => close()));
}

async function main(): Promise<void> {
  const programs = JSON.parse(process.argv[2] ?? '') as KeeperPrograms;
  const signal = AbortSignal.any([untilSignal(), shutdown.signal]);
  const socket = await listen();
  const identity = await identityOf(process.pid);
  if (!identity || !(await claimState({ ...identity, socket }))) {
    console.log('another keeper runs already');
    return closeEverything();
  }
  void followOwner(process.env['LATEEN_RUN_OWNER']);
  const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve));
  try {
    await startEverything(programs, signal);
    await stopped;
  } catch (error) {
    fail(error);
    await systemClock.sleep(FAILED_MS, signal).catch(() => undefined);
  }
  await closeEverything();
  await releaseState();
}

await main();
// Whatever still hangs on a socket must not keep a keeper alive that has stopped everything.
process.exit();
