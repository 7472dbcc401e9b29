import type { InventoryEntry } from '#agent/manifest/inventory.ts';
import { groupOf, type KubeObject, objectId, type ObjectReference, referenceOf } from '#api/kubernetes.ts';
import { label } from '#api/names.ts';
import { isMap } from '#api/schema.ts';
import { type FieldChange, fieldChanges } from './field-changes.ts';

/** An object with the component that makes it. */
export interface RenderedObject {
  component: string;
  object: KubeObject;
}

/**
 * `recreated`: the API server lets nobody change such a field, so the object has to be deleted and made anew. `pruned`: it
 * stands in the cluster and is removed; `removed`: it is not asked for any more, and nothing of it stands there, or it is kept.
 */
export type ObjectChangeKind = 'added' | 'changed' | 'recreated' | 'removed' | 'pruned';

export interface ObjectChange extends ObjectReference {
  component: string;
  change: ObjectChangeKind;
  /** Of an object on both sides. */
  fields: FieldChange[];
}

export interface Standing {
  entries: readonly InventoryEntry[];
  /** Components whose objects stay (prune: false). */
  keep: readonly string[];
}

/** What differs between the objects of two specs, in the order of the newer one, then what is gone. */
export function objectChanges(before: readonly RenderedObject[], after: readonly RenderedObject[], standing: Standing): ObjectChange[] {
  const [old, now] = [byId(before), byId(after)];
  const stands = new Set(standing.entries.filter(({ component }) => !standing.keep.includes(component)).map(objectId));
  const changes = [...now].flatMap(([id, { component, object }]): ObjectChange[] => {
    const earlier = old.get(id)?.object;
    if (!earlier) return [{ ...referenceOf(object), component, change: 'added', fields: [] }];
    const fields = fieldChanges(compared(earlier), compared(object));
    if (fields.length === 0) return [];
    return [{ ...referenceOf(object), component, change: fields.some(isFixed(earlier)) ? 'recreated' : 'changed', fields }];
  });
  const gone = [...old].flatMap(([id, { component, object }]): ObjectChange[] =>
    now.has(id) ? [] : [{ ...referenceOf(object), component, change: stands.has(id) ? 'pruned' : 'removed', fields: [] }],
  );
  return [...changes, ...gone];
}

function byId(rendered: readonly RenderedObject[]): Map<string, RenderedObject> {
  return new Map(rendered.map((one) => [objectId(referenceOf(one.object)), one]));
}

/** Different in each revision, whatever it holds. */
const OF_REVISION: readonly string[] = [label.appRevision, label.appRevisionHash, 'oam.dev/render-hash'];

function compared(object: KubeObject): KubeObject {
  const labels = Object.entries(object.metadata.labels ?? {}).filter(([key]) => !OF_REVISION.includes(key));
  return { ...object, metadata: { ...object.metadata, labels: Object.fromEntries(labels) } };
}

/** Fields that the API server refuses to change (spec/sync.md §4): paths below them count too. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  'apps/Deployment': ['spec.selector'],
  'apps/DaemonSet': ['spec.selector'],
  'apps/ReplicaSet': ['spec.selector'],
  'apps/StatefulSet': ['spec.selector', 'spec.serviceName', 'spec.podManagementPolicy', 'spec.volumeClaimTemplates'],
  'batch/Job': ['spec.selector', 'spec.template', 'spec.completionMode', 'spec.podFailurePolicy'],
  '/Service': ['spec.clusterIP', 'spec.clusterIPs'],
  '/Secret': ['type'],
  '/PersistentVolumeClaim': ['spec.accessModes', 'spec.selector', 'spec.storageClassName', 'spec.volumeMode', 'spec.volumeName'],
  'rbac.authorization.k8s.io/RoleBinding': ['roleRef'],
};
const CONTENT = ['data', 'stringData', 'binaryData', 'immutable'];

/** By the object as it was: an immutable ConfigMap stays so whatever the new one says. */
function isFixed(object: KubeObject): (field: FieldChange) => boolean {
  const frozen = object['immutable'] === true && isMap(object['data'] ?? object['stringData'] ?? object['binaryData']);
  const fixed = [...(FIXED[`${groupOf(object.apiVersion)}/${object.kind}`] ?? []), ...(frozen ? CONTENT : [])];
  return ({ path }) => fixed.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`));
}
