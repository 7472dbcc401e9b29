import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import { type Client, createClient } from '#agent/cluster/client.ts';
import { type Connection, inClusterConnection, kubeconfigConnection } from '#agent/cluster/connection.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { AGENT_NAME } from '#api/names.ts';
import { silentLog } from '#core/log.ts';
import { agentPod, installCrds } from '../agent-access.ts';
import { CONTROL_PLANE_PROGRAMS, type ControlPlane, startControlPlane } from '../control-plane.ts';
import { type GitServer, startGitServer } from '../git-server.ts';
import { type Programs, programs } from '../programs.ts';
import { AuditTail, isWrite } from './api-requests.ts';
import type { BareInput, BareResult } from './bare.ts';

const run = promisify(execFile);
const BARE = fileURLToPath(new URL('./bare.ts', import.meta.url));
const BUNDLE = fileURLToPath(new URL('../bundle.ts', import.meta.url));
const BUNDLE_DEADLINE_MS = 120_000;
const BARE_DEADLINE_MS = 600_000;
/** As many as the agent has in flight by default. */
export const CONCURRENCY = 32;
const PREFIX = 'bench-';
/** In a line of the audit log. Others may use the control plane too. */
const OUR_NAMESPACE = `"namespace":"${PREFIX}`;
const QUIET_MS = 1_500;
const QUIET_DEADLINE_MS = 120_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

type BenchPlane = Omit<ControlPlane, 'programs' | 'stop' | 'broken' | 'api' | 'directory'> & {
  programs: Programs<(typeof CONTROL_PLANE_PROGRAMS)[number] | 'kustomize' | 'helm'>;
};

/** A namespace with an agent's rights in it. */
export interface Place {
  namespace: string;
  /** In which an agent starts as it does in a Pod. */
  environment: Record<string, string>;
  connection: Connection;
  /** User name of the agent in the audit log. */
  user: string;
}

/** A control plane and a Git server of their own: nobody else's work is measured. */
export interface Laboratory {
  plane: BenchPlane;
  git: GitServer;
  /** With all rights. */
  client: Client;
  folder: string;
  /** The bundle of the agent, as `make bundle` makes it, of this checkout as it is now. */
  agent: string;
  place(): Promise<Place>;
  audit(): Promise<AuditTail>;
  /** Creates objects, many at a time. */
  create(objects: readonly KubeObject[]): Promise<void>;
  /** Applies the objects with the bare loop, a process of its own. */
  bare(place: Place, objects: KubeObject[]): Promise<BareResult>;
  /** Resolves when nothing has been written to the API server for a while: controllers have done their work. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface LaboratoryOptions {
  log: (line: string) => void;
  signal?: AbortSignal;
  /** An existing control plane; absent: one of its own. */
  plane?: BenchPlane;
  /** How long nothing must have been written for the control plane to count as settled. */
  quietMs?: number;
}

export async function openLaboratory({ log, signal, plane: given, quietMs = QUIET_MS }: LaboratoryOptions): Promise<Laboratory> {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-bench-'));
  const started = given ? undefined : await startPlane(join(folder, 'plane'), log, signal);
  const plane = given ?? started!;
  const git = await startGitServer({ root: join(folder, 'git') });
  const client = createClient(await kubeconfigConnection({ path: plane.kubeconfig }), { log: silentLog, userAgent: 'lateen-bench' });
  const audit = (): Promise<AuditTail> => AuditTail.open(plane.auditLog);
  const dist = join(folder, 'dist');
  await run(process.execPath, ['--disable-warning=ExperimentalWarning', BUNDLE, dist], { timeout: BUNDLE_DEADLINE_MS });
  return {
    plane,
    git,
    client,
    folder,
    agent: join(dist, 'lateen-agent.mjs'),
    audit,
    place: () => makePlace(plane, client, folder),
    async create(objects) {
      const limit = pLimit(CONCURRENCY);
      await Promise.all(objects.map((object) => limit(() => client.create(object))));
    },
    bare: (place, objects) => runBare(place, objects, folder),
    settle: () => untilQuiet(audit, quietMs),
    async close() {
      client.transport.close();
      await git.close();
      await started?.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function startPlane(
  directory: string,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<BenchPlane & Pick<ControlPlane, 'stop'>> {
  const found = await programs([...CONTROL_PLANE_PROGRAMS, 'kustomize', 'helm'], { log, ...(signal ? { signal } : {}) });
  const plane = await startControlPlane({ directory, programs: found, log, ...(signal ? { signal } : {}) });
  await installCrds(plane);
  return { ...plane, programs: found };
}

async function makePlace(plane: BenchPlane, client: Client, folder: string): Promise<Place> {
  const namespace = `${PREFIX}${randomBytes(4).toString('hex')}`;
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const mounted = join(folder, `${namespace}-mounted`);
  await mkdir(mounted);
  const environment = await agentPod(plane, { namespace, folder: mounted });
  const connection = inClusterConnection(environment);
  return { namespace, environment, connection, user: `system:serviceaccount:${namespace}:${AGENT_NAME}` };
}

async function runBare({ namespace, connection }: Place, objects: KubeObject[], folder: string): Promise<BareResult> {
  const file = join(folder, `${namespace}.json`);
  const token = (await connection.token(false)) ?? '';
  const input: BareInput = { server: connection.server, ca: connection.ca ?? '', token, concurrency: CONCURRENCY, objects };
  await writeFile(file, JSON.stringify(input), { mode: 0o600 });
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', BARE, file], {
    timeout: BARE_DEADLINE_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  await rm(file);
  return JSON.parse(stdout) as BareResult;
}

async function untilQuiet(audit: () => Promise<AuditTail>, quietMs: number): Promise<void> {
  const tail = await audit();
  try {
    const until = Date.now() + QUIET_DEADLINE_MS;
    let since = Date.now();
    while (Date.now() < until && Date.now() - since < quietMs) {
      await sleep(100);
      if ((await tail.read(undefined, OUR_NAMESPACE)).some((request) => isWrite(request) && request.resource !== 'leases'))
        since = Date.now();
    }
  } finally {
    await tail.close();
  }
}

/** What the machine is, for the result. */
export async function machine(): Promise<string> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const model = /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? process.arch;
  const load = (await readFile('/proc/loadavg', 'utf8').catch(() => '')).split(' ')[0] ?? '';
  return `${text.match(/^processor/gm)?.length ?? 0} × ${model}, load ${load} at the start, Node ${process.versions.node}`;
}
