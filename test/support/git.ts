import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '#api/kubernetes.ts';
import { createGit, type Git, type GitLimits, type Repository } from '#agent/git/git.ts';
import { silentLog } from '#core/log.ts';
import { createRedactor, type Redactor } from '#core/redact.ts';
import { type GitServer, type GitServerOptions, startGitServer } from '#dev/git-server.ts';

/** A Git server and the agent's Git client, with a folder of their own. */
export interface GitBench {
  folder: string;
  cacheDir: string;
  server: GitServer;
  git: Git;
  redactor: Redactor;
  close(): Promise<void>;
}

export interface GitBenchOptions {
  users?: GitServerOptions['users'];
  tls?: GitServerOptions['tls'];
  limits?: Partial<GitLimits>;
  maxConcurrent?: number;
}

export async function startGitBench({ users, tls, limits = {}, maxConcurrent = 4 }: GitBenchOptions = {}): Promise<GitBench> {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  const cacheDir = join(folder, 'cache');
  const redactor = createRedactor();
  const server = await startGitServer({ root: join(folder, 'served'), ...(users ? { users } : {}), ...(tls ? { tls } : {}) });
  const git = createGit({ cacheDir, userAgent: 'lateen-test', redactor, log: silentLog, limits, maxConcurrent });
  return {
    folder,
    cacheDir,
    server,
    git,
    redactor,
    async close() {
      await git.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A bench with one empty repository. */
export interface AppBench extends GitBench {
  /** Of the server. */
  directory: string;
  repository: Repository;
}

export async function startAppBench(options: GitBenchOptions = {}): Promise<AppBench> {
  const bench = await startGitBench(options);
  const directory = await bench.server.createRepository('app');
  return { ...bench, directory, repository: { url: bench.server.cloneUrl('app') } };
}

/** A Secret as the API server holds it. */
export function secretObject(values: Record<string, string>): KubeObject {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'git-secret' }, data };
}

export interface SeenProcess {
  pid: number;
  command: string;
}

/** Running processes (no zombies) whose environment holds `text`, with their command lines. Linux. */
export async function processesWith(text: string): Promise<SeenProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const seen = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const [environment, command] = await Promise.all([read('environ'), read('cmdline')]);
      return environment.includes(text) ? { pid: Number(pid), command: command.replaceAll('\0', ' ').trim() } : undefined;
    }),
  );
  return seen.filter((one) => one !== undefined && one.command !== '') as SeenProcess[];
}
