import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, realpath } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { Failure } from '#api/failure.ts';
import { limits } from './limits.ts';

export interface KustomizeRun {
  /** Absolute path; see findProgram. */
  program: string;
  /** Private folder of this build, for HOME and temporary files. */
  work: string;
  /** The folder to build, inside `work`. */
  folder: string;
  /** Kills the process group. */
  signal: AbortSignal;
}

export type KustomizeOutput = { text: string } | { problem: string };

/** LoadRestrictionsNone lets `../shared/x.yaml` pass, as Flux does; the folder holds only what the scan let through. */
const ARGUMENTS = ['build', '--load-restrictor', 'LoadRestrictionsNone'];
const STDERR_BYTES = 64 * 1024;
const UNSHARE = ['/usr/bin/unshare', '/bin/unshare', '/usr/local/bin/unshare'];
/** A user namespace of its own, so that an ordinary user may have a network namespace of its own: it has no route. */
const OWN_NETWORK = ['--user', '--net', '--'];
const PROBE_MS = 5_000;

/** Throws Failure KustomizeNotFound. */
export async function findProgram(program: string): Promise<string> {
  const candidates =
    program.includes('/') || isAbsolute(program)
      ? [resolve(program)]
      : (process.env['PATH'] ?? '')
          .split(delimiter)
          .filter(Boolean)
          .map((folder) => join(folder, program));
  for (const candidate of candidates) if (await isExecutable(candidate)) return realpath(candidate);
  throw new Failure('KustomizeNotFound', `the kustomize program ${program} is not there`, {
    kind: 'stalled',
    remedy: 'install kustomize 5.8 and name its path',
  });
}

/** Without PATH, HOME and plugins, with no network where the machine allows that, in a process group of its own. */
export async function runKustomize(run: KustomizeRun): Promise<KustomizeOutput> {
  const home = join(run.work, 'home');
  await mkdir(home, { mode: 0o700 });
  const { program, args } = await sandboxed(run.program, [...ARGUMENTS, run.folder]);
  run.signal.throwIfAborted();
  const ended = await capture({ program, args, cwd: home, signal: run.signal });
  if (ended.tooLarge) {
    throw new Failure('TooLarge', `kustomize printed more than ${limits.totalBytes} bytes`, {
      kind: 'stalled',
      remedy: 'split the folder over several components',
    });
  }
  run.signal.throwIfAborted();
  if (ended.code === 0) return { text: ended.stdout.toString('utf8') };
  if (ended.killedBy) {
    throw new Failure('BuildFailed', `kustomize was killed by ${ended.killedBy}`, {
      remedy: 'where it happens again, raise the memory limit of the agent or split the folder',
    });
  }
  return { problem: ended.stderr || `it ended with ${ended.code ?? ended.killedBy ?? 'no status'}` };
}

let unshare: Promise<string | undefined> | undefined;

/** The program that gives kustomize a network namespace of its own; undefined where this machine does not allow it. */
export function networkSandbox(): Promise<string | undefined> {
  unshare ??= probeUnshare().catch(() => {
    // It did not come to an answer: the next build asks again.
    unshare = undefined;
    return undefined;
  });
  return unshare;
}

async function sandboxed(program: string, args: string[]): Promise<{ program: string; args: string[] }> {
  const wrapper = await networkSandbox();
  return wrapper ? { program: wrapper, args: [...OWN_NETWORK, program, ...args] } : { program, args };
}

async function probeUnshare(): Promise<string | undefined> {
  for (const candidate of UNSHARE) {
    if (!(await isExecutable(candidate))) continue;
    const args = [...OWN_NETWORK, candidate, '--version'];
    const { code, killedBy } = await capture({ program: candidate, args, cwd: '/', signal: AbortSignal.timeout(PROBE_MS) });
    if (code === 0) return candidate;
    if (killedBy) throw new Error(`${candidate} was killed by ${killedBy}`);
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

interface Ended {
  code: number | null;
  killedBy: string | null;
  stdout: Buffer;
  stderr: string;
  tooLarge: boolean;
}

function capture({ program, args, cwd, signal }: { program: string; args: string[]; cwd: string; signal: AbortSignal }): Promise<Ended> {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { cwd, env: { HOME: cwd, TMPDIR: cwd }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    const kill = (): void => killGroup(child.pid);
    child.once('error', (error) => {
      signal.removeEventListener('abort', kill);
      failed(
        new Failure('BuildFailed', `kustomize could not be started: ${error.message}`, {
          remedy: 'check what the machine of the agent lacks',
        }),
      );
    });
    // It says why in a moment; where too many files are open, it has no pipes either.
    if (child.pid === undefined) return;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limits.totalBytes) kill();
      else stdout.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < STDERR_BYTES) stderr += chunk.toString('utf8');
    });
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    // The pipes stay open while a left-over of the group holds them, so the group goes with its leader.
    child.once('exit', kill);
    child.once('close', (code, killedBy) => {
      signal.removeEventListener('abort', kill);
      done({ code, killedBy, stdout: Buffer.concat(stdout), stderr, tooLarge: bytes > limits.totalBytes });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
