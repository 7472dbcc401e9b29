import type { Application, StepStatus, WorkflowStatus } from '#api/application.ts';
import { detail } from '#api/details.ts';
import { annotation } from '#api/names.ts';
import { reasonCode } from '#api/reasons.ts';

/** What keeps an Application from going on, until a person says so. */
export interface Holds {
  /** The revision that runs instead of the spec. */
  revision: string | undefined;
  /** `lateen image hold`, or tags that people took back: the components whose images stand still. */
  images: string[];
  /** The workflow waits: steps by name, none where the workflow itself was suspended. */
  workflow: string[] | undefined;
}

export function holdsOf({ metadata, spec, status }: Application): Holds {
  const { annotations = {} } = metadata;
  const withImages = (spec?.components ?? []).filter(({ properties }) => properties?.['imageRepository'] !== undefined);
  const all = annotations[annotation.imageHold] === 'true';
  const takenBack = (name: string): boolean =>
    status?.services?.find((one) => one.name === name)?.details?.[detail.imageReason] === reasonCode('ImageHeld');
  const workflow = status?.workflow;
  return {
    revision: annotations[annotation.hold],
    images: withImages.filter(({ name }) => all || takenBack(name)).map(({ name }) => name),
    workflow: workflow?.suspend && !workflow.finished ? suspendedSteps(workflow) : undefined,
  };
}

function suspendedSteps({ steps = [] }: WorkflowStatus): string[] {
  return steps.flatMap((step) => [step, ...subStepsOf(step)]).flatMap(({ name, phase }) => (phase === 'suspending' ? [name] : []));
}

/** What of the status changes when a workflow is resumed, as `vela workflow resume` writes it (spec/kubevela.md §2.7). */
export function resumedWorkflow({ steps = [] }: WorkflowStatus): Partial<WorkflowStatus> {
  return { suspend: false, ...(steps.length > 0 ? { steps: steps.map(resumedStep) } : {}) };
}

function resumedStep(step: StepStatus): StepStatus {
  const subSteps = subStepsOf(step);
  const resumed = step.phase === 'suspending' ? { ...step, phase: 'running' as const } : step;
  return subSteps.length > 0 ? ({ ...resumed, subSteps: subSteps.map(resumedStep) } as StepStatus) : resumed;
}

function subStepsOf(step: StepStatus & { subSteps?: StepStatus[] }): StepStatus[] {
  return step.subSteps ?? [];
}
