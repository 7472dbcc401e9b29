import { declarationOf } from './component-types.ts';
import { eachItem, fillDefaults, stripDefaults } from './defaults.ts';
import { isMap, own } from './schema.ts';
import type { Part } from './schema.ts';

/** The defaults of `kustomize` components (kubevela.md §5.1). Other types are left to whoever runs them. */

/**
 * The Application with the defaults that KubeVela gives its `kustomize` components, as a new object. Only ever adds, and
 * doing it twice changes nothing. Defaults of our own properties are not written: vela-core would not know them.
 */
export function withDefaults<T>(application: T): T {
  const spec = isMap(application) ? own(application, 'spec') : undefined;
  if (!isMap(spec)) return application;
  const whole = eachKustomize(spec, filled);
  return whole === spec ? application : { ...application, spec: whole };
}

/**
 * What the user decided: the spec without the fields of `kustomize` components that hold their default. Two specs with the
 * same content do the same, whether somebody has written the defaults into one of them or not.
 */
export function specContent(spec: unknown): unknown {
  return isMap(spec) ? eachKustomize(spec, stripped) : spec;
}

type Change = (component: Record<string, unknown>) => Record<string, unknown>;

function eachKustomize(spec: Record<string, unknown>, change: Change): Record<string, unknown> {
  const components = own(spec, 'components');
  if (!Array.isArray(components)) return spec;
  const changed = eachItem(components, (one) => (isMap(one) && own(one, 'type') === 'kustomize' ? change(one) : one));
  return changed === components ? spec : { ...spec, components: changed };
}

const declaration = declarationOf('kustomize')!;
const kubevelas = (part: Part): boolean => part.facts?.ours !== true;

function filled(component: Record<string, unknown>): Record<string, unknown> {
  const before = own(component, 'properties');
  const properties = fillDefaults(declaration, before === undefined ? {} : before, kubevelas);
  return properties === before ? component : { ...component, properties };
}

function stripped(component: Record<string, unknown>): Record<string, unknown> {
  const { properties: received, ...rest } = component;
  const properties = stripDefaults(declaration, received);
  const none = properties === undefined || (isMap(properties) && Object.keys(properties).length === 0);
  return none ? rest : { ...rest, properties };
}
