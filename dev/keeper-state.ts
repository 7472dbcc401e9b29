import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ControlPlanePrograms } from './control-plane.ts';
import type { GitUser } from './git-server.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';
import type { Programs } from './programs.ts';

export const CHECKOUT = fileURLToPath(new URL('..', import.meta.url));

/** Everything that a checkout's keeper writes. LATEEN_RUN_DIR names another place, for a keeper beside it (tests). */
export const RUN_FOLDER = resolve(process.env['LATEEN_RUN_DIR'] || join(CHECKOUT, '.run'));
const STATE_FILE = join(RUN_FOLDER, 'state.json');
export const KEEPER_LOG = join(RUN_FOLDER, 'keeper.log');

export type KeeperPrograms = ControlPlanePrograms & Programs<'kustomize' | 'helm'>;

/** Written once by a keeper when it starts; what changes is asked for over its socket. */
export interface KeeperState extends ProcessIdentity {
  /** Unix socket on which the keeper answers. */
  socket: string;
}

/** What runs under the keeper, for those who use it. */
export interface KeeperPlane {
  /** Path of a kubeconfig with all rights. */
  kubeconfig: string;
  server: string;
  caFile: string;
  auditLog: string;
  programs: KeeperPrograms;
  git: KeeperGit;
}

export interface KeeperGit {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  users: GitUser[];
  /** Clone URLs of the repositories, without user and password. */
  repositories: string[];
  /** Folder of the bare repositories. */
  directory: string;
}

export interface KeptProgram {
  name: string;
  pid: number;
  running: boolean;
  logFile: string;
}

export interface StartedProgram {
  pid: number;
  /** False where a running program was kept. */
  started: boolean;
}

export interface KeeperStatus {
  phase: 'starting' | 'ready' | 'failed';
  /** What has been done since the start, one line each. */
  progress: string[];
  /** Why it failed. */
  problem?: string;
  /** Present when ready. */
  plane?: KeeperPlane;
  programs: KeptProgram[];
}

/** A program to run under the keeper. */
export interface ProgramRequest {
  name: string;
  /** What becomes of a program of that name that runs: it is stopped first, or with true it stays and nothing is started. */
  keep?: boolean;
  /** Program and arguments. */
  argv: string[];
  /** Added to the environment of the keeper. */
  env?: Record<string, string>;
  cwd?: string;
  logFile: string;
}

/** Takes the place of the checkout's keeper. Resolves to false where another keeper has it. */
export async function claimState(state: KeeperState): Promise<boolean> {
  await mkdir(RUN_FOLDER, { recursive: true });
  if ((await runningState()) === undefined) await releaseState();
  return writeFile(STATE_FILE, JSON.stringify(state), { flag: 'wx', mode: 0o600 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
}

/** Removes what a keeper that has ended left: its state, its socket and the folder of that. */
export async function releaseState(): Promise<void> {
  const left = await readState();
  await rm(STATE_FILE, { force: true });
  if (!left) return;
  await rm(left.socket, { force: true });
  await rmdir(dirname(left.socket)).catch(() => undefined);
}

/** The state that the last keeper wrote, whether it runs or not. */
async function readState(): Promise<KeeperState | undefined> {
  const text = await readFile(STATE_FILE, 'utf8').catch(() => undefined);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as KeeperState);
  } catch {
    // Cut short by a full disk or a crash: as if there were none.
    return undefined;
  }
}

/** The state of a keeper that runs. */
export async function runningState(): Promise<KeeperState | undefined> {
  const state = await readState();
  return state && (await isRunning(state)) ? state : undefined;
}
