import type * as v from 'valibot';
import { applicationSchema } from './application-schema.ts';
import { bareSite, checkValue } from './schema-check.ts';
import { declarationOf } from './component-types.ts';
import { fillDefaults } from './defaults.ts';
import type { Cause } from './failure.ts';
import { annotation } from './names.ts';
import { isMap, own } from './schema.ts';
import type { CheckContext } from './schema.ts';
import { stepName } from './steps.ts';
import { pathText, scalarText } from './wording.ts';

/** What is asked by webhook, agent and `lateen check` alike: may this Application run? */

export interface CheckOptions {
  /** The agent's setting min-interval; absent: pullInterval has no minimum. */
  minIntervalMs?: number;
  /** The namespace of the Application, where it does not say so itself. */
  namespace?: string;
}

export interface Verdict {
  /** What is wrong. */
  causes: Cause[];
  /** What is right in KubeVela, and what this version refuses since it cannot do it yet. */
  unsupported: Cause[];
  /** What may run, and deserves a word. */
  warnings: Cause[];
}

/**
 * All mistakes of an Application, in the order of its fields. `application` may be anything that JSON can be: nothing
 * makes this throw. It runs only where both `causes` and `unsupported` are empty.
 */
export function checkApplication(application: unknown, options: CheckOptions): Verdict {
  const found = checkValue(applicationSchema, application, bareSite([], contextOf(application, options)));
  return {
    causes: found.filter(({ code }) => code !== 'Unsupported'),
    unsupported: found.filter(({ code }) => code === 'Unsupported'),
    warnings: warningsOf(application),
  };
}

/** A cause as one sentence: `spec.components[0].properties.urll is not a property of kustomize; did you mean "url"?` */
export function causeSentence(cause: Pick<Cause, 'message' | 'remedy'>): string {
  return cause.remedy === undefined ? cause.message : `${cause.message}; ${cause.remedy}`;
}

/**
 * The Application with the defaults of its `kustomize` components, as a new object (kubevela.md §5.1). Only ever adds;
 * other types are left to whoever runs them; doing it twice changes nothing.
 */
export function withDefaults<T>(application: T): T {
  const spec = isMap(application) ? own(application, 'spec') : undefined;
  const components = isMap(spec) ? own(spec, 'components') : undefined;
  if (!isMap(spec) || !Array.isArray(components)) return application;
  return { ...application, spec: { ...spec, components: components.map(componentWithDefaults) } };
}

function componentWithDefaults(component: unknown): unknown {
  const declaration = isMap(component) && own(component, 'type') === 'kustomize' ? declarationOf('kustomize') : undefined;
  if (!isMap(component) || !declaration) return component;
  return { ...component, properties: filledProperties(declaration, own(component, 'properties')) };
}

function filledProperties(declaration: v.GenericSchema, properties: unknown): unknown {
  return fillDefaults(declaration, properties === undefined ? {} : properties);
}

function contextOf(application: unknown, options: CheckOptions): CheckContext {
  const root = isMap(application) ? application : {};
  const metadata = mapOf(own(root, 'metadata'));
  const spec = mapOf(own(root, 'spec'));
  const components = listOf(own(spec, 'components')).map(mapOf);
  const steps = listOf(own(mapOf(own(spec, 'workflow')), 'steps')).map(mapOf);
  return {
    namespace: options.namespace ?? stringOf(own(metadata, 'namespace')),
    minIntervalMs: options.minIntervalMs,
    componentNames: components.map((component) => stringOf(own(component, 'name'))),
    componentNeeds: components.map((component) => listOf(own(component, 'dependsOn')).filter(isString)),
    stepNames: steps.map((step, index) => stepName(own(step, 'name'), index)),
    stepNeeds: steps.map((step) => listOf(own(step, 'dependsOn')).filter(isString)),
  };
}

function warningsOf(application: unknown): Cause[] {
  const metadata = isMap(application) ? mapOf(own(application, 'metadata')) : {};
  const version = own(mapOf(own(metadata, 'annotations')), annotation.publishVersion);
  if (version === undefined) return [];
  const path = pathText(['metadata', 'annotations', annotation.publishVersion]);
  const warning: Cause = {
    path,
    code: 'Unsupported',
    message: `${path} is recorded, but does not yet pin the Application: each change of its spec is rolled out`,
  };
  const value = scalarText(version);
  return [value === undefined ? warning : { ...warning, value }];
}

function mapOf(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
