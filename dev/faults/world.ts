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
import { type FaultAgent, logFileOf, startFaultAgent } from './agent.ts';
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
  /** The next run of kustomize kills itself. */
  killKustomize(): Promise<void>;
  /** Whatever the agent has shown to anybody so far. */
  shown(): Promise<string>;
  /** Where a text that nobody may see can be found: undefined where it cannot. */
  leak(): Promise<string | undefined>;
  close(): Promise<void>;
}

const USER = 'reader';
/** The Secret with the password of the Git server. */
export const GIT_SECRET = 'git-secret';

export async function openWorld(plane: FaultPlane, command: readonly string[], flags: Record<string, string> = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-faults-'));
  const namespace = `faults-${randomBytes(4).toString('hex')}`;
  const password = `planted-${randomBytes(12).toString('hex')}`;
  const connection = await kubeconfigConnection({ path: plane.kubeconfig });
  const client = createClient(connection, { log: silentLog, userAgent: 'lateen-faults' });
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await client.create(gitSecret(namespace, password));
  const proxy = await proxyOf(plane);
  const kubeconfig = await agentKubeconfig({ ...plane, server: proxy.url }, { namespace, file: join(folder, 'kubeconfig') });
  const git = await startGitServer({ root: join(folder, 'git'), users: [{ name: USER, password, write: false }] });
  const deletions = await watchDeletions(client, namespace);
  const flag = join(folder, 'kill-kustomize');
  const kustomize = await killableKustomize(folder, plane.programs.kustomize, flag);
  const agentFolder = join(folder, 'agent');
  await mkdir(agentFolder);
  // One identity, as that of a Pod: whoever follows a killed one goes on at once.
  const settings = { identity: 'faults', 'lease-duration': '6s', ...flags };
  const start = () => startFaultAgent({ namespace, kubeconfig, kustomize, folder: agentFolder, command, flags: settings });
  let agent = await start();
  await agent.ready;
  const shown = async (): Promise<string> => (await readFile(logFileOf(agentFolder), 'utf8')) + (await everything(client, namespace));
  return {
    namespace,
    client,
    proxy,
    git,
    deletions,
    shown,
    get agent() {
      return agent;
    },
    async startAgent() {
      agent = await start();
      await agent.ready;
    },
    killKustomize: () => writeFile(flag, ''),
    leak: async () => leakIn(await shown(), password),
    async close() {
      deletions.stop();
      await agent.kill();
      await proxy.close();
      await git.close();
      client.transport.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function proxyOf({ directory, server, caFile }: FaultPlane): Promise<ApiProxy> {
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
