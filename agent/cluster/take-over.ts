import type { KubeObject } from '#api/kubernetes.ts';
import { FIELD_MANAGER } from '#api/names.ts';
import { settled, takenOver } from './managed-fields.ts';

/** A merge patch that hands what people's tools own to us. */
export interface TakeOver {
  /** In which it has to be sent. */
  apiVersion: string;
  patch: { metadata: object };
  /**
   * Added to the patch, takes out what was written in another apiVersion than ours and what no apply of ours would: a list
   * that both versions fill (`spec.metrics` of autoscaling/v2) stays where a part of it is ours. The API server may refuse
   * it, since what Git sets may have another name there.
   */
  removal?: { spec: Record<string, null> };
}

/** Undefined where there is nothing to take. */
export function takeOver(before: KubeObject, git: KubeObject, taking: { leavesReplicas: boolean }): TakeOver | undefined {
  const managedFields = takenOver(before.metadata.managedFields ?? [], taking);
  const own = managedFields?.[0];
  if (!managedFields || !own) return undefined;
  const { apiVersion = before.apiVersion } = own;
  const patch = { metadata: { resourceVersion: before.metadata.resourceVersion, managedFields } };
  if (apiVersion === before.apiVersion) return { apiVersion, patch };
  const others = new Set(managedFields.slice(1).flatMap((entry) => specFields(entry.fieldsV1)));
  const wanted = (git['spec'] ?? {}) as Record<string, unknown>;
  const extra = specFields(own.fieldsV1).filter((name) => !others.has(name) && wanted[name] === undefined);
  if (extra.length === 0) return { apiVersion, patch };
  return { apiVersion, patch, removal: { spec: Object.fromEntries(extra.map((name) => [name, null])) } };
}

/** The merge patch after an apply that has made an entry `before-first-apply`; undefined where it says what it should. */
export function settling({ metadata }: KubeObject): { metadata: object } | undefined {
  const { managedFields = [], uid, resourceVersion } = metadata;
  const left = settled(managedFields);
  return left === managedFields ? undefined : { metadata: { uid, resourceVersion, managedFields: left } };
}

/** Whether anybody but us has set `spec.replicas`, so that it matters whether an autoscaler works on it. */
export function othersHoldReplicas({ metadata: { managedFields = [] } }: KubeObject): boolean {
  return managedFields.some(({ manager, fieldsV1 }) => manager !== FIELD_MANAGER && specFields(fieldsV1).includes('replicas'));
}

function specFields(fields: Record<string, unknown> = {}): string[] {
  return Object.keys((fields['f:spec'] ?? {}) as object).flatMap((key) => (key.startsWith('f:') ? [key.slice(2)] : []));
}
