import type { KubeObject, ObjectMeta } from '#api/kubernetes.ts';
import { groupOf } from '#api/kubernetes.ts';
import { annotation, GROUP } from '#api/names.ts';
import { type Ownership, ownershipOf } from './managed-fields.ts';

/** An object as the agent keeps it in memory: what health and drift need, a tenth of what the API server sends. */
export interface LiveObject extends KubeObject {
  ownership: Ownership;
}

/** The fields of `spec` that the health rules read; the rest, pod templates above all, is dropped. */
const SPEC_FIELDS = ['replicas', 'updateStrategy', 'progressDeadlineSeconds', 'paused', 'suspend', 'type', 'clusterIP', 'scaleTargetRef'];

/** Kinds that the agent works on. */
const WHOLE: ReadonlySet<string> = new Set(['Application', 'Policy', 'Workflow']);

/** What is kept of an object. Applications are kept whole: the agent works on them. A revision would be a second copy of each. */
export function projected(object: KubeObject): LiveObject {
  const ownership = ownershipOf(object);
  const metadata = slim(object.metadata);
  const { apiVersion, kind } = object;
  if (groupOf(apiVersion) === GROUP && WHOLE.has(kind)) return { ...object, metadata, ownership };
  if (groupOf(apiVersion) === GROUP && kind === 'ApplicationRevision') {
    return { apiVersion, kind, metadata, ...revisionStatus(object['status']), ownership };
  }
  const spec = object['spec'] as Record<string, unknown> | undefined;
  const status = object['status'];
  const kept = spec && Object.fromEntries(SPEC_FIELDS.filter((name) => spec[name] !== undefined).map((name) => [name, spec[name]]));
  return { apiVersion, kind, metadata, ...(kept ? { spec: kept } : {}), ...(status === undefined ? {} : { status }), ownership };
}

/** Whether a run of it has ended, when that began, and how. */
function revisionStatus(status: unknown): Record<string, unknown> {
  const { succeeded, workflow } = (status ?? {}) as { succeeded?: boolean; workflow?: { startTime?: string } };
  if (succeeded === undefined) return {};
  return { status: { succeeded, ...(workflow ? { workflow: { startTime: workflow.startTime ?? '' } } : {}) } };
}

function slim({ managedFields: _, annotations, ...rest }: ObjectMeta): ObjectMeta {
  if (!annotations) return rest;
  const { [annotation.kubectlLastApplied]: _last, ...kept } = annotations;
  return { ...rest, annotations: kept };
}
