import * as v from 'valibot';
import { findingsOf } from './schema-check.ts';
import { componentTypeRule, declarationOf, policyTypeRule, stepTypeRule, traitTypeRule } from './component-types.ts';
import { componentGraph, cycleRule, indexOf, nameRule, stepGraph } from './dependencies.ts';
import { durationRule } from './interval.ts';
import { applicationNameRule, labelRule } from './name-rules.ts';
import { policyPropertiesRule } from './policies.ts';
import { annotationsRule } from './publish-version.ts';
import { NOT_YET, about, isMap, own } from './schema.ts';
import type { Finding, Rule, Site } from './schema.ts';
import { conditionRule, stepPropertiesRule } from './steps.ts';
import { quote, shorten } from './wording.ts';

/** The fields of an Application (spec/kubevela.md §1.2), apart from what stands in `properties`. */

const later = { since: NOT_YET };
const freeMap = v.record(v.string(), v.unknown());

/** A type, or a name that must not be empty. */
function filled(text: string): Finding[] {
  return text === '' ? [{ code: 'InvalidValue', text: 'must not be empty', value: '', remedy: 'write a name' }] : [];
}

/** The same name at an earlier place. */
function duplicate(name: string, index: number | undefined, names: readonly (string | undefined)[], noun: string): Finding[] {
  const first = indexOf(names).get(name);
  if (index === undefined || first === undefined || first >= index) return [];
  const text = `is the name of ${noun}[${first}] too: ${quote(name)}`;
  return [{ code: 'Duplicate', text, value: shorten(name), remedy: 'give each its own name' }];
}

function componentNameRule(name: string, { index, context }: Site): Finding[] {
  const again = duplicate(name, index, context.componentNames, 'components');
  const found = labelRule(name);
  return again.length === 0 ? found : [...found, ...again];
}

function stepNameRule(name: string, { index, context }: Site): Finding[] {
  return duplicate(name, index, context.stepNames, 'steps');
}

/** The properties of a component, by the declaration of its type. */
function propertiesRule(properties: unknown, site: Site): Finding[] {
  const type = own(site.parent, 'type');
  const declaration = typeof type === 'string' ? declarationOf(type) : undefined;
  if (declaration) return findingsOf(declaration, properties, site);
  return isMap(properties) ? [] : findingsOf(freeMap, properties, site);
}

/** Where `properties` is absent its own rule is not asked, yet a property may be required: the rule of the type asks it. */
function andAbsentProperties(typeRule: Rule<string>, rule: Rule<unknown>): Rule<string> {
  return (type, site) => {
    const found = typeRule(type, site);
    if (own(site.parent, 'properties') !== undefined) return found;
    const { index, parent, context } = site;
    return [...found, ...rule({}, { path: [...site.path.slice(0, -1), 'properties'], index, parent, context })];
  };
}

function typeAnd(rule: Rule<string>): Rule<string> {
  return (type, site) => (type === '' ? filled(type) : rule(type, site));
}

const trait = v.pipe(
  v.object({
    type: v.pipe(v.string(), about('type of the trait', { rule: typeAnd(traitTypeRule) })),
    properties: v.exactOptional(freeMap),
  }),
  about('a trait', { keys: 'a field of a trait' }),
);

const component = v.pipe(
  v.object({
    name: v.pipe(v.string(), about('name of the component', { rule: componentNameRule })),
    type: v.pipe(v.string(), about('type of the component', { rule: typeAnd(andAbsentProperties(componentTypeRule, propertiesRule)) })),
    properties: v.exactOptional(v.pipe(v.unknown(), about('what the type needs', { rule: propertiesRule }))),
    traits: v.exactOptional(v.array(trait)),
    dependsOn: v.exactOptional(
      v.pipe(
        v.array(v.pipe(v.string(), about('name of a component', { rule: nameRule(componentGraph) }))),
        about<string[]>('components that must be healthy first', { rule: cycleRule(componentGraph) }),
      ),
    ),
    inputs: v.exactOptional(v.pipe(v.array(v.unknown()), about('values of other components', later))),
    outputs: v.exactOptional(v.pipe(v.array(v.unknown()), about('values for other components', later))),
    externalRevision: v.exactOptional(v.pipe(v.string(), about('a revision of the component', later))),
    scopes: v.exactOptional(v.pipe(freeMap, about('scopes of the component', later))),
  }),
  about('a component', { keys: 'a field of a component' }),
);

const policy = v.pipe(
  v.object({
    name: v.exactOptional(v.string()),
    type: v.pipe(v.string(), about('type of the policy', { rule: typeAnd(policyTypeRule) })),
    properties: v.exactOptional(v.pipe(v.unknown(), about('what the policy needs', { rule: policyPropertiesRule }))),
  }),
  about('a policy', { keys: 'a field of a policy' }),
);

const step = v.pipe(
  v.object({
    name: v.exactOptional(v.pipe(v.string(), about('name of the step', { rule: stepNameRule }))),
    type: v.pipe(v.string(), about('type of the step', { rule: typeAnd(andAbsentProperties(stepTypeRule, stepPropertiesRule)) })),
    properties: v.exactOptional(v.pipe(v.unknown(), about('what the step needs', { rule: stepPropertiesRule }))),
    dependsOn: v.exactOptional(
      v.pipe(
        v.array(v.pipe(v.string(), about('name of a step', { rule: nameRule(stepGraph) }))),
        about<string[]>('steps that must succeed first', { rule: cycleRule(stepGraph) }),
      ),
    ),
    if: v.exactOptional(v.pipe(v.string(), about('`always`: runs whatever became of the steps before', { rule: conditionRule }))),
    timeout: v.exactOptional(v.pipe(v.string(), about('longest time for the step', { rule: durationRule }))),
    inputs: v.exactOptional(v.pipe(v.array(v.unknown()), about('values of other steps', later))),
    outputs: v.exactOptional(v.pipe(v.array(v.unknown()), about('values for other steps', later))),
    mode: v.exactOptional(v.pipe(v.string(), about('order of the sub-steps', later))),
    subSteps: v.exactOptional(v.pipe(v.array(v.unknown()), about('sub-steps', later))),
    meta: v.exactOptional(freeMap),
  }),
  about('a step', { keys: 'a field of a workflow step' }),
);

const stepMode = v.picklist(['DAG', 'StepByStep']);

const workflow = v.pipe(
  v.object({
    ref: v.exactOptional(v.pipe(v.string(), about('name of a Workflow object', { rule: labelRule }))),
    mode: v.exactOptional(v.object({ steps: v.exactOptional(stepMode), subSteps: v.exactOptional(stepMode) })),
    steps: v.exactOptional(v.array(step)),
  }),
  about('the workflow', { keys: 'a field of a workflow', oneOf: ['ref', 'steps'] }),
);

function namedRule(metadata: Record<string, unknown>, { path }: Site): Finding[] {
  if (own(metadata, 'name') !== undefined || own(metadata, 'generateName') !== undefined) return [];
  return [{ code: 'Required', text: 'is required', remedy: 'add name: name of the Application', path: [...path, 'name'] }];
}

/** `metadata`, of which only what Lateen reads is judged. */
const metadata = v.pipe(
  v.looseObject({
    name: v.exactOptional(v.pipe(v.string(), about('name of the Application', { rule: applicationNameRule }))),
    annotations: v.exactOptional(
      v.pipe(v.record(v.string(), v.string()), about<Record<string, string>>('annotations', { rule: annotationsRule })),
    ),
  }),
  about<Record<string, unknown>>('name, labels and annotations', { rule: namedRule }),
);

const spec = v.pipe(
  v.object({
    components: v.pipe(v.array(component), about('the components of the Application')),
    policies: v.exactOptional(v.array(policy)),
    workflow: v.exactOptional(workflow),
  }),
  about('what the Application consists of', { keys: 'a field of spec' }),
);

export const applicationSchema = v.looseObject({ metadata, spec });
