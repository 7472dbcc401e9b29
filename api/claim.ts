import type { Application } from './application.ts';
import { isOurStatus } from './handback.ts';
import { displayName, type ObjectReference } from './kubernetes.ts';
import { annotation, CLAIM, label, WAITING_PREFIX } from './names.ts';
import type { Reason } from './reasons.ts';
import { hasKustomize } from './review.ts';

export type ApplicationsMode = 'all' | 'gitops';

export type Claim =
  | { verdict: 'ours' }
  /** Ours from the moment that the annotation says so. */
  | { verdict: 'claim' }
  /** A person gives it back, and Lateen still holds something of it. */
  | { verdict: 'hand-back'; why: string }
  /** `told`: what its owner should hear about it. */
  | { verdict: 'hands-off'; why: string; told?: { reason: Reason; message: string } };

export interface Judge {
  mode: ApplicationsMode;
  /** Whether an inventory of ours says what it has applied. */
  holds: boolean;
}

/** Whose Application is it (design §2)? */
export function claimOf(application: Application, { mode, holds }: Judge): Claim {
  const { annotations = {}, labels = {} } = application.metadata;
  if (labels[label.pause] === 'true') return { verdict: 'hands-off', why: `the label ${label.pause} is "true"` };
  const holder = annotations[annotation.controllerVersionRequire];
  if (holder !== undefined && holder !== CLAIM) {
    return { verdict: 'hands-off', why: `${annotation.controllerVersionRequire} is ${JSON.stringify(holder)}` };
  }
  if (isHandedBack(annotations)) {
    const why = `it was handed back: it has the annotation ${annotation.handedBack}`;
    return { verdict: holder === CLAIM || holds || isOurStatus(application) ? 'hand-back' : 'hands-off', why };
  }
  if (holder === CLAIM) return { verdict: 'ours' };
  // A claim that got lost, such as by kubectl replace: what it has applied is ours all the same.
  return mode === 'all' || holds ? { verdict: 'claim' } : besideVelaCore(application);
}

/** One that nobody has claimed, where vela-core runs what is not ours. */
function besideVelaCore(application: Application): Claim {
  if (!hasKustomize(application)) return { verdict: 'hands-off', why: 'it has no kustomize component and vela-core runs it' };
  const applied = appliedByVelaCore(application);
  return applied === undefined ? { verdict: 'claim' } : ofVelaCore(application, applied);
}

/** Any value but `false`: a person wants it out of Lateen's hands. */
export function isHandedBack(annotations: Readonly<Record<string, unknown>>): boolean {
  const mark = annotations[annotation.handedBack] ?? undefined;
  return mark !== undefined && mark !== 'false';
}

/**
 * What vela-core has applied for an unclaimed Application, in words; undefined where it has applied nothing. It marks every
 * unclaimed Application within a quarter of a second, so neither its finalizer nor a status nor a failed parse is a sign.
 */
function appliedByVelaCore({ status }: Application): string | undefined {
  const applied = (status?.appliedResources ?? []).filter((resource) => !isPlaceholder(resource));
  const [first] = applied;
  if (first) return applied.length === 1 ? displayName(first) : `${displayName(first)} and ${applied.length - 1} more`;
  return status?.workflow?.status === 'succeeded' ? 'all that it describes' : undefined;
}

/** The ConfigMap that our ComponentDefinition `kustomize` renders for an Application that waits to be claimed. */
export function isPlaceholder({ apiVersion, kind, name }: ObjectReference): boolean {
  return apiVersion === 'v1' && kind === 'ConfigMap' && name.startsWith(WAITING_PREFIX);
}

function ofVelaCore({ metadata: { name, namespace } }: Application, applied: string): Claim {
  const why = `vela-core runs it: it has applied ${applied}`;
  const how = `kubectl annotate application ${name} -n ${namespace} ${annotation.controllerVersionRequire}=${CLAIM}`;
  const message = `${why}; Lateen leaves it alone. To hand it over: ${how} (read docs/beside-vela-core.md first)`;
  return { verdict: 'hands-off', why, told: { reason: 'RunByVelaCore', message } };
}
