import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '#api/failure.ts';
import { messageOf } from '#core/errors.ts';

/** How the API server is reached, and as whom. */
export interface Connection {
  /** `https://host:port`, without a trailing slash. */
  server: string;
  /** PEM. In a Pod it is read anew at each access, since it may be rotated. */
  readonly ca?: string;
  /** PEM client certificate and key. */
  cert?: string;
  key?: string;
  /** The name that the server's certificate must have, where it is not that of `server`. */
  serverName?: string;
  /** The certificate is not checked (`insecure-skip-tls-verify` of a kubeconfig). */
  insecure?: boolean;
  /** The namespace that the kubeconfig's context or the Pod names. */
  namespace?: string;
  /** Bearer token, undefined where there is none; `fresh` after a 401 forces a re-read. */
  token(fresh: boolean): Promise<string | undefined>;
}

const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet rotates the token of a Pod well before it expires; a minute is what client-go uses. */
const TOKEN_TTL_MS = 60_000;

/** Reads a token file at most once a minute. */
export function tokenFile(path: string): (fresh: boolean) => Promise<string> {
  let token = '';
  let readAt = Number.NEGATIVE_INFINITY;
  return async (fresh) => {
    if (!fresh && performance.now() - readAt < TOKEN_TTL_MS) return token;
    token = (await readFile(path, 'utf8')).trim();
    if (token === '') throw new Error(`the token file ${path} is empty`);
    readAt = performance.now();
    return token;
  };
}

/**
 * The connection of a Pod: the token and CA that the kubelet mounts, or that stand where LATEEN_SERVICE_ACCOUNT says. Throws a
 * Failure outside a Pod.
 */
export function inClusterConnection(environment: Record<string, string | undefined> = process.env): Connection {
  const directory = environment['LATEEN_SERVICE_ACCOUNT'] ?? SERVICE_ACCOUNT_DIRECTORY;
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (!host) {
    throw new Failure('ClusterUnavailable', 'this is not a Pod (KUBERNETES_SERVICE_HOST is not set) and no kubeconfig was given', {
      kind: 'stalled',
      remedy: 'pass --kubeconfig FILE',
    });
  }
  const mounted = (name: string): string => readMounted(directory, name);
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    get ca() {
      return mounted('ca.crt');
    },
    namespace: mounted('namespace').trim(),
    token: tokenFile(join(directory, 'token')),
  };
}

function readMounted(directory: string, name: string): string {
  try {
    return readFileSync(join(directory, name), 'utf8');
  } catch (error) {
    throw new Failure('ClusterUnavailable', `the Pod's ServiceAccount is not mounted: ${messageOf(error)}`, {
      kind: 'stalled',
      remedy: 'set automountServiceAccountToken to true in the Pod, or pass --kubeconfig FILE',
      cause: error,
    });
  }
}

/** The connection of a kubeconfig file; its library is loaded only here (85 MB: spec/dependencies.md §1.1). */
export async function kubeconfigConnection(options: { path?: string; context?: string }): Promise<Connection> {
  const { readKubeconfig } = await import('./kubeconfig.ts');
  return readKubeconfig(options);
}
