import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess } from './lifeline.ts';
import { freePorts } from './ports.ts';

export interface RegistryOptions {
  /** The program. */
  crane: string;
  /** Blobs and log go there. */
  folder: string;
  /** Absent: any free port. */
  port?: number;
}

/** What is pushed to a registry on loopback. */
export interface RegistryTags {
  /** Pushes an empty image under each tag; the tags that are there stay. */
  push(repository: string, tags: readonly string[]): Promise<void>;
  /** Takes tags away; those that are not there are not missed. */
  remove(repository: string, tags: readonly string[]): Promise<void>;
}

/** A real registry on loopback: `crane registry serve`. Manifests are in memory: it forgets its tags when it ends. */
export interface Registry extends RegistryTags {
  /** `127.0.0.1:PORT`: what stands before the name of an image. */
  host: string;
  stop(): Promise<void>;
}

const EMPTY_CONFIG = JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [] } });
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const READY_MS = 10_000;

/** The arguments of crane for a registry at `host` that keeps its blobs in `folder`. */
export function registryArguments(host: string, folder: string): string[] {
  return ['registry', 'serve', '--address', host, '--disk', join(folder, 'blobs')];
}

export async function startRegistry({ crane, folder, port }: RegistryOptions): Promise<Registry> {
  await mkdir(join(folder, 'blobs'), { recursive: true });
  const host = `127.0.0.1:${port ?? (await freePorts(1))[0]!}`;
  const logFile = join(folder, 'registry.log');
  const server = await startProcess({ name: 'registry', command: crane, args: registryArguments(host, folder), logFile });
  await registryReady(host, server.exited);
  return { host, ...registryTags(host), stop: () => server.stop() };
}

export function registryTags(host: string): RegistryTags {
  const base = `http://${host}/v2`;
  return {
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
      for (const tag of tags) await fetch(`${base}/${repository}/manifests/${tag}`, { method: 'DELETE' });
    },
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

/** Resolves when the registry answers; rejects where its process ends first. */
export async function registryReady(host: string, exited: Promise<unknown> = new Promise(() => undefined)): Promise<void> {
  let ended = false;
  void exited.then(() => (ended = true));
  for (const start = Date.now(); Date.now() - start < READY_MS && !ended; await sleep(20)) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer?.ok) return;
  }
  throw new Error(`the registry on ${host} does not answer`);
}
