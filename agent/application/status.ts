import type { Application, ApplicationStatus, Component, Phase, ServiceStatus, WorkflowStatus } from '#api/application.ts';
import { detail } from '#api/details.ts';
import type { Cause } from '#api/failure.ts';
import { type Reason, reasonCode } from '#api/reasons.ts';
import { isMap } from '#api/schema.ts';
import { sameJson } from '#api/json.ts';
import { oneLine, sentences } from '#core/errors.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import type { RevisionName } from '../revision/snapshot.ts';
import { describeCauses } from '../sync/causes.ts';
import type { ComponentResult } from './component-loop.ts';
import { type ConditionDraft, isFalse, isTrue, withTransitions } from './conditions.ts';
import { isNative } from './native-work.ts';
import type { Note } from './note.ts';

/** Longest message of a condition (spec/sync.md A32). */
const MAX_MESSAGE = 32 * 1024;
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
  entries: readonly InventoryEntry[];
  nowMs: number;
}

/** The status of an Application that was admitted, as vela-core writes it (spec/kubevela.md §1.3 to §1.6) and truthful. */
export function admittedStatus(input: StatusInput): ApplicationStatus {
  const { application, revision, workflow, nowMs } = input;
  const services = servicesOf(input);
  const sick = services.find((service) => !service.healthy);
  const phase = phaseOf(workflow, sick !== undefined);
  const conditions = conditionsOf(input, services, phase);
  return {
    status: phase,
    observedGeneration: application.metadata.generation ?? 0,
    conditions: withTransitions(conditions, application.status?.conditions ?? [], nowMs),
    latestRevision: { name: revision.name, revision: revision.number, revisionHash: revision.hash },
    services,
    workflow,
    appliedResources: input.entries.slice(0, MAX_APPLIED_RESOURCES).map(({ apiVersion, kind, namespace, name }) => ({
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

function conditionsOf(input: StatusInput, services: ServiceStatus[], phase: Phase): ConditionDraft[] {
  const { components, workflow, result, note } = input;
  const failures = components.flatMap(({ name }) => result(name)?.failure ?? []);
  const sick = services.find((service) => !service.healthy);
  const said = failures.length > 0 ? oneLine(sentences(failures.map((one) => one.sentence)), MAX_MESSAGE) : waitingFor(sick);
  const halt = haltOf(workflow);
  const reason = failures[0]?.reason ?? halt?.reason;
  const why = failures.length === 0 && halt ? halt.message : said;
  const applied = components.every(({ name }) => isApplied(input, name));
  const drafts = [
    isTrue('Admitted', 'Available'),
    isTrue('Parsed', 'Available'),
    note
      ? { type: 'Revision', status: note.serious ? 'False' : 'True', reason: note.reason, message: note.message }
      : isTrue('Revision', 'Available'),
    ...['Policy', 'Render'].map((type) => isTrue(type, 'Available')),
    workflow.status === 'succeeded'
      ? isTrue('Workflow', 'Available')
      : isFalse('Workflow', halt?.reason ?? reason ?? 'Progressing', halt?.message ?? why),
    applied ? isTrue('Applied', 'Available') : isFalse('Applied', reason ?? 'Progressing', why),
    sick ? isFalse('Healthy', reason ?? 'Unhealthy', why) : isTrue('Healthy', 'Available'),
    readiness(phase, note, { reason: reason ?? 'Progressing', why }),
  ] satisfies ConditionDraft[];
  const stalled = failures.find(({ kind }) => kind === 'stalled');
  if (stalled) drafts.push(isTrue('Stalled', stalled.reason, oneLine(stalled.sentence, MAX_MESSAGE)));
  else if (halt && workflow.finished) drafts.push(isTrue('Stalled', halt.reason, halt.message));
  else if (note?.serious) drafts.push(isTrue('Stalled', note.reason, note.message));
  else if (phase === 'runningWorkflow') drafts.push(isTrue('Reconciling', 'Progressing', why));
  return drafts;
}

/** Ready: what the Application asks for runs and is well. What runs instead of it by a hold or a publishVersion was asked for, too. */
function readiness(phase: Phase, note: Note | undefined, { reason, why }: { reason: string; why: string }): ConditionDraft {
  if (phase !== 'running') return isFalse('Ready', reason, why);
  if (note?.serious) return isFalse('Ready', note.reason, note.message);
  return note ? isTrue('Ready', note.reason, note.message) : isTrue('Ready', 'ReconcileSuccess');
}

/** A workflow that goes on only when a person says so. */
function haltOf({ status, suspend, steps = [], message }: WorkflowStatus): { reason: Reason; message: string } | undefined {
  if (suspend) {
    const waiting = steps.find(({ phase }) => phase === 'suspending');
    const text = waiting?.message ?? (waiting ? `step ${waiting.name} is suspended` : 'the workflow is suspended');
    return { reason: 'WorkflowSuspended', message: text };
  }
  if (status === 'failed') return { reason: 'WorkflowFailed', message: message ?? 'a step has failed' };
  return status === 'terminated' ? { reason: 'WorkflowTerminated', message: 'a person has ended the workflow' } : undefined;
}

function waitingFor(sick: ServiceStatus | undefined): string {
  return sick?.message ? `component ${sick.name}: ${sick.message}` : 'work is under way';
}

/** A component of a finished workflow that has not said yet how it stands (the agent was restarted) stands as it did. */
function isApplied({ application, workflow, result }: StatusInput, component: string): boolean {
  const current = result(component);
  const before = application.status?.services?.find(({ name }) => name === component);
  const unsaid = !current || current.state === 'working';
  return unsaid && before && workflow.finished ? before.details?.[detail.reason] === undefined : (current?.applied ?? false);
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
