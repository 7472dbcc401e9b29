import { DOCKER_HUB, type ImageName } from './image/reference.ts';
import { quote } from './wording.ts';

/**
 * Patterns of the allow-lists: a URL or an image, in which `*` stands for any characters of one label of the host or one segment
 * of the path, and `/**` at the end for everything below. Always of the whole: nothing matches because it holds a pattern.
 */

export interface AllowPattern {
  /** As it was written. */
  text: string;
  scheme: string;
  /** Lower case, from the left. */
  host: readonly string[];
  port: string;
  path: readonly string[];
  /** It ends in `/**`. */
  open: boolean;
}

/** What a pattern is held against. */
export type AllowedPlace = Omit<AllowPattern, 'text' | 'open'>;

const MAX_PATTERNS = 200;
const MAX_LENGTH = 512;
const SCHEME = /^(https?):\/\//i;
const ADDRESS = /^(\[[0-9A-Fa-f:.]+\]|[^:]*)(?::(\d{1,5}))?$/;
const LABEL = /^(?:[a-z0-9*]|[a-z0-9*][a-z0-9*_-]*[a-z0-9*])$/;
/** What a server may take for `.`, `/`, `\` or `%` once it has decoded it. */
const ENCODED = /%(?:2e|2f|5c|25)/i;
const REGULAR = /\/\.\*|[\^$()|\\{}]/;

/** Reads a list: patterns apart by commas or line breaks. One mistake spoils all of it. */
export function patternsFrom(list: string, kind: 'repository' | 'registry'): { patterns: AllowPattern[] } | { problem: string } {
  const texts = list
    .split(/[,\n\r]/)
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (texts.length === 0) return { problem: 'it holds no pattern' };
  if (texts.length > MAX_PATTERNS) return { problem: `it holds ${texts.length} patterns, at most ${MAX_PATTERNS} are allowed` };
  const patterns: AllowPattern[] = [];
  for (const text of texts) {
    const read = kind === 'repository' ? repositoryPattern(text) : registryPattern(text);
    if (typeof read === 'string') return { problem: `the pattern ${quote(text)} ${read}` };
    patterns.push(read);
  }
  return { patterns };
}

function repositoryPattern(text: string): AllowPattern | string {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return 'must start with https:// or http://';
  const rest = text.slice(scheme.length + 3);
  const slash = rest.indexOf('/');
  if (slash < 0 || slash === rest.length - 1) return `names no repository; for all of a server write ${scheme}://HOST/**`;
  return patternOf(text, scheme, { address: rest.slice(0, slash), path: rest.slice(slash + 1) });
}

/** A registry alone stands for all its images. */
function registryPattern(text: string): AllowPattern | string {
  if (text.includes('://')) return 'must have no scheme, such as ghcr.io/org/**';
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  if (!/[.:]/.test(address)) return 'must start with the host of a registry, such as docker.io/library/**';
  return patternOf(text, '', { address, path: slash < 0 ? '**' : text.slice(slash + 1) });
}

function patternOf(text: string, scheme: string, rest: { address: string; path: string }): AllowPattern | string {
  if (text.length > MAX_LENGTH) return `has more than ${MAX_LENGTH} characters`;
  if (/\s/.test(text)) return 'holds a space; put a comma or a line break between two patterns';
  if (REGULAR.test(text))
    return 'looks like a regular expression; write * for any characters of one segment, and /** at the end for everything below';
  if (/[?#@]/.test(text)) return 'must hold no user, query or fragment';
  const where = addressOf(rest.address);
  if (!where || !where.host.every((label) => (LABEL.test(label) && !label.includes('**')) || label.startsWith('[')))
    return 'must name a host that can be one, with whole labels or * in them';
  const segments = rest.path.replace(/\/$/, '').split('/');
  const open = segments.at(-1) === '**';
  const path = open ? segments.slice(0, -1) : segments;
  if (path.some((segment) => segment.includes('**'))) return 'may have ** only at its end, as in /team/**';
  return path.some(isOdd) ? 'must have a plain path: no "..", no "//", no encoded "/"' : { text, scheme, ...where, path, open };
}

/** Undefined where no server needs to read the path as it stands. */
export function placeOfUrl(url: string): AllowedPlace | undefined {
  const [whole = '', scheme = ''] = SCHEME.exec(url) ?? [];
  const rest = url.slice(whole.length);
  const slash = rest.indexOf('/');
  const where = addressOf(slash < 0 ? rest : rest.slice(0, slash));
  const path =
    slash < 0
      ? []
      : rest
          .slice(slash + 1)
          .replace(/\/$/, '')
          .split('/');
  return !where || path.some(isOdd) ? undefined : { scheme: scheme.toLowerCase(), ...where, path };
}

/** An image by its full name, whichever way it was written: `nginx` is docker.io/library/nginx. */
export function placeOfImage({ registry, repository }: ImageName): AllowedPlace | undefined {
  const where = addressOf(registry);
  const path = repository.split('/');
  return !where || path.some(isOdd) ? undefined : { scheme: '', ...where, path };
}

const HUB = 'docker.io';
const HUB_NAMES: ReadonlySet<string> = new Set([DOCKER_HUB, 'registry-1.docker.io']);

function addressOf(text: string): { host: string[]; port: string } | undefined {
  const [, written, port = ''] = ADDRESS.exec(text.toLowerCase()) ?? [];
  if (written === undefined || written === '') return undefined;
  const name = HUB_NAMES.has(written) ? HUB : written;
  return { host: name.startsWith('[') ? [name] : name.split('.'), port };
}

function isOdd(segment: string): boolean {
  return segment === '' || segment === '.' || segment === '..' || ENCODED.test(segment);
}

export function matches(pattern: AllowPattern, place: AllowedPlace): boolean {
  if (pattern.scheme !== place.scheme || pattern.port !== place.port || pattern.host.length !== place.host.length) return false;
  const length = place.path.length - pattern.path.length;
  if (pattern.open ? length < 1 : length !== 0) return false;
  const fit = (mine: readonly string[], theirs: readonly string[]): boolean => mine.every((one, index) => fits(one, theirs[index]!));
  return fit(pattern.host, place.host) && fit(pattern.path, place.path);
}

/** `*` for any characters, also for none. No backtracking: the first place that fits leaves the most for the rest. */
function fits(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return pattern === text;
  if (!text.startsWith(head)) return false;
  let at = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - tail.length >= at && text.endsWith(tail);
}
