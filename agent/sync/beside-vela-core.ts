import { isHandedBack } from '#api/claim.ts';
import type { Cause } from '#api/failure.ts';
import { filterKeys } from '#api/filter-keys.ts';
import { displayName, groupOf, type KubeObject } from '#api/kubernetes.ts';
import { AGENT_NAME, annotation, CLAIM, GROUP } from '#api/names.ts';
import { annotationsOf } from '#api/publish-version.ts';
import { hasKustomize } from '#api/review.ts';
import type { Client } from '../cluster/client.ts';
import type { BuiltObject } from '../manifest/types.ts';

/** As whom vela-core applies what an Application makes: the one that the Application names, or with all its own rights. */
export type VelaCoreIdentity = 'impersonated' | 'trusted';

/** The vela-core that works beside the agent. */
export interface VelaCore {
  /** Undefined: nobody has said. */
  identity: VelaCoreIdentity | undefined;
}

/**
 * The objects of a build as they are applied where vela-core works beside the agent. A nested Application that the agent
 * reconciles is claimed from the start, so that vela-core never begins it. One that vela-core runs hides our names from what
 * it makes, and is refused where it might get more rights than the agent has.
 */
export function besideVelaCore(
  built: readonly BuiltObject[],
  velaCore: VelaCore | undefined,
): { objects: readonly BuiltObject[]; causes: Cause[] } {
  if (!velaCore) return { objects: built, causes: [] };
  const causes = built.flatMap((one) => (isForVelaCore(one.object) ? refusals(one, velaCore) : []));
  const refused = new Set(causes.map(({ object }) => object));
  const objects = built
    .filter((one) => !refused.has(one))
    .map((one) => (isApplication(one.object) ? { ...one, object: addressed(one.object, velaCore) } : one));
  return { objects, causes: causes.map(({ cause }) => cause) };
}

/**
 * What is sent of a nested Application that vela-core runs impersonated: the agent's own ServiceAccount as its identity,
 * unless vela-core's webhook stamps one, which refuses an Application that names one itself. A dry run tells.
 */
export async function identified(
  object: KubeObject,
  velaCore: VelaCore | undefined,
  around: { client: Client; signal: AbortSignal },
): Promise<KubeObject> {
  if (velaCore?.identity !== 'impersonated' || !isForVelaCore(object)) return object;
  const { metadata } = await around.client.apply(object, { dryRun: true, signal: around.signal });
  const stamped = [annotation.username, annotation.group].some((key) => metadata.annotations?.[key]);
  return stamped ? object : withAnnotations(object, { [annotation.serviceAccountName]: AGENT_NAME });
}

/** Whether an object that Git has is an Application that vela-core is going to run. */
function isForVelaCore(object: KubeObject): boolean {
  if (!isApplication(object)) return false;
  const annotations = annotationsOf(object);
  const holder = annotations[annotation.controllerVersionRequire] ?? undefined;
  return isHandedBack(annotations) || (holder !== CLAIM && (holder !== undefined || !hasKustomize(object)));
}

/** Whether an object is one of KubeVela's Applications. */
export function isApplication({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'Application' && groupOf(apiVersion) === GROUP;
}

function addressed(object: KubeObject, { identity }: VelaCore): KubeObject {
  if (!isForVelaCore(object)) return withAnnotations(object, { [annotation.controllerVersionRequire]: CLAIM });
  const named = Object.entries(object.metadata.annotations ?? {}).filter(([key, value]) => {
    if (key === annotation.controllerVersionRequire) return value !== CLAIM;
    // What `identified` says, it says for itself.
    return key !== annotation.serviceAccountName || identity !== 'impersonated';
  });
  const annotations = Object.fromEntries(named);
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, ...filterKeys(annotations) } } };
}

function withAnnotations(object: KubeObject, more: Record<string, string>): KubeObject {
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...more } } };
}

interface Refusal {
  object: BuiltObject;
  cause: Cause;
}

function refusals(object: BuiltObject, { identity }: VelaCore): Refusal[] {
  const name = displayName({ kind: 'Application', name: object.object.metadata.name ?? '' });
  if (identity === undefined) {
    const message = `${name} would be run by vela-core, with its own rights and not with those of this agent, and nobody has vouched for them`;
    const remedy =
      'whoever runs the cluster sets velaCore.identity of the agent (docs/beside-vela-core.md); ' +
      `or give the Application to Lateen with the annotation ${annotation.controllerVersionRequire}: ${CLAIM}`;
    return [refusal(object, '', message, remedy)];
  }
  if (identity === 'trusted') return [];
  return namedIdentities(object.object).map((key) => {
    const message = `${name} says in ${key} as whom vela-core applies it, which may do more than this agent`;
    return refusal(object, `metadata.annotations[${key}]`, message, 'take it out: the agent names its own ServiceAccount');
  });
}

/** The annotations by which an Application chooses its identity. */
function namedIdentities(object: KubeObject): string[] {
  const annotations = annotationsOf(object);
  const named = [annotation.username, annotation.group, annotation.serviceAccountName].filter((key) => (annotations[key] ?? '') !== '');
  return named.filter((key) => key !== annotation.serviceAccountName || annotations[key] !== AGENT_NAME);
}

function refusal(object: BuiltObject, path: string, message: string, remedy: string): Refusal {
  const { file, line } = object.origin;
  const cause: Cause = { path, code: 'VelaCoreIdentity', message, remedy, file, ...(line === undefined ? {} : { line }) };
  return { object, cause };
}
