import * as v from 'valibot';
import { broughtInRule } from './allow-lists.ts';
import type { Component } from './application.ts';
import { findingsOf } from './schema-check.ts';
import { about, isMap, own } from './schema.ts';
import type { Finding, Site } from './schema.ts';
import { quote, shorten } from './wording.ts';

/** The policies that `deploy` steps name: `override` and `topology` (spec/kubevela.md §6.4). */

const overridden = v.pipe(
  v.object({
    name: v.exactOptional(v.pipe(v.string(), about('the component; without it all of the type'))),
    type: v.exactOptional(v.pipe(v.string(), about('its type, needed for a component that is added'))),
    properties: v.exactOptional(
      v.pipe(
        v.record(v.string(), v.unknown()),
        about<Record<string, unknown>>('merged over those of the component', { rule: broughtInRule }),
      ),
    ),
    traits: v.exactOptional(v.pipe(v.array(v.record(v.string(), v.unknown())), about('merged by type'))),
  }),
  about('a component that is changed', { keys: 'a field of an overridden component' }),
);

const override = v.pipe(
  v.object({
    components: v.exactOptional(v.pipe(v.array(overridden), about('what is changed'))),
    selector: v.exactOptional(v.pipe(v.array(v.string()), about('names of the components that are deployed; without it all'))),
  }),
  about('properties of override', { keys: 'a property of override' }),
);

function clusterRule(cluster: string): Finding[] {
  if (cluster === 'local') return [];
  const text = `must be "local", received ${quote(cluster)}: the agent knows its own cluster alone`;
  return [{ code: 'Unsupported', text, value: shorten(cluster), remedy: 'write local' }];
}

function namespaceRule(namespace: string, { context }: Site): Finding[] {
  if (namespace === '' || context.namespace === undefined || namespace === context.namespace) return [];
  const text = `must be the namespace of the Application, received ${quote(namespace)}`;
  return [{ code: 'NamespaceForbidden', text, value: shorten(namespace), remedy: `remove it, or write ${context.namespace}` }];
}

const topology = v.pipe(
  v.object({
    clusters: v.exactOptional(v.pipe(v.array(v.pipe(v.string(), about('a cluster', { rule: clusterRule }))), about('`[local]`'))),
    namespace: v.exactOptional(v.pipe(v.string(), about('the namespace of the Application', { rule: namespaceRule }))),
  }),
  about('properties of topology', { keys: 'a property of topology' }),
);

const declarations: Readonly<Record<string, v.GenericSchema>> = { override, topology };

/** Types of policies that an agent of this version carries out. */
export const policyTypes: readonly string[] = Object.keys(declarations);

const anything = v.record(v.string(), v.unknown());

export function policyPropertiesRule(properties: unknown, site: Site): Finding[] {
  const type = own(site.parent, 'type');
  const declaration = typeof type === 'string' && Object.hasOwn(declarations, type) ? declarations[type] : undefined;
  if (declaration) return findingsOf(declaration, properties, site);
  return isMap(properties) ? [] : findingsOf(anything, properties, site);
}

interface Override {
  components?: { name?: string; type?: string; properties?: Record<string, unknown>; traits?: Record<string, unknown>[] }[];
  selector?: string[];
}

/**
 * The components with an override laid over them: maps are merged, lists and scalars replaced; one that names no component
 * and has a type is added. The components that nothing changes are the very same objects.
 */
export function withOverride(components: readonly Component[], properties: Record<string, unknown> = {}): Component[] {
  const { components: changes = [], selector } = properties as Override;
  let result = [...components];
  for (const change of changes) {
    const matches = (one: Component): boolean =>
      change.name ? one.name === change.name : change.type === undefined || one.type === change.type;
    if (result.some(matches)) result = result.map((one) => (matches(one) ? changed(one, change) : one));
    else if (change.name && change.type) result = [...result, changed({ name: change.name, type: change.type }, change)];
  }
  return selector ? result.filter(({ name }) => selector.includes(name)) : result;
}

function changed(component: Component, { type, properties, traits }: NonNullable<Override['components']>[number]): Component {
  return {
    ...component,
    ...(type ? { type } : {}),
    ...(properties ? { properties: merged(component.properties ?? {}, properties) } : {}),
    ...(traits ? { traits: mergedTraits(component.traits ?? [], traits) } : {}),
  };
}

function merged(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = own(base, key);
    result[key] = isMap(before) && isMap(value) ? merged(before, value) : value;
  }
  return result;
}

function mergedTraits(base: NonNullable<Component['traits']>, over: readonly Record<string, unknown>[]): NonNullable<Component['traits']> {
  const result = new Map(base.map((trait) => [trait.type, trait]));
  for (const { type, disable, properties } of over) {
    const name = String(type);
    if (disable === true) result.delete(name);
    else {
      const before = result.get(name)?.properties ?? {};
      result.set(name, { type: name, properties: merged(before, isMap(properties) ? properties : {}) });
    }
  }
  return [...result.values()];
}
