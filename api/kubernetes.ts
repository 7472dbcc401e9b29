/** The shapes of Kubernetes objects that the rooms exchange. JSON as the API server writes it, nothing more. */

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  manager?: string;
  operation?: string;
  subresource?: string;
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: Record<string, unknown>;
}

export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string | null;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFieldsEntry[];
}

/** Any Kubernetes object. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** What names an object inside a namespace, independent of the version it is written in. */
export interface ObjectReference {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
}

/** `apps/v1` -> `apps`, `v1` -> ``. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

export function referenceOf(object: KubeObject): ObjectReference {
  const { name = '', namespace } = object.metadata;
  return { apiVersion: object.apiVersion, kind: object.kind, name, ...(namespace ? { namespace } : {}) };
}

/** Identity of an object: group, kind, namespace and name. The version is left out: v1beta1 and v1 are one object. */
export function objectId(reference: ObjectReference): string {
  return `${groupOf(reference.apiVersion)}/${reference.kind}/${reference.namespace ?? ''}/${reference.name}`;
}

/** `Deployment/web`, as users write it. */
export function displayName(reference: { kind: string; name: string }): string {
  return `${reference.kind}/${reference.name}`;
}
