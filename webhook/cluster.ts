import type { IncomingMessage } from 'node:http';
import { Agent, request, type RequestOptions } from 'node:https';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { KubeObject } from '#api/kubernetes.ts';

/** How the API server is reached. */
export interface Connection {
  /** `https://host:port`. */
  server: string;
  /** TLS material and, from a kubeconfig, headers; asked anew for each request, since tokens are rotated. */
  options(): Promise<RequestOptions>;
}

export interface Answer {
  status: number;
  object: KubeObject;
}

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: KubeObject;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'APPLY';

/** The few requests that the webhook makes, none of them while it decides. */
export interface Cluster {
  /** Resolves with any status. Rejects where the API server cannot be reached, or is silent for 10 s. APPLY is a server-side apply. */
  call(method: Method, path: string, body?: unknown): Promise<Answer>;
  /** Resolves when the stream ends. */
  watch(path: string, onEvent: (event: WatchEvent) => void, signal: AbortSignal): Promise<void>;
  close(): void;
}

const DEADLINE_MS = 10_000;
/** A list of 10,000 namespaces. */
const MAX_BYTES = 64 * 1024 * 1024;
/** YAML, which JSON is. */
const CONTENT_TYPES: Partial<Record<Method, string>> = { PATCH: 'application/json-patch+json', APPLY: 'application/apply-patch+yaml' };
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export function createCluster(connection: Connection, userAgent: string): Cluster {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });

  async function send(method: Method, path: string, body: unknown, signal: AbortSignal): Promise<IncomingMessage> {
    const { headers, ...tls } = await connection.options();
    const all = {
      ...(headers as Record<string, string> | undefined),
      accept: 'application/json',
      'content-type': CONTENT_TYPES[method] ?? 'application/json',
      'user-agent': userAgent,
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        `${connection.server}${path}`,
        { ...tls, method: method === 'APPLY' ? 'PATCH' : method, headers: all, agent, signal },
        resolve,
      );
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  return {
    async call(method, path, body) {
      const response = await send(method, path, body, AbortSignal.timeout(DEADLINE_MS));
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) throw new Error(`${method} ${path}: the answer is larger than ${MAX_BYTES} bytes`);
        chunks.push(chunk);
      }
      return { status: response.statusCode ?? 0, object: JSON.parse(Buffer.concat(chunks).toString('utf8')) as KubeObject };
    },
    async watch(path, onEvent, signal) {
      const response = await send('GET', path, undefined, signal);
      if (response.statusCode !== 200) {
        response.resume();
        throw new Error(`GET ${path}: ${response.statusCode}`);
      }
      for await (const line of createInterface({ input: response })) if (line !== '') onEvent(JSON.parse(line) as WatchEvent);
    },
    close: () => agent.destroy(),
  };
}

/** The connection of a Pod. Throws where this is none. */
export function inClusterConnection(environment: Record<string, string | undefined>): Connection {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (!host) throw new Error('this is no Pod: pass --kubeconfig FILE');
  const [open, end] = host.includes(':') ? ['[', ']'] : ['', ''];
  return {
    server: `https://${open}${host}${end}:${port}`,
    async options() {
      const [ca, token] = await Promise.all(['ca.crt', 'token'].map((name) => readFile(`${SERVICE_ACCOUNT}/${name}`, 'utf8')));
      return { ca, headers: { authorization: `Bearer ${token?.trim()}` } };
    },
  };
}
