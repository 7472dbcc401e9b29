import type { TextProblem } from './problem.ts';

/** An image without tag and digest (spec/image-automation.md §1.1). */
export interface ImageName {
  /** As the user wrote it; this is what is written to Git. */
  text: string;
  /** Host with port: `ghcr.io`, `localhost:5000`; Docker Hub is `index.docker.io`. */
  registry: string;
  /** `library/nginx`, `fogdong/test-fog`. */
  repository: string;
  /** `registry/repository`: names the image in whichever way it was written. */
  canonical: string;
}

/** An image with what may follow it. */
export interface ImageReference {
  name: ImageName;
  tag?: string;
  /** `sha256:…`. */
  digest?: string;
}

export const DOCKER_HUB = 'index.docker.io';
const HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', DOCKER_HUB, 'registry-1.docker.io']);
const REPOSITORY = /^[a-z0-9_./-]{2,255}$/;
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;
const MAX_LENGTH = 1_024;

/** Reads the image of an imageRepository: no scheme, no tag, no digest. */
export function parseImage(text: string): { image: ImageName } | { problem: TextProblem } {
  const example = 'write a name such as ghcr.io/org/app';
  if (text === '') return { problem: { text: 'is empty', remedy: example } };
  if (text.length > MAX_LENGTH) return { problem: { text: `has ${text.length} characters`, remedy: example } };
  if (text.includes('://'))
    return { problem: { text: 'has a scheme', remedy: `write it without: ${text.slice(text.indexOf('://') + 3).slice(0, 80)}` } };
  const { host, path } = split(text);
  if (path.includes('@')) return carries(text, '@', 'digest');
  if (path.includes(':')) return carries(text, ':', 'tag');
  if (host !== undefined && !HOST.test(host)) return { problem: { text: 'names a registry that is no host', remedy: example } };
  if (/[A-Z]/.test(path)) return { problem: { text: 'has capital letters, which no registry takes', remedy: 'write it in small letters' } };
  if (!REPOSITORY.test(path))
    return { problem: { text: 'is not the name of an image: 2 to 255 of a-z, 0-9, _ - . / are expected', remedy: example } };
  return { image: imageOf(text, host, path) };
}

function imageOf(text: string, host: string | undefined, path: string): ImageName {
  const hub = host === undefined || HUB_NAMES.has(host);
  const registry = hub ? DOCKER_HUB : host;
  const repository = hub && !path.includes('/') ? `library/${path}` : path;
  return { text, registry, repository, canonical: `${registry}/${repository}` };
}

/** The first segment is a host only where it holds a dot or a colon: `localhost/foo` is a repository of Docker Hub. */
function split(text: string): { host: string | undefined; path: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  return /[.:]/.test(first) ? { host: first, path: text.slice(slash + 1) } : { host: undefined, path: text };
}

function carries(text: string, sign: string, what: string): { problem: TextProblem } {
  const name = text.slice(0, text.lastIndexOf(sign));
  return { problem: { text: `carries a ${what}`, remedy: `write the image alone: ${name.slice(0, 80)}` } };
}

/** Reads `IMAGE[:TAG][@DIGEST]`. */
export function parseReference(text: string): { reference: ImageReference } | { problem: TextProblem } {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const tagged = at < 0 ? text : text.slice(0, at);
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : tagged.slice(colon + 1);
  const parsed = parseImage(colon < 0 ? tagged : tagged.slice(0, colon));
  if ('problem' in parsed) return parsed;
  if (tag !== undefined && !isTag(tag))
    return {
      problem: {
        text: `has the tag ${JSON.stringify(tag.slice(0, 80))}, which no registry takes`,
        remedy: 'write 1 to 128 of A-Z a-z 0-9 _ . -',
      },
    };
  if (digest !== undefined && !isDigest(digest))
    return { problem: { text: 'has something after the @ that is no digest', remedy: 'write @sha256: and 64 hexadecimal digits' } };
  return {
    reference: { name: parsed.image, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) },
  };
}

/** The grammar of a tag (OCI distribution specification 1.1, "Pulling manifests"). */
function isTag(text: string): boolean {
  return TAG.test(text);
}

function isDigest(text: string): boolean {
  return DIGEST.test(text) && (!text.startsWith('sha256:') || text.length === 71);
}
