import * as v from 'valibot';
import { findingsOf } from './schema-check.ts';
import { indexOf } from './dependencies.ts';
import { durationRule } from './interval.ts';
import { NOT_YET, about, isMap, own } from './schema.ts';
import type { Finding, Site } from './schema.ts';
import { quote, shorten } from './wording.ts';

/** Workflow steps and their properties (spec/kubevela.md §6.5). */

function componentRule(component: string, { context }: Site): Finding[] {
  const index = indexOf(context.componentNames);
  if (index.has(component)) return [];
  const guess = context.guess(component, [...index.keys().take(200)]);
  const text = `names no component of this Application, received ${quote(component)}`;
  return [
    { code: 'UnknownDependency', text, value: shorten(component), remedy: guess ? `did you mean ${quote(guess)}?` : 'name a component' },
  ];
}

const applyComponent = v.pipe(
  v.object({
    component: v.pipe(v.string(), about('name of the component to apply', { rule: componentRule })),
    cluster: v.exactOptional(v.pipe(v.string(), about('a cluster', { since: NOT_YET })), ''),
    namespace: v.exactOptional(v.pipe(v.string(), about('a namespace', { since: NOT_YET })), ''),
  }),
  about('properties of apply-component', { keys: 'a property of apply-component' }),
);

const suspend = v.pipe(
  v.object({
    duration: v.exactOptional(v.pipe(v.string(), about('goes on by itself after this time', { rule: durationRule }))),
    message: v.exactOptional(v.pipe(v.string(), about('what the step says while it waits'))),
  }),
  about('properties of suspend', { keys: 'a property of suspend' }),
);

const deploy = v.pipe(
  v.object({
    policies: v.exactOptional(
      v.pipe(v.array(v.string()), about('names of override and topology policies: of this Application, or Policy objects')),
    ),
    auto: v.exactOptional(v.pipe(v.boolean(), about('`false`: waits for `lateen resume` first')), true),
    // Both change nothing here: all components are applied side by side, and there is no Terraform.
    parallelism: v.exactOptional(v.pipe(v.number(), about('accepted, without effect')), 5),
    ignoreTerraformComponent: v.exactOptional(v.pipe(v.boolean(), about('accepted, without effect')), true),
  }),
  about('properties of deploy', { keys: 'a property of deploy' }),
);

const declarations: Readonly<Record<string, v.GenericSchema>> = { 'apply-component': applyComponent, suspend, deploy };

/** Types of workflow steps that an agent of this version runs. */
export const stepTypes: readonly string[] = Object.keys(declarations);

const anything = v.record(v.string(), v.unknown());

/** The properties of a step by the declaration of its type, those of a type that is unknown not at all. */
export function stepPropertiesRule(properties: unknown, site: Site): Finding[] {
  const type = own(site.parent, 'type');
  const declaration = typeof type === 'string' && Object.hasOwn(declarations, type) ? declarations[type] : undefined;
  if (declaration) return findingsOf(declaration, properties, site);
  return isMap(properties) ? [] : findingsOf(anything, properties, site);
}

/** `if`: KubeVela evaluates CUE; here a step runs after success, or always. */
export function conditionRule(condition: string): Finding[] {
  if (condition === 'always' || condition === '') return [];
  const text = `is an expression, which is not implemented in this version, received ${quote(condition)}`;
  return [{ code: 'Unsupported', text, value: shorten(condition), remedy: 'write always, or remove it' }];
}

/** The name of a step: its own, or the one that vela-core's webhook gives (spec/kubevela.md §4.2). */
export function stepName(name: unknown, index: number): string | undefined {
  if (name === undefined || name === '') return `step-${index}`;
  return typeof name === 'string' ? name : undefined;
}
