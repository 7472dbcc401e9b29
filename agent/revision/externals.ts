import type { ApplicationSpec, Policy, PolicyObject, WorkflowObject, WorkflowStep } from '#api/application.ts';
import type { Cause } from '#api/failure.ts';
import { isMap } from '#api/schema.ts';
import { quote } from '#api/wording.ts';

/** Policy and Workflow objects that an Application names: part of what it is at a time (spec/kubevela.md §3.1). */
export interface Externals {
  /** By name. */
  policies: Readonly<Record<string, PolicyObject>>;
  workflow?: WorkflowObject;
}

export const NO_EXTERNALS: Externals = { policies: {} };

export interface ExternalSource {
  policy: (name: string) => PolicyObject | undefined;
  workflow: (name: string) => WorkflowObject | undefined;
}

/** Whether an Application may name objects of its namespace: only then are these watched. */
export function mayNameExternals({ workflow }: ApplicationSpec): boolean {
  return workflow?.ref !== undefined || (workflow?.steps ?? []).some(({ type }) => type === 'deploy');
}

/** What a spec names, and what of it is not there. */
export function externalsOf(spec: ApplicationSpec, source: ExternalSource): { externals: Externals; missing: Cause[] } {
  if (!mayNameExternals(spec)) return { externals: NO_EXTERNALS, missing: [] };
  const { ref, steps } = spec.workflow ?? {};
  const workflow = ref === undefined ? undefined : source.workflow(ref);
  const lost = ref !== undefined && !workflow ? [absent('spec.workflow.ref', 'WorkflowNotFound', 'Workflow', ref)] : [];
  const own = new Set((spec.policies ?? []).map(policyName));
  const named = namedPolicies(workflow?.steps ?? steps ?? []).filter(({ name }) => !own.has(name));
  const policies: Record<string, PolicyObject> = {};
  const missing = named.flatMap(({ path, name }) => {
    const policy = source.policy(name);
    if (policy) policies[name] = policy;
    return policy ? [] : [absent(path, 'PolicyNotFound', 'Policy', name)];
  });
  return { externals: workflow ? { policies, workflow } : { policies }, missing: [...lost, ...missing] };
}

/** The spec with everything in it that it names elsewhere: the very same object where it names nothing. */
export function resolved(spec: ApplicationSpec, { policies, workflow }: Externals): ApplicationSpec {
  const added: Policy[] = Object.entries(policies).map(([name, { type, properties }]) => ({
    name,
    type,
    ...(properties ? { properties } : {}),
  }));
  if (!workflow && added.length === 0) return spec;
  const { mode, steps = [] } = workflow ?? spec.workflow ?? {};
  return {
    ...spec,
    ...(added.length > 0 ? { policies: [...(spec.policies ?? []), ...added] } : {}),
    workflow: { ...(mode ? { mode } : {}), steps },
  };
}

/** What of the objects counts: not their metadata. Undefined where there are none. */
export function externalContent({ policies, workflow }: Externals): unknown {
  if (!workflow && Object.keys(policies).length === 0) return undefined;
  const contents = Object.entries(policies).map(([name, { type, properties }]) => [name, { type, properties }]);
  return { policies: Object.fromEntries(contents), ...(workflow ? { workflow: { mode: workflow.mode, steps: workflow.steps } } : {}) };
}

/** An unnamed policy is called by its type and place (spec/kubevela.md §1.2). */
export function policyName({ name, type }: Policy, index: number): string {
  return name || `${type}-auto-gen-${index}`;
}

function namedPolicies(steps: readonly WorkflowStep[]): { path: string; name: string }[] {
  return steps.flatMap((step, index) => {
    const names: unknown = isMap(step.properties) ? step.properties['policies'] : undefined;
    if (step.type !== 'deploy' || !Array.isArray(names)) return [];
    return names.flatMap((name: unknown, at) =>
      typeof name === 'string' ? [{ path: `spec.workflow.steps[${index}].properties.policies[${at}]`, name }] : [],
    );
  });
}

function absent(path: string, code: 'PolicyNotFound' | 'WorkflowNotFound', kind: string, name: string): Cause {
  const message = `${path} names the ${kind} ${quote(name)}, which is not in this namespace`;
  return { path, code, message, value: name, remedy: `create it, or correct the name` };
}
