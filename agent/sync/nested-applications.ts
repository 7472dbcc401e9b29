import type { Cause } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { annotation, CLAIM } from '#api/names.ts';
import { annotationsOf, asksForAuto, autoVersion } from '#api/publish-version.ts';
import { withDefaults } from '#api/spec-defaults.ts';
import type { LiveObject } from '../cluster/projection.ts';
import type { BuiltObject } from '../manifest/types.ts';
import { besideVelaCore, isApplication, type VelaCore } from './beside-vela-core.ts';
import type { OwnNamespace } from './own-namespace.ts';
import { withoutVelaCore } from './without-vela-core.ts';

type Annotations = Readonly<Record<string, string>>;

export interface NestedContext {
  namespace: string;
  ownNamespace: OwnNamespace;
  /** Undefined where the agent is alone (mode `all`). */
  velaCore: VelaCore | undefined;
}

/** The objects of a build as they are applied, and what of them is refused. */
export async function asApplied(
  built: readonly BuiltObject[],
  { namespace, ownNamespace, velaCore }: NestedContext,
): Promise<{ objects: readonly BuiltObject[]; causes: Cause[] }> {
  const whole = await completed(built, async () => (await ownNamespace.facts()).annotations);
  return velaCore ? besideVelaCore(whole, velaCore) : withoutVelaCore(whole, namespace);
}

/**
 * The objects of a build, in which Applications are as the webhook would store them: with KubeVela's defaults, and, where they
 * or their namespace ask for `lateen.dev/publish-version: auto` and the file has no publishVersion, with that of their content.
 * Were the defaults left to the webhook, `spec.components` would be its change, and no edit of it by others drift.
 * The same build gives the same objects, so nothing is written for it twice.
 */
export async function completed(built: readonly BuiltObject[], ofNamespace: () => Promise<Annotations>): Promise<readonly BuiltObject[]> {
  const applications = built.filter(({ object }) => isApplication(object));
  if (applications.length === 0) return built;
  const hangsOnNamespace = applications.some(
    ({ object }) => isOpen(object, annotation.publishVersion) && isOpen(object, annotation.publishVersionMode),
  );
  const annotations = hangsOnNamespace ? await ofNamespace() : {};
  return built.map((one) => (isApplication(one.object) ? { ...one, object: versioned(withDefaults(one.object), annotations) } : one));
}

/** An annotation that is null in the file is none for the API server. */
function isOpen(application: KubeObject, name: string): boolean {
  return (annotationsOf(application)[name] ?? undefined) === undefined;
}

function versioned(application: KubeObject, ofNamespace: Annotations): KubeObject {
  if (!isOpen(application, annotation.publishVersion) || !asksForAuto(annotationsOf(application), ofNamespace)) return application;
  const annotations = { ...application.metadata.annotations, [annotation.publishVersion]: autoVersion(application['spec']) };
  return { ...application, metadata: { ...application.metadata, annotations } };
}

/**
 * Whether an Application that Git has is in the hands of the `vela` command: it has changed the spec or the publishVersion, and
 * the agent has not made a hold of that yet; or it keeps every controller off for the moment of a change of several writes.
 */
export function isInVelasHands(live: LiveObject | undefined, git: { object: KubeObject }): boolean {
  if (!live || !isApplication(live)) return false;
  const { annotations = {} } = live.metadata;
  const holder = annotations[annotation.controllerVersionRequire];
  const isForeign =
    holder !== undefined && holder !== CLAIM && holder !== git.object.metadata.annotations?.[annotation.controllerVersionRequire];
  return isForeign || (live.ownership.vela === true && annotations[annotation.hold] === undefined);
}
