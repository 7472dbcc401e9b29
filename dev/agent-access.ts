import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { kubeconfigText } from './control-plane-files.ts';
import type { Programs } from './programs.ts';
import { KUBERNETES_VERSION } from './versions.ts';

const run = promisify(execFile);

const CHARTS = fileURLToPath(new URL('../charts/', import.meta.url));
const DEADLINE_MS = 60_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** What an agent may do, without what runs it: the tests and the demo start it themselves. */
const ACCESS_KINDS = new Set(['ServiceAccount', 'Role', 'RoleBinding']);
const SERVICE_ACCOUNT = 'lateen-agent';
/** The longest that is ever played with one cluster. */
const TOKEN_DURATION = '24h';

/** What these functions need of a control plane: a ControlPlane, or the plain data that a test gets. */
export interface PlaneAccess {
  /** Path of a kubeconfig with all rights. */
  kubeconfig: string;
  server: string;
  caFile: string;
  programs: Programs<'kubectl'>;
}

async function kubectl(plane: PlaneAccess, args: string[], input?: string): Promise<string> {
  const options = { timeout: DEADLINE_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const;
  const running = run(plane.programs.kubectl, ['--kubeconfig', plane.kubeconfig, ...args], options);
  // A kubectl that ends before it has read everything says why itself.
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** Applies charts/lateen/crds and waits until the API server serves them. */
export async function installCrds(plane: PlaneAccess): Promise<void> {
  const folder = `${CHARTS}lateen/crds`;
  if (!existsSync(folder)) throw new Error(`${folder} is not there: the checkout is not whole`);
  const printed = await kubectl(plane, ['apply', '--server-side', '--force-conflicts', '-f', folder, '-o', 'name']);
  const names = printed.split('\n').filter((line) => line.startsWith('customresourcedefinition'));
  if (names.length === 0) throw new Error(`${folder} holds no CustomResourceDefinition`);
  await kubectl(plane, ['wait', '--for=condition=Established', '--timeout=30s', ...names]);
}

export interface AgentAccess {
  namespace: string;
  /** Where the kubeconfig is written. */
  file: string;
  /** Values of charts/lateen-agent. */
  values?: Record<string, unknown>;
}

/** The objects of charts/lateen-agent that give the agent its rights. */
async function renderAccess(helm: string, namespace: string, values: Record<string, unknown>): Promise<{ kind: string }[]> {
  const settings = Object.entries(values).map(([name, value]) => `--set-json=${name}=${JSON.stringify(value)}`);
  const args = [
    'template',
    'lateen-agent',
    `${CHARTS}lateen-agent`,
    '--namespace',
    namespace,
    '--kube-version',
    KUBERNETES_VERSION,
    // What the chart asks everybody for, and which no right depends on.
    '--set=image.repository=lateen,applications=all',
    ...settings,
  ];
  const { stdout } = await run(helm, args, { timeout: DEADLINE_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES });
  const objects = parseAllDocuments(stdout).map((document) => document.toJS() as { kind: string } | null);
  return objects.filter((object) => object !== null).filter(({ kind }) => ACCESS_KINDS.has(kind));
}

type Access = Pick<AgentAccess, 'namespace' | 'values'>;
type RenderingPlane = PlaneAccess & { programs: Programs<'helm'> };

/** Gives a namespace the agent's ServiceAccount, Role and RoleBinding as its chart does, and a token of that ServiceAccount. */
async function grant(plane: RenderingPlane, { namespace, values = {} }: Access): Promise<{ ca: string; token: string }> {
  const items = await renderAccess(plane.programs.helm, namespace, values);
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kubectl(plane, ['apply', '--server-side', '--force-conflicts', '-n', namespace, '-f', '-'], list);
  const printed = await kubectl(plane, ['create', 'token', SERVICE_ACCOUNT, '-n', namespace, '--duration', TOKEN_DURATION]);
  return { ca: await readFile(plane.caFile, 'utf8'), token: printed.trim() };
}

/**
 * Grants a namespace's agent its rights and writes a kubeconfig that holds a token of its ServiceAccount and nothing else.
 * Resolves to the path of the kubeconfig.
 */
export async function agentKubeconfig(plane: RenderingPlane, access: AgentAccess): Promise<string> {
  const { namespace, file } = access;
  const text = kubeconfigText({ server: plane.server, ...(await grant(plane, access)), user: SERVICE_ACCOUNT, namespace });
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

/**
 * Grants a namespace's agent its rights and writes what the kubelet mounts into its Pod into an existing folder. Resolves to
 * the environment in which an agent finds it: it then starts as it does in a Pod.
 */
export async function agentPod(plane: RenderingPlane, access: Access & { folder: string }): Promise<Record<string, string>> {
  const { namespace, folder } = access;
  const { ca, token } = await grant(plane, access);
  for (const [name, text] of Object.entries({ 'ca.crt': ca, token, namespace })) await writeFile(join(folder, name), text, { mode: 0o600 });
  const { hostname, port } = new URL(plane.server);
  return { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, LATEEN_SERVICE_ACCOUNT: folder };
}
