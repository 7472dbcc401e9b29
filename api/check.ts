import type { AllowLists } from './allow-lists.ts';
import { applicationSchema } from './application-schema.ts';
import { bareSite, checkValue } from './schema-check.ts';
import type { Cause } from './failure.ts';
import { boundedEffort, isMap, own } from './schema.ts';
import type { CheckContext } from './schema.ts';
import { stepName } from './steps.ts';
import { boundedGuess } from './wording.ts';

/** What is asked by webhook, agent and `lateen check` alike: may this Application run? */

export interface CheckOptions {
  /** The agent's setting min-interval; absent: pullInterval has no minimum. */
  minIntervalMs?: number;
  /** The namespace of the Application, where it does not say so itself. */
  namespace?: string;
  /** What its Namespace allows; absent: nothing is known of it, so nothing is refused by it. */
  allowed?: AllowLists;
}

export interface Verdict {
  /** What is wrong, whoever runs the Application: admission refuses it. */
  causes: Cause[];
  /** What an agent of this version refuses, and admission only warns of: parts that it cannot do yet, and whatever another
   * controller may run: types that it does not know, and the inside of components that are not `kustomize`. */
  unsupported: Cause[];
}

/**
 * All mistakes of an Application, in the order of its fields. `application` may be anything that JSON can be: nothing
 * makes this throw. It runs only where both `causes` and `unsupported` are empty.
 */
export function checkApplication(application: unknown, options: CheckOptions): Verdict {
  const found = checkValue(applicationSchema, application, bareSite([], contextOf(application, options)));
  const foreign = foreignPaths(application);
  const left = (cause: Cause): boolean => UNKNOWN.has(cause.code) || foreign(cause);
  return { causes: found.filter((cause) => !left(cause)), unsupported: found.filter(left) };
}

const UNKNOWN: ReadonlySet<string> = new Set([
  'Unsupported',
  'UnknownComponentType',
  'UnknownTraitType',
  'UnknownPolicyType',
  'UnknownStepType',
]);
// Names and the order of work concern every Application, whoever runs it.
const FOR_ALL: ReadonlySet<string> = new Set(['Duplicate', 'DependencyCycle', 'UnknownDependency', 'InvalidName']);
const COMPONENT = /^spec\.components\[(\d+)\](?:\.(name|dependsOn)(?![A-Za-z]))?/;

/** Which causes lie in what another controller may run. */
function foreignPaths(application: unknown): (cause: Cause) => boolean {
  const spec = mapOf(own(mapOf(application), 'spec'));
  const types = listOf(own(spec, 'components')).map((one) => own(mapOf(one), 'type'));
  const gitops = types.includes('kustomize');
  return ({ path, code }) => {
    const [, index, field] = COMPONENT.exec(path) ?? [];
    if (index === undefined) return !gitops && types.length > 0 && /^spec\.(?!workflow)/.test(path) && !FOR_ALL.has(code);
    const type = types[Number(index)];
    return typeof type === 'string' && type !== '' && type !== 'kustomize' && field === undefined;
  };
}

/** A cause as one sentence: `spec.components[0].properties.urll is not a property of kustomize; did you mean "url"?` */
export function causeSentence(cause: Pick<Cause, 'message' | 'remedy'>): string {
  return cause.remedy === undefined ? cause.message : `${cause.message}; ${cause.remedy}`;
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
    allowed: options.allowed,
    componentNames: components.map((component) => stringOf(own(component, 'name'))),
    componentNeeds: components.map(needsOf),
    stepNames: steps.map((step, index) => stepName(own(step, 'name'), index)),
    stepNeeds: steps.map(needsOf),
    guess: boundedGuess(),
    afford: boundedEffort(),
  };
}

const NOTHING: readonly string[] = [];

function needsOf(node: Record<string, unknown>): readonly string[] {
  const needs = own(node, 'dependsOn');
  return Array.isArray(needs) ? needs.filter(isString) : NOTHING;
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
