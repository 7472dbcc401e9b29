import { createHash } from 'node:crypto';
import type { ApplicationSpec, Component, StepStatus, WorkflowStatus } from '#api/application.ts';
import { rfc3339 } from '#core/clock.ts';
import type { ComponentResult } from './component-loop.ts';
import type { Plan, Step } from '../revision/plan.ts';

export interface Progress {
  /** publishVersion, or the name of the revision: another one makes another run. */
  token: string;
  nowMs: number;
  /** status.workflow; undefined also where a person asked for a restart by removing it. */
  before: WorkflowStatus | undefined;
  result: (component: string) => ComponentResult | undefined;
  /** What `revision` of a result is when it speaks of this step. */
  runOf: (step: Step, component: Component) => string;
  /** Since when this agent knows how the components stand, milliseconds since the epoch. */
  knownSinceMs?: number;
}

export interface Advanced {
  workflow: WorkflowStatus;
  /** When time alone changes it: a timeout, the end of a suspension. */
  wakeInMs?: number;
}

/** An agent that comes back sees only now how the components stand: no step is out of time before. */
const FRESH_MS = 60_000;

/** Ten characters as KubeVela makes them, the same at every run over one revision: a restarted agent changes nothing. */
function stepId(token: string, name: string): string {
  const digest = createHash('sha256').update(`${token} ${name}`).digest();
  return [...digest.subarray(0, 10)].map((byte) => (byte % 36).toString(36)).join('');
}

/**
 * status.workflow as it stands now (spec/kubevela.md §1.4, §1.6, §2.7). A step that has come to its end stays so until the
 * token changes; what `vela workflow suspend`, `resume` and `terminate` write into the status is obeyed.
 */
export function advance(plan: Plan, progress: Progress): Advanced {
  const { token, before } = progress;
  const last = before?.appRevision === token ? before : undefined;
  if (last?.finished) return { workflow: last };
  if (last?.terminated) return { workflow: ended(last, 'terminated', progress) };
  const run = new Run(plan, progress, last);
  const paused = last?.suspend === true && !run.pauseIsOver();
  const steps = paused ? run.pausedSteps() : run.steps();
  return { workflow: summary(plan, steps, { ...progress, last, paused }), ...run.wake() };
}

/** One look at all steps. */
class Run {
  readonly #plan: Plan;
  readonly #progress: Progress;
  readonly #last: ReadonlyMap<string, StepStatus>;
  /** Milliseconds until time alone changes something. */
  #wakeInMs = Number.POSITIVE_INFINITY;

  constructor(plan: Plan, progress: Progress, last: WorkflowStatus | undefined) {
    this.#plan = plan;
    this.#progress = progress;
    this.#last = new Map(last?.steps?.map((step) => [step.name, step]));
  }

  wake(): { wakeInMs?: number } {
    return Number.isFinite(this.#wakeInMs) ? { wakeInMs: Math.max(1, this.#wakeInMs) } : {};
  }

  /** Whether every step that waits has waited as long as it wanted. */
  pauseIsOver(): boolean {
    const waiting = this.#plan.steps.filter(({ name }) => this.#last.get(name)?.phase === 'suspending');
    return waiting.length > 0 && waiting.every((step) => this.#left(step.suspends?.durationMs, step) <= 0);
  }

  /** While it is suspended no step begins. */
  pausedSteps(): StepStatus[] {
    return this.#plan.steps.map((step) => {
      const last = this.#last.get(step.name) ?? this.#pending(step);
      if (last.phase === 'suspending') this.#wakeAfter(this.#left(step.suspends?.durationMs, step));
      return last;
    });
  }

  steps(): StepStatus[] {
    const done = new Map<string, StepStatus>();
    for (const step of inOrder(this.#plan.steps)) done.set(step.name, this.#step(step, done));
    return this.#plan.steps.map((step) => done.get(step.name) ?? this.#pending(step));
  }

  #step(step: Step, done: ReadonlyMap<string, StepStatus>): StepStatus {
    const last = this.#last.get(step.name);
    if (last && isOver(last)) return last;
    if (!step.dependsOn.every((name) => isOver(done.get(name)))) return this.#pending(step);
    if (!step.always && this.#isStopped(step, done)) return { ...this.#base(step), phase: 'skipped', reason: 'Skip' };
    return this.#execute(step, last);
  }

  /** A step below one that failed does not run, nor does one below a step that did not run for that reason. */
  #isStopped(step: Step, done: ReadonlyMap<string, StepStatus>): boolean {
    const above = this.#plan.stepByStep ? [...done.values()] : step.dependsOn.map((name) => done.get(name));
    return above.some((one) => one?.phase === 'failed' || one?.phase === 'skipped');
  }

  #execute(step: Step, last: StepStatus | undefined): StepStatus {
    const now = rfc3339(this.#progress.nowMs);
    const begun = last && last.phase !== 'pending';
    const base = { ...this.#base(step), firstExecuteTime: (begun && last.firstExecuteTime) || now };
    if (step.suspends && !begun) {
      this.#wakeAfter(step.suspends.durationMs);
      return { ...base, phase: 'suspending', reason: 'Suspend', message: step.suspends.message, lastExecuteTime: now };
    }
    const waitingFor = this.#waitingMessage(step);
    if (waitingFor === undefined) return { ...base, phase: 'succeeded', lastExecuteTime: now };
    const left = begun ? this.#left(step.timeoutMs, step) : (step.timeoutMs ?? Number.POSITIVE_INFINITY);
    const waitMs = begun ? Math.max(left, this.#unheardMs(step, last)) : left;
    if (waitMs <= 0) return { ...base, phase: 'failed', reason: 'Timeout', message: waitingFor, lastExecuteTime: now };
    this.#wakeAfter(waitMs);
    const lastExecuteTime = (begun && last.lastExecuteTime) || now;
    return { ...base, phase: 'running', reason: 'Wait', message: waitingFor, lastExecuteTime };
  }

  /** How long components that have not said how they stand are waited for, of a step that has begun before the agent was there. */
  #unheardMs({ components }: Step, { firstExecuteTime = '' }: StepStatus): number {
    const { result, nowMs, knownSinceMs } = this.#progress;
    // Times are written in whole seconds.
    if (knownSinceMs === undefined || !(Date.parse(firstExecuteTime) < Date.parse(rfc3339(knownSinceMs)))) return 0;
    const isUnheard = components.some(({ name }) => (result(name)?.state ?? 'working') === 'working');
    return isUnheard ? Math.min(FRESH_MS, knownSinceMs + FRESH_MS - nowMs) : 0;
  }

  /** What a step waits for; undefined where its components are applied and healthy at this revision. */
  #waitingMessage(step: Step): string | undefined {
    const messages = step.components.map((component) => {
      const result = this.#progress.result(component.name);
      if (result?.revision !== this.#progress.runOf(step, component)) return 'wait healthy';
      if (result.failure) return result.failure.sentence || 'wait healthy';
      return result.applied && result.healthy ? undefined : 'wait healthy';
    });
    return (
      messages.find((message) => message !== undefined && message !== 'wait healthy') ?? messages.find((message) => message !== undefined)
    );
  }

  /** Milliseconds left of a time that began with the step; infinite where there is none. */
  #left(totalMs: number | undefined, step: Step): number {
    const begun = Date.parse(this.#last.get(step.name)?.firstExecuteTime ?? '');
    if (totalMs === undefined) return Number.POSITIVE_INFINITY;
    return Number.isNaN(begun) ? totalMs : begun + totalMs - this.#progress.nowMs;
  }

  #wakeAfter(ms = Number.POSITIVE_INFINITY): void {
    this.#wakeInMs = Math.min(this.#wakeInMs, ms);
  }

  #pending(step: Step): StepStatus {
    return { ...this.#base(step), phase: 'pending' };
  }

  #base({ name, type }: Step): Pick<StepStatus, 'id' | 'name' | 'type'> {
    return { id: this.#last.get(name)?.id ?? stepId(this.#progress.token, name), name, type };
  }
}

function summary(plan: Plan, steps: StepStatus[], run: Progress & { last: WorkflowStatus | undefined; paused: boolean }): WorkflowStatus {
  const { token, nowMs, last, paused } = run;
  const now = rfc3339(nowMs);
  const suspend = paused || steps.some(({ phase }) => phase === 'suspending');
  const finished = !suspend && steps.every(isOver);
  const status: WorkflowStatus = {
    appRevision: token,
    mode: plan.mode,
    status: suspend ? 'suspending' : 'executing',
    suspend,
    terminated: false,
    finished: false,
    startTime: last?.startTime ?? now,
    steps,
  };
  if (!finished) return status;
  const failed = steps.filter(({ phase }) => phase === 'failed');
  if (failed.length === 0) return ended(status, 'succeeded', run);
  return ended(status, failed.every(({ reason }) => reason === 'Terminate') ? 'terminated' : 'failed', run);
}

function ended(workflow: WorkflowStatus, how: 'succeeded' | 'failed' | 'terminated', { nowMs }: Progress): WorkflowStatus {
  const { steps = [], ...rest } = workflow;
  const failed = steps.filter(({ phase }) => phase === 'failed').map(({ name, reason }) => `step ${name}: ${reason ?? 'failed'}`);
  return {
    ...rest,
    status: how,
    ...(failed.length > 0 ? { message: failed.join('; ') } : {}),
    suspend: false,
    terminated: how !== 'succeeded',
    finished: true,
    endTime: workflow.endTime ?? rfc3339(nowMs),
    steps,
  };
}

/** The components whose turn has come, each as the last step that delivers it wants it. */
export function openComponents(
  { steps }: Plan,
  { workflow, result, runOf }: Pick<Progress, 'result' | 'runOf'> & { workflow: WorkflowStatus },
): Map<string, { component: Component; run: string }> {
  const phases = new Map(workflow.steps?.map(({ name, phase }) => [name, phase]));
  const open = new Map<string, { component: Component; run: string }>();
  for (const step of steps) {
    const phase = phases.get(step.name);
    if (phase !== 'running' && phase !== 'succeeded' && phase !== 'failed') continue;
    const inStep = new Map(step.components.map((component) => [component.name, component]));
    for (const component of step.components) {
      const needs = step.type === 'deploy' ? (component.dependsOn ?? []).flatMap((name) => inStep.get(name) ?? []) : [];
      if (needs.every((need) => isWell(result(need.name), runOf(step, need))))
        open.set(component.name, { component, run: runOf(step, component) });
    }
  }
  return open;
}

/** A step that delivers the component as the spec has it speaks of the revision; one that overrides it, of itself. */
export function runOf(revision: string, spec: ApplicationSpec): Progress['runOf'] {
  const plain = new Set(spec.components);
  return (step, component) => (plain.has(component) ? revision : `${revision} ${step.name}`);
}

function isWell(result: ComponentResult | undefined, run: string): boolean {
  return result?.revision === run && result.applied && result.healthy && !result.failure;
}

/** Dependencies first; the rules have refused cycles. */
function inOrder(steps: readonly Step[]): Step[] {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const ordered = new Set<Step>();
  const visit = (step: Step, depth: number): void => {
    if (ordered.has(step) || depth > steps.length) return;
    for (const name of step.dependsOn) {
      const dependency = byName.get(name);
      if (dependency) visit(dependency, depth + 1);
    }
    ordered.add(step);
  };
  for (const step of steps) visit(step, 0);
  return [...ordered];
}

function isOver(step: StepStatus | undefined): boolean {
  return step?.phase === 'succeeded' || step?.phase === 'failed' || step?.phase === 'skipped';
}
