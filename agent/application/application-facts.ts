import type { Application, Component } from '#api/application.ts';
import { checkApplication } from '#api/check.ts';
import { detail } from '#api/details.ts';
import type { Cause } from '#api/failure.ts';
import type { KubeObject, ObjectReference } from '#api/kubernetes.ts';
import { API_VERSION } from '#api/names.ts';
import { isMap } from '#api/schema.ts';
import type { ComponentResult } from './component-loop.ts';

/** Enough of an Application to ask which revision it is. */
export function checkShape({ spec }: Application): Cause[] {
  const components: unknown = spec?.components;
  if (Array.isArray(components) && components.every((one) => isMap(one) && typeof one['name'] === 'string')) return [];
  return checkApplication({ metadata: { name: 'x' }, spec }, {}).causes;
}

/** `main@sha1:…` of every kustomize component, as it was deployed. */
export function commitsOf(components: readonly Component[], result: (name: string) => ComponentResult | undefined): Record<string, string> {
  const known: [string, string][] = [];
  for (const { name } of components) {
    const { [detail.branch]: branch, [detail.commit]: commit } = result(name)?.details ?? {};
    if (branch && commit) known.push([name, `${branch}@sha1:${commit}`]);
  }
  return Object.fromEntries(known);
}

/** What a pass depends on: everything of an Application but its status and the traces of our own writes. */
export function inputsOf({ metadata }: Application): string {
  const { uid, generation, labels, annotations, deletionTimestamp, finalizers } = metadata;
  return JSON.stringify([uid, generation, labels, annotations, deletionTimestamp, finalizers]);
}

export function referenceTo({ metadata }: Application): ObjectReference {
  return { apiVersion: API_VERSION, kind: 'Application', namespace: metadata.namespace, name: metadata.name };
}

/** Versions of one kind count on one clock and can be compared. */
export function version({ metadata }: Pick<KubeObject, 'metadata'> | Application): bigint {
  const text = metadata.resourceVersion ?? '0';
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}
