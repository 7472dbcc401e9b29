import type { Application, ApplicationStatus, Component, Phase, ServiceStatus, WorkflowStatus } from '#api/application.ts';
import { detail } from '#api/details.ts';
import type { Cause } from '#api/failure.ts';
import { reasonCode } from '#api/reasons.ts';
import { isMap } from '#api/schema.ts';
import { sameJson } from '#api/json.ts';
import { oneLine } from '#core/errors.ts';
import type { Inventory } from '../manifest/inventory.ts';
import type { RevisionName } from '../revision/snapshot.ts';
import { describeCauses } from '../sync/causes.ts';
import type { ComponentResult } from './component-loop.ts';
import { admittedConditions, MAX_MESSAGE } from './admitted-conditions.ts';
import { isFalse, isTrue, withTransitions } from './conditions.ts';
import { isNative } from './native-work.ts';
import type { Note } from './note.ts';

/** More objects than this are counted, not listed: a status must stay far below etcd's 1.5 MiB. */
const MAX_APPLIED_RESOURCES = 500;

export interface StatusInput {
  application: Application;
  /** All that its workflow delivers. */
  components: readonly Component[];
  revision: RevisionName;
  workflow: WorkflowStatus;
  result: (component: string) => ComponentResult | undefined;
  /** Why something else runs than the spec says. */
  note: Note | undefined;
  inventory: Pick<Inventory, 'entries' | 'held'>;
  nowMs: number;
}

/** The status of an Application that was admitted, as vela-core writes it (spec/kubevela.md §1.3 to §1.6) and truthful. */
export function admittedStatus(input: StatusInput): ApplicationStatus {
  const { application, revision, workflow, nowMs } = input;
  const services = servicesOf(input);
  const sick = services.find((service) => !service.healthy);
  const phase = phaseOf(workflow, sick !== undefined);
  const conditions = admittedConditions(input, services, phase);
  return {
    status: phase,
    observedGeneration: application.metadata.generation ?? 0,
    conditions: withTransitions(conditions, application.status?.conditions ?? [], nowMs),
    latestRevision: { name: revision.name, revision: revision.number, revisionHash: revision.hash },
    services,
    workflow,
    appliedResources: input.inventory.entries.slice(0, MAX_APPLIED_RESOURCES).map(({ apiVersion, kind, namespace, name }) => ({
      apiVersion,
      kind,
      ...(namespace ? { namespace } : {}),
      name,
      creator: 'workflow',
    })),
  };
}

/** The phase of spec/kubevela.md §1.4. */
function phaseOf({ finished, suspend, status }: WorkflowStatus, isSick: boolean): Phase {
  if (!finished) return suspend ? 'workflowSuspending' : 'runningWorkflow';
  if (status === 'failed') return 'workflowFailed';
  if (status === 'terminated') return 'workflowTerminated';
  return isSick ? 'unhealthy' : 'running';
}

/** The status of an Application that the rules refuse: every cause, and nothing runs. What runs already stays as it is. */
export function refusedStatus(application: Application, causes: readonly Cause[], nowMs: number): ApplicationStatus {
  const first = causes[0]?.code ?? 'NotAdmitted';
  const message = oneLine(describeCauses(causes), MAX_MESSAGE);
  const drafts = [
    isFalse('Admitted', first, message),
    isFalse('Parsed', 'ReconcileError', message),
    isFalse('Ready', first, message),
    isTrue('Stalled', first, message),
  ];
  return {
    ...application.status,
    status: 'rendering',
    observedGeneration: application.metadata.generation ?? 0,
    conditions: withTransitions(drafts, application.status?.conditions ?? [], nowMs),
  };
}

function servicesOf({ application, components, result }: StatusInput): ServiceStatus[] {
  const { namespace } = application.metadata;
  return components.flatMap(({ name, type }) => {
    const current = result(name);
    const before = application.status?.services?.find((service) => service.name === name);
    // Work under way does not make what runs look unknown: the last word stays until there is a new one.
    if (!current || (current.state === 'working' && before)) return before ? [before] : [];
    return [serviceOf({ name, type, namespace }, current)];
  });
}

function serviceOf(component: { name: string; type: string; namespace: string }, result: ComponentResult): ServiceStatus {
  const { healthy, failure } = result;
  const message = failure ? oneLine(failure.sentence, 1024) : result.message;
  const details = { ...result.details, ...(failure ? { [detail.reason]: reasonCode(failure.reason) } : {}) };
  return {
    name: component.name,
    namespace: component.namespace,
    healthy,
    workloadHealthy: healthy,
    ...(message ? { message } : {}),
    workloadDefinition: isNative(component.type) ? { apiVersion: 'apps/v1', kind: 'Deployment' } : { apiVersion: '', kind: '' },
    ...(Object.keys(details).length > 0 ? { details } : {}),
  };
}

/** A merge patch of what differs, or undefined where nothing does: no request that changes nothing. */
export function statusPatch(
  before: ApplicationStatus | undefined,
  after: ApplicationStatus,
): { status: Record<string, unknown> } | undefined {
  const old: Record<string, unknown> = { ...before };
  const next: Record<string, unknown> = { ...after };
  const changed: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
    if (!sameJson(old[key], next[key])) changed[key] = withNulls(old[key], next[key]);
  }
  return Object.keys(changed).length > 0 ? { status: changed } : undefined;
}

/** In a merge patch a key that goes away must be named as null; lists are replaced whole. */
function withNulls(before: unknown, after: unknown): unknown {
  if (after === undefined) return null;
  if (!isMap(before) || !isMap(after)) return after;
  const gone = Object.keys(before).filter((key) => after[key] === undefined);
  return { ...after, ...Object.fromEntries(gone.map((key) => [key, null])) };
}
