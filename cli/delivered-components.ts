import { policyName } from '#agent/revision/externals.ts';
import type { ApplicationSpec, Component, WorkflowStep } from '#api/application.ts';
import { withOverride } from '#api/policies.ts';
import { isMap } from '#api/schema.ts';

/**
 * The components as the workflow of a resolved spec applies them: those that its steps name; all of them without a workflow,
 * and then with every override (spec/kubevela.md §1.2).
 */
export function deliveredComponents(spec: ApplicationSpec): Component[] {
  const steps = spec.workflow?.steps ?? [];
  if (steps.length === 0) return overridden(spec, (spec.policies ?? []).map(policyName));
  const delivered = new Map<string, Component>();
  for (const step of steps) for (const component of componentsOf(step, spec)) delivered.set(component.name, component);
  return [...delivered.values()];
}

function componentsOf({ type, properties }: WorkflowStep, spec: ApplicationSpec): Component[] {
  const given = isMap(properties) ? properties : {};
  if (type === 'apply-component') return spec.components.filter(({ name }) => name === given['component']);
  if (type !== 'deploy') return [];
  return overridden(spec, Array.isArray(given['policies']) ? given['policies'] : []);
}

function overridden(spec: ApplicationSpec, names: readonly unknown[]): Component[] {
  const policies = (spec.policies ?? []).filter((policy, index) => policy.type === 'override' && names.includes(policyName(policy, index)));
  return policies.reduce((components: Component[], { properties: override }) => withOverride(components, override), spec.components);
}
