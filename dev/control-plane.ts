import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#core/errors.ts';
import { type ApiServer, callApi } from './api-server.ts';
import { apiServerArgs, controllerManagerArgs, etcdArgs, kwokArgs, type Ports, schedulerArgs } from './control-plane-args.ts';
import { type Layout, layoutOf, writeKubeconfigs, writeServerFiles } from './control-plane-files.ts';
import { createNode, nodeIsReady } from './fake-node.ts';
import { logTail, type ManagedProcess, startProcess } from './lifeline.ts';
import { freePorts } from './ports.ts';
import { type Programs, programs as obtainPrograms } from './programs.ts';

/** What the control plane runs, and kubectl for everyone who works with it. */
export const CONTROL_PLANE_PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kwok'] as const;
export type ControlPlanePrograms = Programs<(typeof CONTROL_PLANE_PROGRAMS)[number]>;

export interface ControlPlaneOptions {
  /** Made where it is not there. What an earlier control plane left in it is removed. */
  directory: string;
  /** Absent: found or made (dev/programs.ts). */
  programs?: ControlPlanePrograms;
  /** A node whose pods become Ready. Default true. */
  kwok?: boolean;
  /** Default true. */
  auditLog?: boolean;
  signal?: AbortSignal;
  /** Progress, one line at a time. */
  log?: (line: string) => void;
}

export interface ControlPlane {
  /** Path of a kubeconfig with all rights. */
  kubeconfig: string;
  /** `https://127.0.0.1:PORT`. */
  server: string;
  /** PEM file that a client of the server trusts. */
  caFile: string;
  directory: string;
  /** JSON lines (audit.k8s.io/v1 Event, level Metadata). */
  auditLog: string;
  programs: ControlPlanePrograms;
  /** For requests with all rights. */
  api: ApiServer;
  /** Rejects with what it was when one of the programs ends by itself. */
  broken: Promise<never>;
  /** Kills every program. The directory stays. */
  stop(): Promise<void>;
}

/** For the whole start; measured: 5 to 8 s on two idle cores. */
const START_DEADLINE_MS = 120_000;
const POLL_MS = 50;
const MAX_PORT_TRIES = 3;

class ProgramDied extends Error {}

interface Starting {
  layout: Layout;
  programs: ControlPlanePrograms;
  processes: ManagedProcess[];
  signal: AbortSignal;
  /** From then on a program that ends does what it should. */
  stopping: boolean;
  /** Rejects when a program ends by itself. */
  broken: Promise<never>;
  fail: (error: Error) => void;
}

async function run(starting: Starting, name: keyof ControlPlanePrograms, args: string[]): Promise<void> {
  const command = starting.programs[name];
  const started = await startProcess({ name, command, args, logFile: starting.layout.log(name), cwd: starting.layout.directory });
  starting.processes.push(started);
  // Another one failed while this one was being started.
  if (starting.stopping) await started.stop();
  void started.exited.then(async ({ code, signal }) => {
    if (starting.stopping) return;
    const end = signal === null ? `with code ${code}` : `by ${signal}`;
    const tail = await logTail(started.logFile).catch(messageOf);
    starting.fail(new ProgramDied(`${name} ended ${end}; the end of ${started.logFile}:\n${tail}`));
  });
}

/** Asks until the answer is yes, a program dies, or the deadline is over. */
async function until(starting: Starting, what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const poll = async (): Promise<void> => {
    while (!starting.stopping && !(await isTrue().catch(() => false))) {
      if (starting.signal.aborted) throw new Error(`gave up waiting until ${what}`, { cause: starting.signal.reason });
      await sleep(POLL_MS);
    }
  };
  await Promise.race([poll(), starting.broken]);
}

function etcdIsHealthy(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = get(`http://127.0.0.1:${port}/health`, { timeout: 2_000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy(new Error('timeout')));
    asked.on('error', reject);
  });
}

async function exists(api: ApiServer, path: string): Promise<boolean> {
  return (await callApi(api, path)).status === 200;
}

async function startServer(starting: Starting, auditLog: boolean): Promise<ApiServer> {
  const { layout } = starting;
  const [etcd, etcdPeer, apiServer] = (await freePorts(3)) as [number, number, number];
  const ports: Ports = { etcd, etcdPeer, apiServer };
  const tokens = await writeServerFiles(layout);
  await run(starting, 'etcd', etcdArgs(layout, ports));
  await until(starting, 'etcd is healthy', () => etcdIsHealthy(etcd));
  await run(starting, 'kube-apiserver', apiServerArgs(layout, ports, auditLog));
  await until(starting, 'the API server has made its certificate', async () => existsSync(layout.caFile));
  const server = `https://127.0.0.1:${apiServer}`;
  const api = { server, ca: '', token: tokens.admin };
  await until(starting, 'the API server is ready', async () => {
    // The file may be there before its text is.
    api.ca = await readFile(layout.caFile, 'utf8');
    return exists(api, '/readyz');
  });
  await writeKubeconfigs(layout, server, tokens);
  return api;
}

async function startRest(starting: Starting, api: ApiServer, kwok: boolean): Promise<void> {
  const { layout } = starting;
  await Promise.all([
    run(starting, 'kube-controller-manager', controllerManagerArgs(layout)),
    run(starting, 'kube-scheduler', schedulerArgs(layout)),
    kwok ? run(starting, 'kwok', kwokArgs(layout)) : undefined,
    kwok ? createNode(api) : undefined,
  ]);
  await Promise.all([
    until(starting, 'the default ServiceAccount is there', () => exists(api, '/api/v1/namespaces/default/serviceaccounts/default')),
    kwok ? until(starting, 'the node is ready', () => nodeIsReady(api)) : undefined,
  ]);
}

async function startOnce(options: ControlPlaneOptions, programs: ControlPlanePrograms): Promise<ControlPlane> {
  const { kwok = true, auditLog = true, log = () => undefined } = options;
  const layout = layoutOf(options.directory);
  await rm(layout.directory, { recursive: true, force: true });
  await mkdir(layout.directory, { recursive: true, mode: 0o700 });
  const deadline = AbortSignal.timeout(START_DEADLINE_MS);
  const { promise: broken, reject: fail } = Promise.withResolvers<never>();
  broken.catch(() => undefined);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
  const starting: Starting = { layout, programs, processes: [], signal, stopping: false, broken, fail };
  const stop = async (): Promise<void> => {
    starting.stopping = true;
    await Promise.all(starting.processes.map((one) => one.stop()));
  };
  const begun = performance.now();
  try {
    const api = await startServer(starting, auditLog);
    log(`API server ready at ${api.server} after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    await startRest(starting, api, kwok);
    log(`control plane ready after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    const { directory, caFile } = layout;
    return {
      kubeconfig: layout.kubeconfig('admin'),
      server: api.server,
      caFile,
      directory,
      auditLog: layout.auditLog,
      programs,
      api,
      broken,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts a control plane. Rejects when a program dies, with the end of its log, and after two minutes; nothing is left then. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const found = options.programs ?? (await obtainPrograms(CONTROL_PLANE_PROGRAMS));
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(options, found);
    } catch (error) {
      const portTaken = error instanceof ProgramDied && error.message.includes('address already in use');
      if (!portTaken || tries >= MAX_PORT_TRIES) throw error;
      options.log?.('a port was taken by another program in the meantime: starting again');
    }
  }
}
