import type { KubeObject, ManagedFieldsEntry } from '#api/kubernetes.ts';
import { ApiError } from './api-error.ts';
import { ownedByUs } from './managed-fields.ts';

/**
 * How a Deployment (`strategy`) or StatefulSet (`updateStrategy`) rolls out. The API server sets `rollingUpdate` where nobody
 * says how, in the name of nobody, and then refuses the types that must not have it: an apply drops only what is ours.
 */
export type StrategyField = 'strategy' | 'updateStrategy';

const FIELDS: readonly StrategyField[] = ['strategy', 'updateStrategy'];

interface Strategy {
  type?: string | undefined;
  rollingUpdate?: unknown;
}

/** Where the API server has refused the type that Git sets for a `rollingUpdate` that Git does not have, and for nothing else. */
export function clashingStrategy(error: unknown, git: KubeObject): StrategyField | undefined {
  if (!(error instanceof ApiError) || error.status !== 422 || error.causes.length === 0) return undefined;
  return FIELDS.find((name) => {
    const { type, rollingUpdate } = strategyOf(git, name);
    const isClash = error.causes.every(({ field }) => field === `spec.${name}.rollingUpdate`);
    return isClash && type !== undefined && (rollingUpdate ?? null) === null;
  });
}

/** The managedFields of the object with its `rollingUpdate` as ours, whoever had it: our next apply drops it. */
export function withOurRollingUpdate({ apiVersion, metadata }: KubeObject, name: StrategyField): ManagedFieldsEntry[] {
  return ownedByUs(metadata.managedFields ?? [], ['f:spec', `f:${name}`, 'f:rollingUpdate'], apiVersion);
}

/** The object with another strategy. */
export function withStrategy(object: KubeObject, name: StrategyField, strategy: Strategy): KubeObject {
  return { ...object, spec: { ...(object['spec'] as object), [name]: strategy } };
}

export function strategyOf(object: KubeObject, name: StrategyField): Strategy {
  return ((object['spec'] ?? {}) as Partial<Record<StrategyField, Strategy>>)[name] ?? {};
}
