import type { Phase, ServiceStatus, WorkflowStatus } from '#api/application.ts';
import { detail } from '#api/details.ts';
import type { Failure } from '#api/failure.ts';
import type { Reason } from '#api/reasons.ts';
import { oneLine, sentences } from '#core/errors.ts';
import { type ConditionDraft, isFalse, isTrue } from './conditions.ts';
import { heldText } from './held-text.ts';
import type { Note } from './note.ts';
import type { StatusInput } from './status.ts';

/** Longest message of a condition (spec/sync.md A32). */
export const MAX_MESSAGE = 32 * 1024;

interface Why {
  reason: Reason;
  message: string;
}

/** Everything that conditions are made of. */
interface Facts {
  failures: readonly Failure[];
  sick: ServiceStatus | undefined;
  /** A workflow that goes on only when a person says so. */
  halt: Why | undefined;
  note: Note | undefined;
  /** A prune that waits for a person, of a component that has left the spec: nothing else in the status speaks of it. */
  held: string | undefined;
  phase: Phase;
  isFinished: boolean;
  isApplied: boolean;
  /** Why it is not ready, in the words of the first thing that is in the way. */
  why: Why;
}

/** The conditions of spec/kubevela.md §1.5 and ours (design §6) of an Application that was admitted. */
export function admittedConditions(input: StatusInput, services: readonly ServiceStatus[], phase: Phase): ConditionDraft[] {
  const facts = factsOf(input, services, phase);
  const drafts = [
    ...['Admitted', 'Parsed'].map((type) => isTrue(type, 'Available')),
    revision(facts.note),
    ...['Policy', 'Render'].map((type) => isTrue(type, 'Available')),
    workflow(input.workflow, facts),
    facts.isApplied ? isTrue('Applied', 'Available') : isFalse('Applied', facts.why.reason, facts.why.message),
    healthy(facts),
    ready(facts),
  ];
  const urgent = stalled(facts) ?? (phase === 'runningWorkflow' ? isTrue('Reconciling', 'Progressing', facts.why.message) : undefined);
  return urgent ? [...drafts, urgent] : drafts;
}

function factsOf(input: StatusInput, services: readonly ServiceStatus[], phase: Phase): Facts {
  const { components, workflow, result, note } = input;
  const failures = components.flatMap(({ name }) => result(name)?.failure ?? []);
  const sick = services.find((service) => !service.healthy);
  const halt = haltOf(workflow);
  return {
    failures,
    sick,
    halt,
    note,
    held: heldOf(input),
    phase,
    isFinished: workflow.finished,
    isApplied: components.every(({ name }) => isApplied(input, name)),
    why: firstOf(failures, halt) ?? { reason: 'Progressing', message: waitingFor(sick) },
  };
}

function firstOf([first, ...rest]: readonly Failure[], halt: Why | undefined): Why | undefined {
  if (!first) return halt;
  return { reason: first.reason, message: oneLine(sentences([first, ...rest].map(({ sentence }) => sentence)), MAX_MESSAGE) };
}

function revision(note: Note | undefined): ConditionDraft {
  if (!note) return isTrue('Revision', 'Available');
  return { type: 'Revision', status: note.serious ? 'False' : 'True', reason: note.reason, message: note.message };
}

function workflow({ status }: WorkflowStatus, { halt, why }: Facts): ConditionDraft {
  if (status === 'succeeded') return isTrue('Workflow', 'Available');
  const { reason, message } = halt ?? why;
  return isFalse('Workflow', reason, message);
}

function healthy({ sick, failures, halt, why }: Facts): ConditionDraft {
  if (!sick) return isTrue('Healthy', 'Available');
  return isFalse('Healthy', failures[0]?.reason ?? halt?.reason ?? 'Unhealthy', why.message);
}

/** What the Application asks for runs and is well. What runs instead of it by a hold or a publishVersion was asked for, too. */
function ready({ phase, note, held, why }: Facts): ConditionDraft {
  if (phase !== 'running') return isFalse('Ready', why.reason, why.message);
  if (note?.serious) return isFalse('Ready', note.reason, note.message);
  if (held) return isTrue('Ready', 'PruneHeld', held);
  return note ? isTrue('Ready', note.reason, note.message) : isTrue('Ready', 'ReconcileSuccess');
}

function heldOf({ application, components, inventory: { held = {} } }: StatusInput): string | undefined {
  const names = new Set(components.map(({ name }) => name));
  const left = Object.entries(held).filter(([component]) => !names.has(component));
  const texts = left.map(
    ([component, one]) => `component ${component}, which has left the spec: ${heldText(one, application.metadata.name)}`,
  );
  return texts.length > 0 ? oneLine(sentences(texts), MAX_MESSAGE) : undefined;
}

/** Nothing comes of waiting: a person has to act. */
function stalled({ failures, halt, isFinished, note }: Facts): ConditionDraft | undefined {
  const failure = failures.find(({ kind }) => kind === 'stalled');
  if (failure) return isTrue('Stalled', failure.reason, oneLine(failure.sentence, MAX_MESSAGE));
  if (halt && isFinished) return isTrue('Stalled', halt.reason, halt.message);
  return note?.serious ? isTrue('Stalled', note.reason, note.message) : undefined;
}

function haltOf({ status, suspend, steps = [], message }: WorkflowStatus): Why | undefined {
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
function isApplied({ application, workflow: { finished }, result }: StatusInput, component: string): boolean {
  const current = result(component);
  const before = application.status?.services?.find(({ name }) => name === component);
  const unsaid = !current || current.state === 'working';
  return unsaid && before && finished ? before.details?.[detail.reason] === undefined : (current?.applied ?? false);
}
