import { mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Client } from '#agent/cluster/client.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { fieldOf, type Pod, type ProjectedSource, type Volume } from './pod.ts';

/** Files by their path in a volume. */
type Files = Record<string, string | Buffer>;

const TOKEN_SECONDS = 3_607;

/** Makes every volume of a Pod below the folder. Resolves to its folders by name; rejects while something is not there yet. */
export async function mountVolumes(client: Client, pod: Pod, folder: string): Promise<Record<string, string>> {
  const entries = (pod.spec.volumes ?? []).map(async (volume) => [volume.name, await mountVolume(client, pod, volume, folder)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function mountVolume(client: Client, pod: Pod, volume: Volume, folder: string): Promise<string> {
  const path = volume.persistentVolumeClaim
    ? join(folder, '..', `claim-${pod.metadata.namespace}-${volume.persistentVolumeClaim.claimName}`)
    : join(folder, 'volumes', volume.name);
  await mkdir(path, { recursive: true });
  const files = await filesOf(client, pod, volume);
  if (files) await writeVersion(path, files);
  return path;
}

/** Undefined: a volume that begins empty. */
async function filesOf(
  client: Client,
  pod: Pod,
  { name, emptyDir, persistentVolumeClaim, secret, projected }: Volume,
): Promise<Files | undefined> {
  const { namespace = '' } = pod.metadata;
  if (emptyDir || persistentVolumeClaim) return undefined;
  if (secret) return secretFiles(await need(client, 'Secret', namespace, secret.secretName));
  if (!projected) throw new Error(`the workbench's kubelet cannot mount the volume ${name}`);
  const sources = await Promise.all(projected.sources.map((source) => projectedFiles(client, pod, source)));
  return Object.assign({}, ...sources) as Files;
}

async function projectedFiles(client: Client, pod: Pod, source: ProjectedSource): Promise<Files> {
  const { namespace = '' } = pod.metadata;
  if (source.serviceAccountToken) return { [source.serviceAccountToken.path]: await requestToken(client, pod, source.serviceAccountToken) };
  if (source.configMap) {
    const { name, items } = source.configMap;
    const data = (await need(client, 'ConfigMap', namespace, name))['data'] as Record<string, string>;
    const chosen = items ?? Object.keys(data).map((key) => ({ key, path: key }));
    return Object.fromEntries(chosen.map(({ key, path }) => [path, data[key] ?? '']));
  }
  if (source.downwardAPI)
    return Object.fromEntries(source.downwardAPI.items.map(({ path, fieldRef }) => [path, fieldOf(pod, fieldRef?.fieldPath ?? '')]));
  throw new Error(`the workbench's kubelet cannot project ${Object.keys(source).join(', ')}`);
}

/** Bound to the Pod, as that of a kubelet is. */
async function requestToken(
  client: Client,
  { metadata, spec }: Pod,
  { audience, expirationSeconds }: NonNullable<ProjectedSource['serviceAccountToken']>,
): Promise<string> {
  const { namespace = '', name = '', uid = '' } = metadata;
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: audience === undefined ? [] : [audience],
      expirationSeconds: expirationSeconds ?? TOKEN_SECONDS,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
    },
  };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${spec.serviceAccountName ?? 'default'}/token`;
  const { status, body } = await client.transport.request({ method: 'POST', path, body: request });
  if (status >= 300) throw new Error(`no token for the Pod ${name}: ${status} ${String((body as { message?: unknown }).message)}`);
  return (body as { status: { token: string } }).status.token;
}

async function need(client: Client, kind: string, namespace: string, name: string): Promise<KubeObject> {
  const object = await client.get({ apiVersion: 'v1', kind, namespace, name });
  if (!object) throw new Error(`the ${kind} ${name} of namespace ${namespace} is not there`);
  return object;
}

function secretFiles(secret: KubeObject): Files {
  const data = (secret['data'] ?? {}) as Record<string, string>;
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
}

let versions = 0;

/** All files change at once: a link to the folder with the present ones is put in the place of the former. */
async function writeVersion(path: string, files: Files): Promise<void> {
  const version = `..${(versions += 1)}`;
  const former = await readlink(join(path, '..data')).catch(() => undefined);
  for (const [name, content] of Object.entries(files)) {
    const file = join(path, version, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o640 });
    await symlink(join('..data', name), join(path, name)).catch(() => undefined);
  }
  await symlink(version, join(path, '..new'));
  await rename(join(path, '..new'), join(path, '..data'));
  if (former !== undefined) await rm(join(path, former), { recursive: true, force: true });
}
