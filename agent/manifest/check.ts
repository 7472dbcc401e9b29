import { type Cause, Failure } from '#api/failure.ts';
import { displayName, groupOf, type KubeObject, objectId, referenceOf } from '#api/kubernetes.ts';
import { oneLine } from '#core/errors.ts';
import { cleaned } from './cleaned.ts';
import { dataFindings, kindName } from './data-check.ts';
import { guard } from './guard.ts';
import { limits } from './limits.ts';
import { quantityFindings } from './quantity-check.ts';
import { unknownKindRemedy } from './kind-hints.ts';
import type { BuiltObject, Origin } from './types.ts';

export type { BuiltObject } from './types.ts';

/** Whether a kind belongs to a namespace; undefined where the API server does not know it, a Failure where it cannot say of this one. */
export type Scope = { namespaced: boolean } | Failure | undefined;
/** Rejects where nothing can be said of any kind. */
export type KindScope = (apiVersion: string, kind: string) => Promise<Scope>;

export interface CheckOptions {
  /** The only namespace that objects may be in. */
  namespace: string;
  scope: KindScope;
}

/** Requests rather than objects: nothing that could be kept in sync (spec/sync.md A17). */
const REQUESTS = new Set([
  '/Binding',
  '/Event',
  'events.k8s.io/Event',
  'policy/Eviction',
  'authentication.k8s.io/TokenRequest',
  'autoscaling/Scale',
  'authorization.k8s.io/LocalSubjectAccessReview',
]);

/**
 * Checks the final objects of a build before the first write, and says all mistakes together. What passes is in the
 * namespace, without `status` and without the metadata that only the API server writes.
 */
export async function checkObjects(
  objects: readonly BuiltObject[],
  options: CheckOptions,
): Promise<{ objects: BuiltObject[]; causes: Cause[] }> {
  const scopes = await scopesOf(objects, options.scope);
  const twice = duplicates(objects, options.namespace);
  const causes: Cause[] = [];
  const checked: BuiltObject[] = [];
  for (const built of objects) {
    const scope = scopes.get(kindOf(built.object));
    const found = causesOfOne(built, scope, options.namespace);
    causes.push(...found);
    if (found.length > 0 || twice.ids.has(idIn(built.object, options.namespace))) continue;
    checked.push({ ...built, object: cleaned(built.object, options.namespace) });
  }
  return { objects: checked, causes: [...causes, ...twice.causes] };
}

async function scopesOf(objects: readonly BuiltObject[], scope: KindScope): Promise<Map<string, Scope>> {
  const kinds = new Map(objects.map(({ object }) => [kindOf(object), object]));
  const found = [...kinds].map(async ([key, { apiVersion, kind }]) => [key, await scope(apiVersion, kind)] as const);
  return new Map(await Promise.all(found));
}

function kindOf({ apiVersion, kind }: KubeObject): string {
  return `${apiVersion} ${kind}`;
}

function causesOfOne(built: BuiltObject, scope: Scope, namespace: string): Cause[] {
  const { object } = built;
  const { apiVersion, kind } = object;
  if (REQUESTS.has(`${groupOf(apiVersion)}/${kind}`)) {
    return [
      mistake(built, {
        code: 'InvalidObject',
        path: 'kind',
        message: `${shown(object)} is a request and no object that can be kept in sync`,
        remedy: 'remove it',
      }),
    ];
  }
  const guarded = guard(object, namespace, shown(object));
  if (guarded) return [mistake(built, guarded)];
  if (scope instanceof Failure) return [unanswered(built, scope)];
  if (!scope) {
    const remedy = unknownKindRemedy(apiVersion, kind);
    return [
      mistake(built, {
        code: 'UnknownKind',
        path: 'kind',
        message: `the API server does not know ${oneLine(kind, 100)} in ${oneLine(apiVersion, 100)}`,
        remedy,
      }),
    ];
  }
  if (!scope.namespaced) {
    const remedy = 'remove it: the agent works in one namespace, and an administrator applies cluster-wide objects';
    return [mistake(built, { code: 'ClusterScoped', path: 'kind', message: `${shown(object)} is cluster-scoped`, remedy })];
  }
  const values = [...dataFindings(object, shown(object)), ...quantityFindings(object, shown(object))];
  return [
    ...nameCauses(built),
    ...namespaceCauses(built, namespace),
    ...metadataCauses(built),
    ...values.map((finding) => mistake(built, finding)),
    ...sizeCauses(built),
  ];
}

function unanswered(built: BuiltObject, { reason, message, remedy }: Failure): Cause {
  return mistake(built, { code: reason, path: 'kind', message: `${shown(built.object)}: ${message}`, ...(remedy ? { remedy } : {}) });
}

function nameCauses(built: BuiltObject): Cause[] {
  const { name, generateName } = built.object.metadata;
  if (typeof name === 'string' && name !== '') return nameIsPath(name) ? [pathName(built)] : [];
  const kind = oneLine(built.object.kind, 100);
  const problem =
    generateName === undefined ? 'has no metadata.name' : 'has generateName and no name, so that each pull would make another one';
  return [
    mistake(built, {
      code: 'NameRequired',
      path: 'metadata.name',
      message: `${kind} ${problem}`,
      remedy: name === undefined ? 'set metadata.name' : 'write the name as a text, in quotes',
    }),
  ];
}

/** The API server takes no such name, and in an address it would name something else. */
function nameIsPath(name: string): boolean {
  return /[/%]/.test(name) || name === '.' || name === '..';
}

function pathName(built: BuiltObject): Cause {
  const message = `${shown(built.object)} has a name that no object can have`;
  return mistake(built, { code: 'InvalidObject', path: 'metadata.name', message, remedy: 'use lower case letters, digits, - and .' });
}

function namespaceCauses(built: BuiltObject, namespace: string): Cause[] {
  const given: unknown = built.object.metadata.namespace;
  if (given === undefined || given === null || given === '' || given === namespace) return [];
  const message = `${shown(built.object)} is for the namespace ${oneLine(JSON.stringify(given), 100)}, the Application is in ${namespace}`;
  return [
    mistake(built, {
      code: 'NamespaceForbidden',
      path: 'metadata.namespace',
      message,
      remedy: 'remove metadata.namespace, or put an Application into that namespace',
    }),
  ];
}

function metadataCauses(built: BuiltObject): Cause[] {
  return (['labels', 'annotations'] as const).flatMap((field) => {
    const map: unknown = built.object.metadata[field];
    if (map === undefined || map === null) return [];
    if (typeof map !== 'object' || Array.isArray(map)) {
      return [
        mistake(built, {
          code: 'InvalidObject',
          path: `metadata.${field}`,
          message: `metadata.${field} of ${shown(built.object)} is no map`,
          remedy: 'write key: "value" lines',
        }),
      ];
    }
    const wrong = Object.entries(map).filter(([, value]) => typeof value !== 'string' && value !== null);
    return wrong.map(([key, value]) => {
      const path = `metadata.${field}[${oneLine(key, 100)}]`;
      return mistake(built, {
        code: 'InvalidObject',
        path,
        message: `${path} of ${shown(built.object)} is ${kindName(value)} and must be a text`,
        remedy: 'quote it',
      });
    });
  });
}

function sizeCauses(built: BuiltObject): Cause[] {
  const bytes = Buffer.byteLength(JSON.stringify(built.object));
  if (bytes <= limits.objectBytes) return [];
  const message = `${shown(built.object)} has ${bytes} bytes, the limit is ${limits.objectBytes}`;
  return [mistake(built, { code: 'TooLarge', path: '', message, remedy: 'split it' })];
}

/**
 * Each second and further object of one identity, wherever the first one stands. None of them passes, not even where they
 * are alike today: nobody knows which one is meant.
 */
function duplicates(objects: readonly BuiltObject[], namespace: string): { ids: ReadonlySet<string>; causes: Cause[] } {
  const first = new Map<string, BuiltObject>();
  const ids = new Set<string>();
  const causes: Cause[] = [];
  for (const built of objects) {
    if (!built.object.metadata.name) continue;
    const id = idIn(built.object, namespace);
    const before = first.get(id);
    if (!before) {
      first.set(id, built);
      continue;
    }
    ids.add(id);
    const message = `${shown(built.object)} is there twice: first in ${place(before.origin)}`;
    causes.push(mistake(built, { code: 'DuplicateObject', path: '', message, remedy: 'remove one of the two' }));
  }
  return { ids, causes };
}

/** Versions of one kind are one object. */
function idIn(object: KubeObject, namespace: string): string {
  return objectId({ ...referenceOf(object), namespace: object.metadata.namespace || namespace });
}

function mistake({ origin }: BuiltObject, cause: Pick<Cause, 'code' | 'path' | 'message' | 'remedy'>): Cause {
  return { ...cause, file: origin.file, ...(origin.line === undefined ? {} : { line: origin.line }) };
}

function shown(object: KubeObject): string {
  return oneLine(displayName({ kind: object.kind, name: String(object.metadata.name ?? '') }), 200);
}

function place({ file, line }: Origin): string {
  return line === undefined ? file : `${file}:${line}`;
}
