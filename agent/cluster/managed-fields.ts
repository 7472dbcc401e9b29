import { createHash } from 'node:crypto';
import { sameJson } from '#api/json.ts';
import type { KubeObject, ManagedFieldsEntry } from '#api/kubernetes.ts';
import { annotation, FIELD_MANAGER } from '#api/names.ts';
import { BEFORE_FIRST_APPLY, isByPeople } from './before-first-apply.ts';
import { type FieldTree, hasPath, hasPathWithin, pathsOf, treeFrom } from './field-tree.ts';

/**
 * Who set which field, as the API server keeps it (`metadata.managedFields`, fieldsV1 of structured-merge-diff). A field
 * leaves our entry when anybody else changes its value, so the set alone tells whether something that Git sets was
 * changed; values need not be compared, and metadata-only watches are enough.
 */

/** Managers behind which a person stands: what they add to an object of Git is taken back (spec/sync.md §3.6). */
const PERSON = /^(kubectl(?!-vela$)|before-first-apply$)/;

/** The `vela` command: what it changes of an Application is a decision, and never put back by itself. */
const VELA = /^(kubectl-)?vela$/;

const MAX_SHOWN = 5;

/** `spec.replicas`: not drift while an autoscaler works on the object. */
const REPLICAS = ['f:spec', 'f:replicas'];

/** What `kubectl rollout restart` writes: never drift, not even where Git has it too, as manifests that were exported do. */
function isRestart(path: readonly string[]): boolean {
  return path.at(-1) === 'f:kubectl.kubernetes.io/restartedAt' && path.at(-2) === 'f:annotations';
}

/** A restart, and our own annotations, which ask the agent for something: no additions. */
function isExempt(path: readonly string[]): boolean {
  return isRestart(path) || (path[1] === 'f:annotations' && (path.at(-1) ?? '').startsWith('f:lateen.dev/'));
}

/** What of an object's managedFields the agent needs to know at every event. */
export interface Ownership {
  /** Digest of the fields that Lateen applied, 16 hex digits, without that of a restart; empty where it applied none. */
  fields: string;
  /** The same with `spec.replicas` added, where that is not ours (any more). */
  withReplicas?: string;
  /** Set where a person's tool added fields that Git does not have. */
  additions?: Addition;
  /** The `vela` command has set the spec or the publishVersion, and nobody has since. */
  vela?: true;
}

export interface Addition {
  manager: string;
  /** As people write paths, at most five. */
  fields: string[];
  /** Nothing but `spec.replicas`, by whomever: where an autoscaler works on the object, that is no drift. */
  replicas?: true;
  /** The apiVersion that they were written in, where that is not ours. */
  apiVersion?: string;
}

/** A field whose value somebody else has changed. */
export interface ChangedField {
  path: string;
  /** Undefined where no manager holds it: it was removed, or is what no manager counts as set (`kubectl scale --replicas=0`). */
  manager: string | undefined;
  /** There was a value. */
  stood?: true;
}

export function ownershipOf(object: KubeObject): Ownership {
  const entries = object.metadata.managedFields ?? [];
  const ours = pathsOf(treeOf(ownEntry(entries)));
  const all = new Set(ours.map(joined));
  const additions = additionOf(entries, all);
  const keys = ours.filter((path) => !isRestart(path)).map(joined);
  const replicas = joined(REPLICAS);
  return {
    fields: digestOf(keys),
    ...(keys.length > 0 && !keys.includes(replicas) ? { withReplicas: digestOf([...keys, replicas]) } : {}),
    ...(additions ? { additions } : {}),
    ...(entries.some((entry) => isByVela(entry, all)) ? { vela: true as const } : {}),
  };
}

/** What both have set to the same is no change. */
function isByVela(entry: ManagedFieldsEntry, ours: ReadonlySet<string>): boolean {
  if (!VELA.test(entry.manager ?? '') || entry.subresource) return false;
  const decisive = (path: readonly string[]): boolean => path[0] === 'f:spec' || path.at(-1) === `f:${annotation.publishVersion}`;
  return pathsOf(treeOf(entry)).some((path) => decisive(path) && !ours.has(joined(path)));
}

/** The fields of Git that stood otherwise in `before` than our apply has made them in `after`, and who had changed each. */
export function changedFields(before: KubeObject, after: KubeObject): ChangedField[] {
  const entries = before.metadata.managedFields ?? [];
  const held = new Set(pathsOf(treeOf(ownEntry(entries))).map(joined));
  const others = entries.filter((entry) => !isOwn(entry)).map((entry) => ({ entry, keys: new Set(pathsOf(treeOf(entry)).map(joined)) }));
  const lost = pathsOf(treeOf(ownEntry(after.metadata.managedFields ?? []))).filter((path) => !held.has(joined(path)));
  // What has the same value was not changed by our apply, whoever else holds it.
  const altered = leavesOf(lost).filter((path) => {
    const value = valueAt(before, path);
    return value === undefined || !sameJson(value, valueAt(after, path));
  });
  return altered.map((path) => {
    const holder = others.find(({ keys }) => keys.has(joined(path)));
    const stood = valueAt(before, path) !== undefined;
    return { path: pathText(path), manager: holder?.entry.manager, ...(stood ? { stood } : {}) };
  });
}

/** What is taken over, and what stays with whoever has it. */
interface Taking {
  isTheirs?: (entry: ManagedFieldsEntry) => boolean;
  /** `spec.replicas` stays theirs: an autoscaler works on it. */
  leavesReplicas?: boolean;
}

/**
 * managedFields with `before-first-apply` only for what people have added: all else that it holds is nobody's, or ours alone, so
 * that it can leave the object with Git. The same array where there is nothing to change.
 */
export function settled(entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
  if (!entries.some(({ manager }) => manager === BEFORE_FIRST_APPLY)) return entries;
  const own = treeOf(ownEntry(entries));
  const isOurs = (prefix: readonly string[]): boolean => hasPath(own, prefix);
  const kept = entries.map((entry) => {
    if (entry.manager !== BEFORE_FIRST_APPLY) return entry;
    const paths = pathsOf(treeOf(entry));
    const left = paths.filter((path) => !isExempt(path) && isByPeople(path, entry, isOurs));
    if (left.length === paths.length) return entry;
    return left.length > 0 ? { ...entry, fieldsV1: treeFrom(left) } : undefined;
  });
  return kept.every((entry, index) => entry === entries[index]) ? entries : kept.filter((entry) => entry !== undefined);
}

/**
 * managedFields with what people's tools own handed to us, so that the next apply removes what Git does not have; undefined
 * where there is nothing to take. Status and other subresources stay with whoever wrote them. Fields belong to the apiVersion
 * that they were written in, and an entry of ours has one: what was written in another becomes our entry in its stead (the
 * API server converts between them when we apply), once there is nothing left to take in our own.
 */
export function takenOver(all: readonly ManagedFieldsEntry[], taking: Taking = {}): ManagedFieldsEntry[] | undefined {
  const { isTheirs = isPersons, leavesReplicas = false } = taking;
  const entries = settled(all);
  const stays = (path: readonly string[]): boolean => isExempt(path) || (leavesReplicas && joined(path) === joined(REPLICAS));
  const own = ownEntry(entries);
  if (!own) return undefined;
  const takeable = entries.filter((entry) => isTheirs(entry) && pathsOf(treeOf(entry)).some((path) => !stays(path)));
  const [first] = takeable.toSorted((a, b) => Number(isOtherVersion(a, own)) - Number(isOtherVersion(b, own)));
  if (!first) return undefined;
  const { apiVersion = own.apiVersion } = first;
  const fields = isOtherVersion(first, own) ? [] : [pathsOf(treeOf(own))];
  const rest = entries.flatMap((entry) => {
    if (entry === own) return [];
    if (!takeable.includes(entry) || (entry.apiVersion ?? own.apiVersion) !== apiVersion) return [entry];
    const paths = pathsOf(treeOf(entry));
    fields.push(paths.filter((path) => !stays(path)));
    const left = paths.filter(stays);
    return left.length > 0 ? [{ ...entry, fieldsV1: treeFrom(left) }] : [];
  });
  return [{ ...own, ...(apiVersion ? { apiVersion } : {}), fieldsV1: treeFrom(fields.flat()) }, ...rest];
}

/** managedFields in which what stands at a path is ours and nobody else's; `apiVersion`: of our entry where there is none yet. */
export function ownedByUs(entries: readonly ManagedFieldsEntry[], path: readonly string[], apiVersion: string): ManagedFieldsEntry[] {
  const elsewhere = (entry: ManagedFieldsEntry | undefined): string[][] => pathsOf(treeOf(entry)).filter((one) => !isPrefix(path, one));
  const own = ownEntry(entries);
  const others = entries.flatMap((entry) => {
    const left = elsewhere(entry);
    return entry === own || left.length === 0 ? [] : [{ ...entry, fieldsV1: treeFrom(left) }];
  });
  const fieldsV1 = treeFrom([...elsewhere(own), path]);
  return [{ manager: FIELD_MANAGER, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', ...own, fieldsV1 }, ...others];
}

/** What `takenOver` does, with what the `vela` command owns, once a person has said that it shall give way to Git. */
export function takenFromVela(entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry[] | undefined {
  return takenOver(entries, { isTheirs: ({ manager = '', subresource }) => VELA.test(manager) && !subresource });
}

function isOwn({ manager, operation, subresource }: ManagedFieldsEntry): boolean {
  return manager === FIELD_MANAGER && operation === 'Apply' && !subresource;
}

function isPersons({ manager = '', subresource }: ManagedFieldsEntry): boolean {
  return PERSON.test(manager) && !subresource;
}

function ownEntry(entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry | undefined {
  return entries.find(isOwn);
}

/** Entries without an apiVersion are of tests and of no API server. */
function isOtherVersion({ apiVersion }: ManagedFieldsEntry, own: ManagedFieldsEntry | undefined): boolean {
  return apiVersion !== undefined && own?.apiVersion !== undefined && apiVersion !== own.apiVersion;
}

function treeOf(entry: ManagedFieldsEntry | undefined): FieldTree {
  return (entry?.fieldsV1 ?? {}) as FieldTree;
}

/** What stands at a path; undefined where nothing does. */
function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => {
    if (at === null || typeof at !== 'object') return undefined;
    const name = key.slice(2);
    if (key.startsWith('f:')) return (at as Record<string, unknown>)[name];
    if (!Array.isArray(at)) return undefined;
    if (key.startsWith('i:')) return at[Number(name)];
    if (key.startsWith('v:')) return at.find((item) => JSON.stringify(item) === name);
    const keys = Object.entries(JSON.parse(name) as Record<string, unknown>);
    return at.find((item) => hasKeys(item, keys));
  }, value);
}

function hasKeys(item: unknown, keys: readonly [string, unknown][]): boolean {
  return keys.every(([key, value]) => (item as Record<string, unknown> | null)?.[key] === value);
}

/** Paths without those that only say that the thing around another lost path is there. */
function leavesOf(paths: string[][]): string[][] {
  const named = paths.map((path) => (path.at(-1) === '.' ? path.slice(0, -1) : path));
  const tree = treeFrom(named);
  return named.filter((path) => !hasPathWithin(tree, path));
}

function isPrefix(path: readonly string[], other: readonly string[]): boolean {
  return path.every((key, index) => other[index] === key);
}

function additionOf(entries: readonly ManagedFieldsEntry[], ours: ReadonlySet<string>): Addition | undefined {
  const own = ownEntry(entries);
  const tree = treeOf(own);
  const all = settled(entries)
    .filter(isPersons)
    .flatMap((entry) => {
      const paths = pathsOf(treeOf(entry)).filter((path) => path.at(-1) !== '.' && !isExempt(path) && !ours.has(joined(path)));
      // A map or list of which we own items is no addition by itself: only its own new items are.
      const added = paths.filter((path) => !hasPathWithin(tree, path));
      if (added.length === 0) return [];
      const isReplicas = added.every((path) => joined(path) === joined(REPLICAS));
      const addition: Addition = {
        manager: entry.manager ?? '',
        fields: added.slice(0, MAX_SHOWN).map(pathText),
        ...(isReplicas ? { replicas: true } : {}),
        ...(isOtherVersion(entry, own) ? { apiVersion: entry.apiVersion ?? '' } : {}),
      };
      return [addition];
    });
  return all.find(({ replicas }) => !replicas) ?? all[0];
}

/** No key of a fieldsV1 holds a line break: JSON escapes it. */
function joined(path: readonly string[]): string {
  return path.join('\n');
}

function digestOf(keys: readonly string[]): string {
  if (keys.length === 0) return '';
  return createHash('sha256').update(keys.toSorted().join('\n\n')).digest('hex').slice(0, 16);
}

/** `f:spec`, `f:containers`, `k:{"name":"web"}`, `f:image` -> `spec.containers[name=web].image`. */
function pathText(path: readonly string[]): string {
  return path.reduce((text, key) => {
    const value = key.slice(2);
    if (key.startsWith('k:')) return `${text}[${keysText(value)}]`;
    if (key.startsWith('v:') || key.startsWith('i:')) return `${text}[${value}]`;
    if (key === '.') return text;
    if (/[./]/.test(value)) return `${text}[${value}]`;
    return text === '' ? value : `${text}.${value}`;
  }, '');
}

function keysText(json: string): string {
  try {
    return Object.entries(JSON.parse(json) as Record<string, unknown>)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(',');
  } catch {
    return json;
  }
}
