import { parseImage } from './image/reference.ts';
import { imageRule } from './image-rules.ts';
import { annotation } from './names.ts';
import { isMap, own } from './schema.ts';
import type { Finding, Rule, Site } from './schema.ts';
import { displayUrl, urlRule } from './source-url.ts';
import { type AllowedPlace, type AllowPattern, matches, patternsFrom, placeOfImage, placeOfUrl } from './allow-pattern.ts';
import { listText, quote, shorten } from './wording.ts';

/**
 * Which repositories and registries the Applications of a namespace may name: annotations of the Namespace, since whoever has
 * `admin` in a namespace may write everything in it and not the Namespace itself. Without the annotation all are allowed; a list
 * with a mistake allows none.
 */

export type AllowList = { patterns: readonly AllowPattern[] } | { problem: string };

export interface AllowLists {
  repositories?: AllowList;
  registries?: AllowList;
}

// A namespace is asked about again and again, and its annotations are one object until they change.
const known = new WeakMap<object, AllowLists>();

/** The lists of a Namespace with these annotations. Never throws. */
export function allowListsOf(annotations: Readonly<Record<string, string>>): AllowLists {
  const before = known.get(annotations);
  if (before) return before;
  const [repositories, registries] = [annotations[annotation.allowedRepositories], annotations[annotation.allowedRegistries]];
  const lists = {
    ...(repositories === undefined ? {} : { repositories: patternsFrom(repositories, 'repository') }),
    ...(registries === undefined ? {} : { registries: patternsFrom(registries, 'registry') }),
  };
  known.set(annotations, lists);
  return lists;
}

/** The rule of `url`: one that can be used, of a repository that the namespace allows. */
export const repositoryRule: Rule<string> = (url, site) => {
  const found = urlRule(url);
  const list = site.context.allowed?.repositories;
  if (found.length > 0 || !list) return found;
  const wording = {
    code: 'RepositoryNotAllowed',
    key: annotation.allowedRepositories,
    what: 'repository',
    shown: displayUrl(url),
  } as const;
  return judge(placeOfUrl(url), list, { ...wording, site });
};

/** The rule of `imageRepository.image`: the agent sends the credentials of a Secret to its registry. */
export const watchedImageRule: Rule<string> = (text, site) => {
  const found = imageRule(text, site);
  const list = site.context.allowed?.registries;
  const parsed = parseImage(text);
  if (found.length > 0 || !list || 'problem' in parsed) return found;
  const wording = { code: 'RegistryNotAllowed', key: annotation.allowedRegistries, what: 'image', shown: shorten(text) } as const;
  return judge(placeOfImage(parsed.image), list, { ...wording, site });
};

/**
 * The rule of properties that an override brings in: whatever it is laid over, a source among them must be allowed. (What is laid
 * over a component can come from a Policy object too, so the agent asks once more when it has read those.)
 */
export const broughtInRule: Rule<Record<string, unknown>> = (properties, site) => {
  const { allowed } = site.context;
  const images = own(properties, 'imageRepository');
  return [
    ...(allowed?.repositories ? below(properties, ['url'], { rule: repositoryRule, site }) : []),
    ...(allowed?.registries && isMap(images) ? below(images, ['imageRepository', 'image'], { rule: watchedImageRule, site }) : []),
  ];
};

function below(map: Record<string, unknown>, keys: string[], { rule, site }: { rule: Rule<string>; site: Site }): Finding[] {
  const value = own(map, keys.at(-1)!);
  if (typeof value !== 'string') return [];
  const path = [...site.path, ...keys];
  return rule(value, { path, index: site.index, parent: map, context: site.context }).map((finding) => ({ path, ...finding }));
}

interface Wording {
  code: 'RepositoryNotAllowed' | 'RegistryNotAllowed';
  key: string;
  what: string;
  shown: string;
  site: Site;
}

const MAX_SHOWN = 5;

function judge(place: AllowedPlace | undefined, list: AllowList, { code, key, what, shown, site }: Wording): Finding[] {
  const namespace = site.context.namespace === undefined ? 'the namespace' : `the namespace ${site.context.namespace}`;
  if ('problem' in list) {
    const text = `is not allowed: the list ${key} of ${namespace} cannot be read: ${list.problem}`;
    return [
      { code: 'InvalidAllowList', text, value: shown, remedy: 'ask whoever runs the cluster to correct it; until then it allows nothing' },
    ];
  }
  if (!place) {
    const text = `is not allowed in ${namespace}: with "..", "//" or an encoded "/", "." or "%" a server may read it as another ${what}, received ${quote(shown)}`;
    return [{ code, text, value: shown, remedy: 'write the path plainly' }];
  }
  if (list.patterns.some((pattern) => matches(pattern, place))) return [];
  const text = `is no ${what} that ${namespace} allows, received ${quote(shown)}; it allows ${allowedText(list.patterns)}`;
  return [
    { code, text, value: shown, remedy: `use one of these, or ask whoever runs the cluster to add yours to ${key} of the Namespace` },
  ];
}

function allowedText(patterns: readonly AllowPattern[]): string {
  const more = patterns.length - MAX_SHOWN;
  const shown = listText(patterns.slice(0, MAX_SHOWN).map(({ text }) => text));
  return more > 0 ? `${shown} and ${more} more` : shown;
}
