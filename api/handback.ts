import type { Application } from './application.ts';
import { filterKeys } from './filter-keys.ts';
import type { KubeObject, ManagedFieldsEntry } from './kubernetes.ts';
import { annotation, CLAIM, FIELD_MANAGER, label } from './names.ts';

/**
 * How an Application is given back: the mark, then what Lateen holds of its objects and writes in its status, the claim
 * last. Each step is safe to repeat, and after each one the objects run on (docs/beside-vela-core.md).
 */

/** Of ours on an Application, what stays: the mark, and what the webhook reads or writes whoever runs it. */
const STAYING: ReadonlySet<string> = new Set([annotation.handedBack, annotation.publishVersionMode, annotation.requestedBy]);

/** From here on the agent leaves it alone, and vela-core does so still. */
export function marked(now: string): unknown {
  return { metadata: { annotations: { [annotation.handedBack]: now } } };
}

/** Without the claim, and without requests to the agent. What stays of ours is not for the objects of vela-core. */
export function withoutClaim({ metadata: { annotations = {}, resourceVersion } }: Pick<Application, 'metadata'>): unknown {
  const requests = Object.keys(annotations).filter((key) => key.startsWith('lateen.dev/') && !STAYING.has(key));
  const nulls = [annotation.controllerVersionRequire, ...requests].map((key) => [key, null] as const);
  return { metadata: { resourceVersion, annotations: { ...filterKeys(annotations), ...Object.fromEntries(nulls) } } };
}

/** Whether a nested Application has an annotation from its parent, which puts it back when it is taken away. */
export function isFromParent({ metadata: { managedFields = [] } }: Pick<Application, 'metadata'>, key: string): boolean {
  return managedFields.filter(isOwn).some(({ fieldsV1 = {} }) => {
    const { 'f:metadata': metadata } = fieldsV1 as { 'f:metadata'?: { 'f:annotations'?: Record<string, unknown> } };
    return metadata?.['f:annotations']?.[`f:${key}`] !== undefined;
  });
}

/**
 * The status with nothing in it but its last revision, so that vela-core runs the workflow once, finds every object as it
 * should be, and keeps account of it; undefined where it is so already. `now`: RFC 3339, to the second.
 */
export function handedBackStatus(application: Application, now: string): { status: Record<string, unknown> } | undefined {
  if (isReleased(application)) return undefined;
  const written = Object.keys(application.status ?? {}).filter((key) => key !== 'latestRevision' && key !== 'conditions');
  const message = 'Lateen has let go of it; what it had applied stays as it is';
  const ready = { type: 'Ready', status: 'False', reason: 'HandedBack', message, lastTransitionTime: now };
  return { status: { ...Object.fromEntries(written.map((key) => [key, null])), conditions: [ready] } };
}

/** Whether it is what an agent of ours has written, at least in part: no other controller knows this condition. */
export function isOurStatus({ status }: Pick<Application, 'status'>): boolean {
  return status?.conditions?.some(({ type }) => type === 'Admitted') === true;
}

/** Whether the status says that everything is done but the claim. */
export function isReleased({ status }: Pick<Application, 'status'>): boolean {
  return status?.conditions?.length === 1 && status.conditions[0]?.reason === 'HandedBack';
}

/**
 * What takes the hold of Lateen off an object; undefined where there is none. Its fields are nobody's then: as long as they
 * were ours too, nobody else could remove one.
 */
export function released(object: KubeObject, owner: { application: string; component: string }): unknown {
  const { labels = {}, managedFields = [], resourceVersion } = object.metadata;
  const ours = { [label.application]: owner.application, [label.component]: owner.component };
  const labelled = Object.entries(ours).filter(([key, value]) => labels[key] === value);
  const left = managedFields.filter((entry) => !isOwn(entry));
  if (labelled.length === 0 && left.length === managedFields.length) return undefined;
  const fields = left.length === managedFields.length ? {} : { managedFields: left.length > 0 ? left : NOBODY };
  return { metadata: { resourceVersion, labels: Object.fromEntries(labelled.map(([key]) => [key, null])), ...fields } };
}

/** Whether an object is the one that an inventory lists: by its labels, or by its UID where it has none of ours. */
export function isHeld({ metadata }: KubeObject, by: { application: string; component: string; uid: string | undefined }): boolean {
  const { [label.application]: application, [label.component]: component } = metadata.labels ?? {};
  if (by.uid !== undefined && by.uid !== metadata.uid) return false;
  if (application === undefined && component === undefined) return by.uid !== undefined;
  return application === by.application && component === by.component;
}

/** An empty list would change nothing. */
const NOBODY: ManagedFieldsEntry[] = [{}];

function isOwn({ manager, operation, subresource }: ManagedFieldsEntry): boolean {
  return manager === FIELD_MANAGER && operation === 'Apply' && !subresource;
}

/** Whether Lateen holds the claim of it. */
export function isClaimed({ metadata: { annotations = {} } }: Pick<Application, 'metadata'>): boolean {
  return annotations[annotation.controllerVersionRequire] === CLAIM;
}
