import type { ApplicationSpec, Component, Policy, WorkflowStep } from '#api/application.ts';
import { parseDuration } from '#api/duration.ts';
import { withOverride } from '#api/policies.ts';
import { isMap } from '#api/schema.ts';
import { policyName } from './externals.ts';

/** What a workflow step does, ready to be carried out. */
export interface Step {
  name: string;
  type: string;
  /** Steps before it; in the order StepByStep the one above, too. */
  dependsOn: string[];
  /** `if: always`. */
  always: boolean;
  timeoutMs?: number;
  /** Components that it delivers, with the overrides of its policies; none for `suspend`. */
  components: readonly Component[];
  /** It waits for `lateen resume` first, and says so; after `durationMs` it goes on by itself. */
  suspends?: { message: string; durationMs?: number };
}

export interface Plan {
  /** `DAG-DAG`, `StepByStep-DAG`. */
  mode: string;
  /** A step that failed stops all that stand below it, and not only those that depend on it. */
  stepByStep: boolean;
  steps: Step[];
  /** Every component that some step delivers, in the order of the spec. */
  components: readonly Component[];
}

const plans = new WeakMap<ApplicationSpec, Plan>();

/** The steps of a spec in which everything stands that it names; the same for the same object. */
export function planOf(spec: ApplicationSpec): Plan {
  const known = plans.get(spec);
  if (known) return known;
  const plan = makePlan(spec);
  plans.set(spec, plan);
  return plan;
}

function makePlan(spec: ApplicationSpec): Plan {
  const { workflow } = spec;
  const explicit = workflow?.steps && workflow.steps.length > 0;
  const written = explicit ? (workflow.steps ?? []) : implicitSteps(spec);
  const stepByStep = explicit === true && (workflow?.mode?.steps ?? 'StepByStep') === 'StepByStep';
  const names = written.map((step, index) => step.name || `step-${index}`);
  const steps = written.map((step, index): Step => {
    const previous = names[index - 1];
    const timeoutMs = step.timeout === undefined ? undefined : parseDuration(step.timeout);
    return {
      name: names[index] ?? '',
      type: step.type,
      dependsOn: [...(step.dependsOn ?? []), ...(stepByStep && previous !== undefined ? [previous] : [])],
      always: step.if === 'always',
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...contentOf(step, spec, names[index] ?? ''),
    };
  });
  const subSteps = workflow?.mode?.subSteps ?? 'DAG';
  return { mode: `${stepByStep ? 'StepByStep' : 'DAG'}-${subSteps}`, stepByStep, steps, components: delivered(spec, steps) };
}

/** Where no workflow is written, the first of these that gives any (spec/kubevela.md §1.2). */
function implicitSteps({ components, policies = [] }: ApplicationSpec): WorkflowStep[] {
  const named = (type: string): string[] => policies.flatMap((policy, index) => (policy.type === type ? [policyName(policy, index)] : []));
  const [topologies, overrides] = [named('topology'), named('override')];
  if (topologies.length > 0) {
    return topologies.map((name) => ({ name: `deploy-${name}`, type: 'deploy', properties: { policies: [...overrides, name] } }));
  }
  if (overrides.length > 0) return [{ name: 'deploy', type: 'deploy', properties: { policies: overrides } }];
  return components.map(({ name, dependsOn }) => ({
    name,
    type: 'apply-component',
    ...(dependsOn ? { dependsOn } : {}),
    properties: { component: name },
  }));
}

function contentOf(step: WorkflowStep, spec: ApplicationSpec, name: string): Pick<Step, 'components' | 'suspends'> {
  const properties = step.properties ?? {};
  if (step.type === 'suspend') return { components: [], suspends: suspensionOf(properties) };
  if (step.type !== 'deploy') return { components: spec.components.filter((component) => component.name === properties['component']) };
  const components = overridden(spec, properties['policies']);
  if (properties['auto'] !== false) return { components };
  return { components, suspends: { message: `step ${name} waits for approval: lateen resume lets it deploy` } };
}

function suspensionOf({ duration, message }: Record<string, unknown>): NonNullable<Step['suspends']> {
  const durationMs = typeof duration === 'string' ? parseDuration(duration) : undefined;
  const text = typeof message === 'string' && message !== '' ? message : 'suspended: lateen resume goes on';
  return { message: text, ...(durationMs === undefined ? {} : { durationMs }) };
}

function overridden({ components, policies = [] }: ApplicationSpec, names: unknown): Component[] {
  const byName = new Map<string, Policy>(policies.map((policy, index) => [policyName(policy, index), policy]));
  let result = [...components];
  for (const name of Array.isArray(names) ? (names as unknown[]) : []) {
    const policy = typeof name === 'string' ? byName.get(name) : undefined;
    if (policy?.type === 'override' && isMap(policy.properties)) result = withOverride(result, policy.properties);
  }
  return result;
}

function delivered({ components }: ApplicationSpec, steps: readonly Step[]): Component[] {
  const last = new Map<string, Component>();
  for (const step of steps) for (const component of step.components) last.set(component.name, component);
  const inSpec = components.flatMap(({ name }) => last.get(name) ?? []);
  const names = new Set(components.map(({ name }) => name));
  return [...inSpec, ...[...last.values()].filter(({ name }) => !names.has(name))];
}
