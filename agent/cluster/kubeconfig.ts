import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { type Cluster, KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { Failure } from '#api/failure.ts';
import { messageOf } from '#core/errors.ts';
import { type Connection, tokenFile } from './connection.ts';

/** What the library calls the cluster where it finds no kubeconfig, but a Pod's ServiceAccount. */
const IN_CLUSTER = 'inCluster';
/** The server that the library makes up where it finds nothing at all. */
const NOTHING_FOUND = 'http://localhost:8080';
const BEARER = /^Bearer (.+)$/;

/** Everything that a kubeconfig may say, credential plugins included. Throws a Failure that names the file. */
export async function readKubeconfig({ path, context }: { path?: string; context?: string }): Promise<Connection> {
  const config = load(path);
  if (context) choose(config, path, context);
  const cluster = clusterOf(config, path);
  const user = config.getCurrentUser();
  if (user?.impersonateUser) throw invalid(path, 'asks to act as somebody else (as), which Lateen does not support');
  const file = user && cluster.name !== IN_CLUSTER ? tokenFileOf(path, user.name) : undefined;
  const options = await material(config).catch((error: unknown) => {
    throw invalid(path, `gives no credentials: ${messageOf(error)}`);
  });
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  return {
    server: cluster.server.replace(/\/+$/, ''),
    ...certificates(options),
    ...(cluster.tlsServerName ? { serverName: cluster.tlsServerName } : {}),
    ...(cluster.skipTLSVerify ? { insecure: true } : {}),
    ...(namespace ? { namespace } : {}),
    token: file === undefined ? bearerOf(config, options.headers) : tokenFile(file),
  };
}

function choose(config: KubeConfig, path: string | undefined, context: string): void {
  if (!config.getContextObject(context)) {
    const known = config.getContexts().map(({ name }) => name);
    throw invalid(path, `has no context ${JSON.stringify(context)}; it has ${known.join(', ') || 'none'}`);
  }
  config.setCurrentContext(context);
}

function clusterOf(config: KubeConfig, path: string | undefined): Cluster {
  const cluster = config.getCurrentCluster();
  // A file without one, or one that is no kubeconfig at all.
  if (!config.getCurrentContext()) throw invalid(path, 'has no current-context');
  if (!cluster) throw invalid(path, `has no cluster for the context ${JSON.stringify(config.getCurrentContext())}`);
  if (cluster.server === NOTHING_FOUND) throw invalid(path, 'was not found');
  if (cluster.proxyUrl) throw invalid(path, 'asks for a proxy (proxy-url), which Lateen does not support');
  if (!cluster.server.startsWith('https://')) throw invalid(path, `names the server ${cluster.server}; only https is supported`);
  return cluster;
}

function certificates({ ca, cert, key }: RequestOptions): Pick<Connection, 'ca' | 'cert' | 'key'> {
  return { ...(ca ? { ca: text(ca) } : {}), ...(cert ? { cert: text(cert) } : {}), ...(key ? { key: text(key) } : {}) };
}

/** `tokenFile` of the user, which the library does not know; kubectl prefers it to `token`. */
function tokenFileOf(path: string | undefined, user: string): string | undefined {
  const { KUBECONFIG } = process.env;
  const paths = path ? [path] : (KUBECONFIG?.split(delimiter).filter(Boolean) ?? [join(homedir(), '.kube', 'config')]);
  for (const one of paths) {
    const content = parse(readFileSync(one, 'utf8')) as { users?: { name?: string; user?: { tokenFile?: string } | null }[] } | null;
    const found = content?.users?.find(({ name }) => name === user)?.user?.tokenFile;
    if (found) return resolve(dirname(one), found);
  }
  return undefined;
}

function load(path: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (path) config.loadFromFile(path);
    else config.loadFromDefault();
  } catch (error) {
    throw invalid(path, `cannot be read: ${messageOf(error)}`);
  }
  return config;
}

async function material(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return options;
}

function tokenOf(headers: RequestOptions['headers']): string | undefined {
  const value = (headers as Record<string, string | undefined> | undefined)?.['Authorization'];
  return value === undefined ? undefined : BEARER.exec(value)?.[1];
}

/** A plugin or a token file may give a new token; it is asked again after a minute, and at once after a 401. */
function bearerOf(config: KubeConfig, headers: RequestOptions['headers']): Connection['token'] {
  let token = tokenOf(headers);
  let readAt = performance.now();
  return async (fresh) => {
    if (token === undefined || (!fresh && performance.now() - readAt < 60_000)) return token;
    token = tokenOf((await material(config)).headers);
    readAt = performance.now();
    return token;
  };
}

function text(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join('\n') : String(value);
}

function invalid(path: string | undefined, problem: string): Failure {
  return new Failure('ClusterUnavailable', `the kubeconfig ${path ?? '(KUBECONFIG or ~/.kube/config)'} ${problem}`, {
    kind: 'stalled',
    remedy: 'pass --kubeconfig FILE and, if needed, --context NAME',
  });
}
