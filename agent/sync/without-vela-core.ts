import { checkApplication } from '#api/check.ts';
import type { Cause } from '#api/failure.ts';
import { displayName } from '#api/kubernetes.ts';
import { annotation } from '#api/names.ts';
import { annotationsOf } from '#api/publish-version.ts';
import type { Reason } from '#api/reasons.ts';
import type { BuiltObject } from '../manifest/types.ts';
import { isApplication } from './beside-vela-core.ts';

/** What only a vela-core could carry out: the agent renders none of it. */
const BEYOND_US: ReadonlySet<Reason> = new Set(['UnknownComponentType', 'UnknownTraitType', 'UnknownPolicyType', 'UnknownStepType']);
const IDENTITIES = [annotation.serviceAccountName, annotation.username, annotation.group];

/**
 * The objects of a build without the nested Applications that would wait for a vela-core, in a namespace that has none (mode
 * `all`): whoever installs one would let it run them, with rights that this agent does not have (measured: `k8s-objects` with a
 * cluster-wide binding). Refused with file and line instead, before they are written.
 */
export function withoutVelaCore(built: readonly BuiltObject[], namespace: string): { objects: readonly BuiltObject[]; causes: Cause[] } {
  const refused = new Map(built.flatMap((one) => (isApplication(one.object) ? [[one, refusals(one, namespace)] as const] : [])));
  return { objects: built.filter((one) => (refused.get(one) ?? []).length === 0), causes: [...refused.values()].flat() };
}

function refusals({ object, origin }: BuiltObject, namespace: string): Cause[] {
  const place = { file: origin.file, ...(origin.line === undefined ? {} : { line: origin.line }) };
  const name = displayName({ kind: 'Application', name: object.metadata.name ?? '' });
  const { causes, unsupported } = checkApplication(object, { namespace });
  const beyond = [...causes, ...unsupported].filter(({ code }) => BEYOND_US.has(code));
  const annotations = annotationsOf(object);
  const chosen = IDENTITIES.filter((key) => (annotations[key] ?? undefined) !== undefined);
  return [
    ...beyond.map((cause): Cause => ({ ...cause, ...place, message: `${name}: ${cause.message}` })),
    ...chosen.map((key): Cause => {
      const message = `${name} says in ${key} as whom a vela-core would apply it, which may do more than this agent`;
      return { path: `metadata.annotations[${key}]`, code: 'IdentityForbidden', message, remedy: 'take it out', ...place };
    }),
  ];
}
