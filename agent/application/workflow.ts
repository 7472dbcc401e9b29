import { createHash } from 'node:crypto';
import type { Application, StepStatus, WorkflowStatus } from '#api/application.ts';
import type { ComponentResult } from './component-loop.ts';

export interface Step {
  name: string;
  component: string;
  dependsOn: string[];
}

export interface Plan {
  /** `DAG-DAG`, `StepByStep-DAG`. */
  mode: string;
  steps: Step[];
}

/** The steps of an Application: its own workflow, or one apply-component step per component (spec/kubevela.md §1.2). */
export function planOf(application: Application): Plan {
  const { workflow, components } = application.spec;
  if (!workflow?.steps || workflow.steps.length === 0) {
    const steps = components.map(({ name, dependsOn }) => ({ name, component: name, dependsOn: dependsOn ?? [] }));
    return { mode: 'DAG-DAG', steps };
  }
  const stepByStep = (workflow.mode?.steps ?? 'StepByStep') === 'StepByStep';
  const names = workflow.steps.map((step, index) => step.name ?? `step-${index}`);
  const steps = workflow.steps.map((step, index) => {
    const previous = names[index - 1];
    const dependsOn = [...(step.dependsOn ?? []), ...(stepByStep && previous ? [previous] : [])];
    const component = step.properties?.['component'];
    return { name: names[index] ?? '', component: typeof component === 'string' ? component : '', dependsOn };
  });
  return { mode: `${stepByStep ? 'StepByStep' : 'DAG'}-${workflow.mode?.subSteps ?? 'DAG'}`, steps };
}

/** Ten characters as KubeVela makes them, the same at every run over one revision: a restarted agent changes nothing. */
function stepId(token: string, name: string): string {
  const digest = createHash('sha256').update(`${token} ${name}`).digest();
  return [...digest.subarray(0, 10)].map((byte) => (byte % 36).toString(36)).join('');
}

export interface Progress {
  token: string;
  now: string;
  before: WorkflowStatus | undefined;
  result: (component: string) => ComponentResult | undefined;
}

/** status.workflow as it stands now. A step that has succeeded stays so until the token changes (spec/kubevela.md §3.2). */
export function advance(plan: Plan, progress: Progress): WorkflowStatus {
  const { token, now, before } = progress;
  const last = before?.appRevision === token ? before : undefined;
  const lastSteps = new Map(last?.steps?.map((step) => [step.name, step]));
  const done = new Set<string>();
  const steps: StepStatus[] = [];
  for (const step of inOrder(plan.steps)) {
    const ready = step.dependsOn.every((name) => done.has(name));
    const status = advanceStep(step, { ...progress, ready, last: lastSteps.get(step.name) });
    if (status.phase === 'succeeded') done.add(step.name);
    steps.push(status);
  }
  const order = new Map(plan.steps.map(({ name }, index) => [name, index]));
  steps.sort((left, right) => (order.get(left.name) ?? 0) - (order.get(right.name) ?? 0));
  const finished = steps.every(({ phase }) => phase === 'succeeded');
  return {
    appRevision: token,
    mode: plan.mode,
    status: finished ? 'succeeded' : 'executing',
    suspend: false,
    terminated: false,
    finished,
    startTime: last?.startTime ?? now,
    ...(finished ? { endTime: last?.endTime ?? now } : {}),
    steps,
  };
}

/** Dependencies first; the rules have refused cycles. */
function inOrder(steps: Step[]): Step[] {
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

function advanceStep(step: Step, progress: Progress & { ready: boolean; last: StepStatus | undefined }): StepStatus {
  const { token, now, last, ready } = progress;
  const base = { id: last?.id ?? stepId(token, step.name), name: step.name, type: 'apply-component' };
  if (last?.phase === 'succeeded') return last;
  if (!ready) return { ...base, phase: 'pending' };
  const firstExecuteTime = last?.firstExecuteTime ?? now;
  const waitingFor = waitingMessage(progress.result(step.component), token);
  if (waitingFor === undefined) return { ...base, phase: 'succeeded', firstExecuteTime, lastExecuteTime: now };
  const lastExecuteTime = last?.lastExecuteTime ?? now;
  return { ...base, phase: 'running', reason: 'Wait', message: waitingFor, firstExecuteTime, lastExecuteTime };
}

/** What a step waits for; undefined where its component is applied and healthy at this revision. */
function waitingMessage(result: ComponentResult | undefined, token: string): string | undefined {
  if (result?.revision !== token) return 'wait healthy';
  if (result.failure) return result.failure.sentence || 'wait healthy';
  return result.applied && result.healthy ? undefined : 'wait healthy';
}
