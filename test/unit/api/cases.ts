import { checkApplication } from '#api/check.ts';
import type { Cause } from '#api/failure.ts';

/** The Application of the seed document, with `properties` laid over those of its component. */
export function gitOpsApplication(properties: Record<string, unknown> = {}): Record<string, unknown> {
  const seed = { url: 'https://git.example.com/infra', path: './infrastructure' };
  const component = { name: 'infra', type: 'kustomize', properties: { ...seed, ...properties } };
  return { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name: 'infra-gitops' }, spec: { components: [component] } };
}

/** An Application of one component, written whole. */
export function applicationOf(component: unknown, spec: Record<string, unknown> = {}): Record<string, unknown> {
  return { metadata: { name: 'app' }, spec: { components: [component], ...spec } };
}

export const PROPERTIES = 'spec.components[0].properties';

/** Causes and unsupported ones of the component's properties, in the order in which they are told. */
export function mistakesOf(application: unknown, namespace = 'default'): Cause[] {
  const { causes, unsupported } = checkApplication(application, { minIntervalMs: 10_000, namespace });
  return [...causes, ...unsupported];
}
