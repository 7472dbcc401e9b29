import * as v from 'valibot';
import { findingsOf } from './schema-check.ts';
import { indexOf } from './dependencies.ts';
import { NOT_YET, about, isMap, own } from './schema.ts';
import type { Finding, Site } from './schema.ts';
import { quote, shorten } from './wording.ts';

/** The properties of workflow steps (spec/kubevela.md §6.5). */

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

const anything = v.record(v.string(), v.unknown());

/** The properties of a step: those of apply-component by its declaration, those of a type that is unknown not at all. */
export function applyComponentRule(properties: unknown, site: Site): Finding[] {
  if (own(site.parent, 'type') === 'apply-component') return findingsOf(applyComponent, properties, site);
  return isMap(properties) ? [] : findingsOf(anything, properties, site);
}

/** The name of a step: its own, or the one that vela-core's webhook gives (spec/kubevela.md §4.2). */
export function stepName(name: unknown, index: number): string | undefined {
  if (name === undefined || name === '') return `step-${index}`;
  return typeof name === 'string' ? name : undefined;
}
