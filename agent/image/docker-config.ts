import { DOCKER_HUB, type ImageName } from '#api/image/reference.ts';
import { Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { oneLine } from '#core/errors.ts';

/** One entry of a docker configuration. */
export interface RegistryCredentials {
  /** Key of `auths` that it stands under, to name it. */
  key: string;
  username?: string;
  password?: string;
  /** Exchanged for an access token (OAuth refresh token). */
  identityToken?: string;
  /** Sent as it is. */
  registryToken?: string;
}

/** What a pull Secret holds, or the file of a person. */
export interface DockerConfig {
  entries: RegistryCredentials[];
  /** What it is called in a sentence; absent: the Secret. */
  called?: string;
  /** PEM, key `ca.crt` of the Secret. */
  ca?: string;
}

const KEYS = ['.dockerconfigjson', '.dockercfg', 'config.json'] as const;
const HUB_HOSTS: ReadonlySet<string> = new Set(['docker.io', 'registry-1.docker.io', DOCKER_HUB]);
const MAX_ENTRIES = 200;

/**
 * Reads a Secret of `kubectl create secret docker-registry`. The type does not matter, the key does
 * (spec/image-automation.md §1.4 and §8 item 18). Throws Failure SecretInvalid, never with what it holds.
 */
export function dockerConfigOf(secret: KubeObject): DockerConfig {
  const name = secret.metadata.name ?? '';
  const data = (secret['data'] ?? {}) as Record<string, unknown>;
  const text = (key: string): string | undefined =>
    typeof data[key] === 'string' ? Buffer.from(data[key], 'base64').toString('utf8') : undefined;
  const key = KEYS.find((one) => text(one) !== undefined);
  const ca = text('ca.crt');
  if (key === undefined && ca !== undefined) return { entries: [], ca };
  if (key === undefined)
    throw invalid(name, `has no key .dockerconfigjson; it has ${oneLine(Object.keys(data).sort().join(', ') || 'no key', 200)}`);
  const config = jsonOf(text(key)!, name, key);
  const auths = key === '.dockercfg' ? config : config['auths'];
  if (!isMap(auths)) throw invalid(name, `has no auths in ${key}`);
  const entries = entriesOf(auths, (why) => invalid(name, why));
  return { entries, ...(ca === undefined ? {} : { ca }) };
}

type Refuse = (why: string) => Error;

/** The entries of `auths`. Throws what `refuse` makes of the reason why one cannot be read. */
export function entriesOf(auths: Record<string, unknown>, refuse: Refuse): RegistryCredentials[] {
  return Object.entries(auths)
    .slice(0, MAX_ENTRIES)
    .map(([entry, value]) => entryOf(entry, value, refuse));
}

function jsonOf(text: string, name: string, key: string): Record<string, unknown> {
  try {
    const config: unknown = JSON.parse(text);
    if (isMap(config)) return config;
  } catch {
    // The message of the parser repeats what it read.
  }
  throw invalid(name, `has something in ${key} that is not JSON`);
}

function entryOf(key: string, value: unknown, refuse: Refuse): RegistryCredentials {
  const field = (name: string): string | undefined => {
    const text = isMap(value) ? value[name] : undefined;
    return typeof text === 'string' && text !== '' ? text : undefined;
  };
  const [identityToken, registryToken, auth] = [field('identitytoken'), field('registrytoken'), field('auth')];
  const pair = auth === undefined ? { username: field('username'), password: field('password') } : pairOf(auth, key, refuse);
  return {
    key,
    ...(pair.username === undefined ? {} : { username: pair.username }),
    ...(pair.password === undefined ? {} : { password: pair.password }),
    ...(identityToken === undefined ? {} : { identityToken }),
    ...(registryToken === undefined ? {} : { registryToken }),
  };
}

function pairOf(auth: string, key: string, refuse: Refuse): { username: string; password: string } {
  const decoded = /^[A-Za-z0-9+/_-]+=*\s*$/.test(auth) ? Buffer.from(auth, 'base64').toString('utf8') : '';
  const colon = decoded.indexOf(':');
  if (colon < 0) throw refuse(`has an auth for ${oneLine(key, 100)} that is not base64 of user:password`);
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/(?<![\r\n])[\r\n]+$/, '') };
}

/**
 * The entries that fit an image, the most specific first: host equal in any case and spelling of Docker Hub, `*` within a
 * label, and a path that ends at a `/`.
 */
export function credentialsFor({ entries }: DockerConfig, image: ImageName): RegistryCredentials[] {
  return entries
    .map((entry) => ({ entry, key: placeOf(entry.key) }))
    .filter(({ key }) => fitsHost(key.host, image.registry) && fitsPath(key.path, image.repository))
    .sort((a, b) => b.key.path.length - a.key.path.length || Number(a.key.host.includes('*')) - Number(b.key.host.includes('*')))
    .map(({ entry }) => entry);
}

function placeOf(key: string): { host: string; path: string } {
  const bare = key.replace(/^[a-z]+:\/\//i, '');
  const slash = bare.indexOf('/');
  const host = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase();
  const path = (slash < 0 ? '' : bare.slice(slash + 1)).replace(/^v[12](?:\/|$)/, '').replace(/\/+$/, '');
  return { host: canonicalHost(host), path };
}

function canonicalHost(host: string): string {
  const lower = host.toLowerCase().replace(/:443$/, '');
  return HUB_HOSTS.has(lower) ? DOCKER_HUB : lower;
}

function fitsHost(pattern: string, registry: string): boolean {
  const [wanted, given] = [pattern, canonicalHost(registry)];
  if (wanted === given) return true;
  if (!wanted.includes('*')) return false;
  const [labels, parts] = [wanted.split('.'), given.split('.')];
  return labels.length === parts.length && labels.every((label, index) => fitsLabel(label, parts[index]!));
}

function fitsLabel(pattern: string, label: string): boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return pattern === label;
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const found = index === parts.length - 1 ? (label.endsWith(part) ? label.length - part.length : -1) : label.indexOf(part, at);
    if (found < at || (index === 0 && found !== 0)) return false;
    at = found + part.length;
  }
  return true;
}

function fitsPath(path: string, repository: string): boolean {
  return path === '' || repository === path || repository.startsWith(`${path}/`);
}

function invalid(secret: string, why: string): Failure {
  return new Failure('SecretInvalid', `the Secret ${secret} ${why}`, {
    kind: 'stalled',
    remedy: 'make it with kubectl create secret docker-registry',
  });
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
