import { parseDuration } from './duration.ts';
import type { Cause } from './failure.ts';
import { extractProblems, parseExtract } from './image/extract.ts';
import { type Pattern, parsePattern } from './image/pattern.ts';
import { MAX_SIZE, patternSize } from './pattern-size.ts';
import { normalizePath, pathRule } from './path.ts';
import type { Reason } from './reasons.ts';
import { boundedEffort, isMap, own } from './schema.ts';
import { pathText, quote, shorten } from './wording.ts';
import type { Path } from './wording.ts';

/** What is allowed and most likely not what was meant: the warnings that need nothing but the Application. */

type Properties = Readonly<Record<string, unknown>>;

interface Suspicion {
  at: Path;
  code: Reason;
  text: string;
  value?: string;
  remedy: string;
}

const DAY_MS = 86_400_000;
const SHORT_MS = 30_000;
const REFS = ['branch', 'commit', 'name', 'semver', 'tag'];
// Tags that move, as registries have them.
const FLOATING = ['latest', 'main', 'master', 'stable', 'edge', 'nightly'];

/** Warnings about the kustomize components, in the order of the fields. Anything that JSON can be may come in. */
export function suspicionsOf(application: unknown): Cause[] {
  const spec = isMap(application) ? own(application, 'spec') : undefined;
  const components = isMap(spec) ? own(spec, 'components') : undefined;
  if (!Array.isArray(components)) return [];
  const sources: Sources = new Map();
  const afford = boundedEffort();
  const causes: Cause[] = [];
  components.forEach((component: unknown, index) => {
    if (!isMap(component) || own(component, 'type') !== 'kustomize') return;
    const properties = own(component, 'properties');
    if (!isMap(properties)) return;
    const found = ofSource(properties, sources, index);
    if (own(properties, 'imageRepository') !== undefined) found.push(...ofImages(properties, afford));
    for (const one of found) causes.push(toCause(['spec', 'components', index, 'properties'], one));
  });
  return causes;
}

function toCause(root: Path, { at, code, text, value, remedy }: Suspicion): Cause {
  const path = pathText([...root, ...at]);
  return { path, code, message: `${path} ${text}`, ...(value === undefined ? {} : { value: shorten(value) }), remedy };
}

function text(map: Properties, key: string): string | undefined {
  const value = own(map, key);
  return typeof value === 'string' ? value : undefined;
}

const PULL_INTERVAL: Path = ['pullInterval'];
const SCAN_INTERVAL: Path = ['imageRepository', 'interval'];
const WITHOUT_TLS = /^http:\/\//i;

const notEncrypted: Suspicion = {
  at: ['url'],
  code: 'NotEncrypted',
  text: 'is without TLS: the credentials of secretRef can be read on the way',
  remedy: 'use https://',
};

function ofSource(properties: Properties, sources: Sources, index: number): Suspicion[] {
  const url = text(properties, 'url');
  const found: Suspicion[] = [];
  if (url !== undefined && WITHOUT_TLS.test(url) && own(properties, 'secretRef') !== undefined) found.push(notEncrypted);
  const unusual = unusualInterval(text(properties, 'pullInterval'), PULL_INTERVAL);
  if (unusual) found.push(unusual);
  const again = url === undefined ? undefined : twice(properties, sources, index);
  if (again) found.push(again);
  return found;
}

function unusualInterval(interval: string | undefined, at: Path): Suspicion | undefined {
  const ms = interval === undefined || interval.length > 64 ? undefined : parseDuration(interval);
  if (interval === undefined || ms === undefined || ms <= 0 || (ms >= SHORT_MS && ms <= DAY_MS)) return undefined;
  const says = ms < SHORT_MS ? 'is under 30s' : 'is over a day';
  const remedy = ms < SHORT_MS ? 'write 30s or more, unless the server can bear it' : 'write 24h or less, unless it is meant';
  return { at, code: 'UnusualInterval', text: `${says}, received ${quote(interval)}`, value: interval, remedy };
}

/** As hosting services take it: with and without `.git` and a closing slash. */
function repositoryOf(url: string): string {
  const open = url.endsWith('/') ? url.replace(/\/+$/, '') : url;
  return open.endsWith('.git') ? open.slice(0, -4) : open;
}

/** normalizePath, without its work for what most people write. */
function plainPath(path: string): string {
  const rest = path.startsWith('./') ? path.slice(2) : path;
  return rest.includes('//') || rest.includes('./') || rest.endsWith('/') || rest.endsWith('.') ? normalizePath(rest) : rest;
}

/** The components that sync a repository: the first one, and from the second on where each of them is found in it. */
type Sources = Map<string, { properties: Properties; index: number; places: Map<string, number> | undefined }>;

/** Which revision of a repository, and which folder. */
function placeOf(properties: Properties): string {
  const git = own(properties, 'git');
  const ref = isMap(git) ? REFS.map((key) => text(git, key) ?? '').join('\n') : '\n\n\n\n';
  return `${ref}\n${plainPath(text(properties, 'path') ?? '')}`;
}

/** The position of an earlier component with the same url, branch and path. */
function earlier(properties: Properties, sources: Sources, index: number): number | undefined {
  const repository = repositoryOf(text(properties, 'url') ?? '');
  const known = sources.get(repository);
  if (!known) return void sources.set(repository, { properties, index, places: undefined });
  // Most components have a repository of their own, and need no more than that.
  known.places ??= new Map([[placeOf(known.properties), known.index]]);
  const place = placeOf(properties);
  const found = known.places.get(place);
  if (found === undefined) known.places.set(place, index);
  return found;
}

/** The same url, branch and path as an earlier component. */
function twice(properties: Properties, sources: Sources, index: number): Suspicion | undefined {
  const path = text(properties, 'path');
  if (path === undefined) return undefined;
  const first = earlier(properties, sources, index);
  if (first === undefined || pathRule(path).length > 0) return undefined;
  const says = `and url and git are those of components[${first}] too: both would apply the same objects`;
  return { at: ['path'], code: 'SameSource', text: says, value: path, remedy: 'remove one of the two, or correct its path' };
}

function ofImages(properties: Properties, afford: (size: number) => boolean): Suspicion[] {
  const images = own(properties, 'imageRepository');
  if (!isMap(images)) return [];
  const found: Suspicion[] = [];
  if (own(properties, 'secretRef') === undefined)
    found.push({
      at: ['imageRepository'],
      code: 'NoPushCredentials',
      text: 'commits new tags to the repository, and the component has no secretRef to push with',
      remedy: 'add secretRef: a Secret with the right to push',
    });
  const unusual = unusualInterval(text(images, 'interval'), SCAN_INTERVAL);
  if (unusual) found.push(unusual);
  const policy = own(images, 'policy');
  const filter = own(images, 'filterTags');
  const tags = isMap(filter) ? filter : {};
  if (isMap(policy) && afford(patternSize(text(tags, 'pattern') ?? ''))) found.push(...ofTags(policy, tags));
  return found;
}

function ofTags(policy: Properties, filter: Properties): Suspicion[] {
  const kind = ['numerical', 'alphabetical'].find((key) => own(policy, key) !== undefined);
  if (kind === undefined) return [];
  const source = text(filter, 'pattern') ?? '';
  if (patternSize(source) > MAX_SIZE) return [];
  const parsed = parsePattern(source);
  if ('problem' in parsed) return [];
  const { pattern } = parsed;
  const floating = FLOATING.find((tag) => pattern.test(tag));
  const extract = text(filter, 'extract') ?? '';
  return [
    ...(floating === undefined ? [] : [letsThrough(floating, kind, source)]),
    ...alike(extract, pattern),
    ...(kind === 'alphabetical' && comparesDigits(source, extract, pattern) ? [asText] : []),
  ];
}

const asText: Suspicion = {
  at: ['imageRepository', 'policy', 'alphabetical'],
  code: 'NumbersAsText',
  text: 'compares numbers as text: 9 comes after 10',
  remedy: 'use numerical: {order: asc}',
};

function letsThrough(tag: string, kind: string, source: string): Suspicion {
  const filterTags = ['imageRepository', 'filterTags'];
  const harm = kind === 'numerical' ? 'is no number' : 'sorts among the versions';
  const remedy = 'write a pattern that only the tags of your builds match';
  if (source === '')
    return { at: filterTags, code: 'FloatingTag', text: `has no pattern: a tag such as ${tag} counts too and ${harm}`, remedy };
  const says = `lets tags such as ${tag} through, received ${quote(source)}; ${tag} ${harm}`;
  return { at: [...filterTags, 'pattern'], code: 'FloatingTag', text: says, value: source, remedy };
}

/** A template without a group: every tag is the same. */
function alike(extract: string, pattern: Pattern): Suspicion[] {
  const problems = extractProblems(parseExtract(extract), pattern).filter(({ at }) => at === undefined);
  return problems.map(({ text: says, remedy = 'name a group' }) => ({
    at: ['imageRepository', 'filterTags', 'extract'],
    code: 'InvalidExtract',
    text: `${says}, received ${quote(extract)}`,
    value: extract,
    remedy,
  }));
}

// Digits of any number: of a fixed number they sort alike as text.
const DIGITS = String.raw`(?:\\d|\[0-9\]|\[\[:digit:\]\])(?:[+*]|\{\d+,\d*\})`;

/** Whether what is compared is a number: the group that `extract` names, or the whole tag. */
function comparesDigits(source: string, extract: string, { groups }: Pattern): boolean {
  if (extract === '') return new RegExp(`^\\^?v?${DIGITS}\\$?$`).test(source);
  const group = /^\$\{?(\w+)\}?$/.exec(extract)?.[1];
  if (group === undefined) return false;
  const named = [...groups.keys()].includes(group);
  if (!named) return group === '1' && new RegExp(`^[^(]*\\(${DIGITS}\\)`).test(source);
  return new RegExp(`\\(\\?P?<${group}>${DIGITS}\\)`).test(source);
}
