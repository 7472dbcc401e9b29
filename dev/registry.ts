import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ManagedProcess, startProcess } from './lifeline.ts';
import { freePorts } from './ports.ts';

export interface RegistryOptions {
  /** The program. */
  crane: string;
  /** Blobs and log go there. */
  folder: string;
  /** Absent: any free port. */
  port?: number;
}

/** A real registry on loopback: `crane registry serve`. Manifests are in memory: it forgets its tags when it ends. */
export interface Registry {
  /** `127.0.0.1:PORT`: what stands before the name of an image. */
  host: string;
  /** Pushes an empty image under each tag; the tags that are there stay. */
  push(repository: string, tags: readonly string[]): Promise<void>;
  /** Takes tags away. */
  remove(repository: string, tags: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

const EMPTY_CONFIG = JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [] } });
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const READY_MS = 10_000;

export async function startRegistry({ crane, folder, port }: RegistryOptions): Promise<Registry> {
  await mkdir(join(folder, 'blobs'), { recursive: true });
  const host = `127.0.0.1:${port ?? (await freePorts(1))[0]!}`;
  const server = await startProcess({
    name: 'registry',
    command: crane,
    args: ['registry', 'serve', '--address', host, '--disk', join(folder, 'blobs')],
    logFile: join(folder, 'registry.log'),
  });
  await untilReady(host, server);
  const base = `http://${host}/v2`;
  return {
    host,
    async push(repository, tags) {
      const config = await pushBlob(`${base}/${repository}`, EMPTY_CONFIG);
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST_TYPE,
        config: { mediaType: CONFIG_TYPE, ...config },
        layers: [],
      });
      for (const tag of tags) await send(`${base}/${repository}/manifests/${tag}`, 'PUT', manifest, MANIFEST_TYPE);
    },
    async remove(repository, tags) {
      for (const tag of tags) await send(`${base}/${repository}/manifests/${tag}`, 'DELETE');
    },
    stop: () => server.stop(),
  };
}

async function pushBlob(base: string, content: string): Promise<{ digest: string; size: number }> {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  await send(`${base}/blobs/uploads/?digest=${digest}`, 'POST', content, 'application/octet-stream');
  return { digest, size: Buffer.byteLength(content) };
}

async function send(url: string, method: string, body?: string, type?: string): Promise<void> {
  const answer = await fetch(url, { method, ...(body === undefined ? {} : { body, headers: { 'content-type': type ?? '' } }) });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${method} ${url} was answered ${answer.status}`);
}

async function untilReady(host: string, server: ManagedProcess): Promise<void> {
  let ended = false;
  void server.exited.then(() => (ended = true));
  for (const start = Date.now(); Date.now() - start < READY_MS && !ended; await sleep(20)) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer?.ok) return;
  }
  throw new Error(`the registry on ${host} does not answer; its log is ${server.logFile}`);
}
