import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '#agent/cluster/client.ts';
import { kubeconfigConnection } from '#agent/cluster/connection.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION } from '#api/names.ts';
import { silentLog } from '#core/log.ts';
import { agentKubeconfig, type PlaneAccess } from '../agent-access.ts';
import { type GitServer, startGitServer } from '../git-server.ts';
import type { Programs } from '../programs.ts';
import { type FaultAgent, type FaultAgentOptions, logFileOf, startFaultAgent } from './agent.ts';
import { type ApiProxy, startApiProxy } from './api-proxy.ts';
import { type Deletions, watchDeletions } from './deletions.ts';

export interface FaultPlane extends PlaneAccess {
  directory: string;
  programs: Programs<'kubectl' | 'helm' | 'kustomize'>;
}

/** A namespace with an agent behind a proxy, a Git server, and a witness of what is deleted. */
export interface World {
  namespace: string;
  /** With all rights, past the proxy. */
  client: Client;
  proxy: ApiProxy;
  git: GitServer;
  deletions: Deletions;
  /** The one that runs, or ran last. */
  readonly agent: FaultAgent;
  /** Once more, after it was killed; resolves when it is ready, or was killed before. */
  startAgent(): Promise<void>;
  /** A second agent of the namespace, behind a proxy of its own. */
  anotherAgent(flags: Record<string, string>): Promise<Companion>;
  /** The next run of kustomize kills itself. */
  killKustomize(): Promise<void>;
  /** What its agents have logged so far, in every scenario of this world. */
  agentLog(): Promise<string>;
  /** Whatever the agent has shown to anybody so far. */
  shown(): Promise<string>;
  /** Where a text that nobody may see can be found: undefined where it cannot. */
  leak(): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface Companion {
  agent: FaultAgent;
  proxy: ApiProxy;
  close(): Promise<void>;
}

const USER = 'reader';
/** The Secret with the password of the Git server. */
export const GIT_SECRET = 'git-secret';

export async function openWorld(plane: FaultPlane, command: readonly string[], flags: Record<string, string> = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-faults-'));
  const namespace = `faults-${randomBytes(4).toString('hex')}`;
  const password = `planted-${randomBytes(12).toString('hex')}`;
  const client = await clientOf(plane);
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await client.create(gitSecret(namespace, password));
  const flag = join(folder, 'kill-kustomize');
  const kustomize = await killableKustomize(folder, plane.programs.kustomize, flag);
  const move = { plane, namespace, kustomize, command };
  // One identity, as that of a Pod: whoever follows a killed one goes on at once.
  const home = await homeOf({ ...move, folder: join(folder, 'agent'), flags: { identity: 'faults', ...flags } });
  const git = await startGitServer({ root: join(folder, 'git'), users: [{ name: USER, password, write: false }] });
  const deletions = await watchDeletions(client, namespace);
  let agent = await startFaultAgent(home.options);
  await agent.ready;
  const agentLog = (): Promise<string> => readFile(logFileOf(home.options.folder), 'utf8');
  const shown = async (): Promise<string> => (await agentLog()) + (await everything(client, namespace));
  return {
    namespace,
    client,
    proxy: home.proxy,
    git,
    deletions,
    agentLog,
    shown,
    get agent() {
      return agent;
    },
    async startAgent() {
      agent = await startFaultAgent(home.options);
      await agent.ready;
    },
    anotherAgent: async (more) => companionIn(await homeOf({ ...move, folder: join(folder, 'companion'), flags: more })),
    killKustomize: () => writeFile(flag, ''),
    leak: async () => leakIn(await shown(), password),
    async close() {
      deletions.stop();
      await agent.kill();
      await home.proxy.close();
      await git.close();
      client.transport.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function clientOf({ kubeconfig }: FaultPlane): Promise<Client> {
  return createClient(await kubeconfigConnection({ path: kubeconfig }), { log: silentLog, userAgent: 'lateen-faults' });
}

/** What one agent needs to be started again and again: its folder, its rights, and its own way to the API server. */
interface Home {
  proxy: ApiProxy;
  options: FaultAgentOptions;
}

async function homeOf(move: Omit<FaultAgentOptions, 'kubeconfig'> & { plane: FaultPlane }): Promise<Home> {
  const { plane, flags, ...rest } = move;
  const proxy = await proxyOf(plane);
  await mkdir(rest.folder);
  const access = { namespace: rest.namespace, file: join(rest.folder, 'kubeconfig') };
  const kubeconfig = await agentKubeconfig({ ...plane, server: proxy.url }, access);
  return { proxy, options: { ...rest, kubeconfig, flags: { 'lease-duration': '6s', ...flags } } };
}

async function companionIn({ proxy, options }: Home): Promise<Companion> {
  const agent = await startFaultAgent(options);
  await agent.ready;
  const close = async (): Promise<void> => {
    await agent.kill();
    await proxy.close();
  };
  return { agent, proxy, close };
}

/** A proxy in front of the API server. */
export async function proxyOf({ directory, server, caFile }: FaultPlane): Promise<ApiProxy> {
  const read = (name: string): Promise<string> => readFile(join(directory, 'certificates', name), 'utf8');
  const [ca, cert, key] = await Promise.all([readFile(caFile, 'utf8'), read('apiserver.crt'), read('apiserver.key')]);
  return startApiProxy({ server, ca, cert, key });
}

function gitSecret(namespace: string, password: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: GIT_SECRET, namespace }, stringData: { username: USER, password } };
}

/** A program that dies by a signal when the flag is there, as the kernel kills one that takes too much memory. */
async function killableKustomize(folder: string, kustomize: string, flag: string): Promise<string> {
  const file = join(folder, 'kustomize');
  const script = `#!/bin/sh\nif [ -e '${flag}' ] && /bin/rm '${flag}' 2>/dev/null; then kill -KILL $$; fi\nexec '${kustomize}' "$@"\n`;
  await writeFile(file, script);
  await chmod(file, 0o755);
  return file;
}

function leakIn(text: string, password: string): string | undefined {
  const secrets = [password, Buffer.from(`${USER}:${password}`).toString('base64'), Buffer.from(password).toString('base64')];
  const at = secrets.map((secret) => text.indexOf(secret)).find((index) => index >= 0);
  return at === undefined ? undefined : text.slice(Math.max(0, at - 200), at + 10);
}

async function everything(client: Client, namespace: string): Promise<string> {
  const kinds = [
    [API_VERSION, 'Application'],
    [API_VERSION, 'ApplicationRevision'],
    ['v1', 'ConfigMap'],
    ['v1', 'Event'],
  ] as const;
  const lists = await Promise.all(
    kinds.map(async ([apiVersion, kind]) => {
      const info = await client.kinds.find(apiVersion, kind);
      return info ? client.list(info, { namespace }) : [];
    }),
  );
  return JSON.stringify(lists);
}
