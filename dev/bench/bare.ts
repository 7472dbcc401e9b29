// The physical limit: server-side-applies objects over one kept-alive HTTP/2 connection and does nothing else.
// `bare.ts FILE`: FILE is a BareInput; prints a BareResult.
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { KubeObject } from '#api/kubernetes.ts';
import { FIELD_MANAGER } from '#api/names.ts';

export interface BareInput {
  server: string;
  ca: string;
  token: string;
  /** Requests in flight. */
  concurrency: number;
  objects: KubeObject[];
}

export interface BareResult {
  ms: number;
  cpuSeconds: number;
}

const PLURALS: Record<string, string> = { Ingress: 'ingresses' };

function pathOf({ apiVersion, kind, metadata: { namespace = '', name = '' } }: KubeObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  return `${root}/namespaces/${namespace}/${plural}/${name}?fieldManager=${FIELD_MANAGER}&force=true&fieldValidation=Strict`;
}

function apply(session: ClientHttp2Session, token: string, object: KubeObject): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'PATCH',
      ':path': pathOf(object),
      accept: 'application/json',
      'content-type': 'application/apply-patch+yaml',
      authorization: `Bearer ${token}`,
    });
    let status = 0;
    const chunks: Buffer[] = [];
    stream.on('response', (headers) => (status = Number(headers[':status'])));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { message?: string };
      if (status >= 300) reject(new Error(`${status} for ${pathOf(object)}: ${body.message ?? ''}`));
      else resolve();
    });
    stream.end(JSON.stringify(object));
  });
}

async function applyAll({ server, ca, token, concurrency, objects }: BareInput): Promise<void> {
  const session = connect(server, { ca });
  const queue = objects.values();
  const worker = async (): Promise<void> => {
    for (const object of queue) await apply(session, token, object);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  session.close();
}

const input = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as BareInput;
const begun = performance.now();
await applyAll(input);
const ms = performance.now() - begun;
const { user, system } = process.cpuUsage();
process.stdout.write(`${JSON.stringify({ ms, cpuSeconds: (user + system) / 1e6 } satisfies BareResult)}\n`);
