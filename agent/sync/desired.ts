import { createHash } from 'node:crypto';
import { type KubeObject, type ObjectReference, objectId, referenceOf } from '#api/kubernetes.ts';
import { label } from '#api/names.ts';
import type { BuiltObject, Origin } from '../manifest/check.ts';
import type { Owner } from './owner-key.ts';

/** An object as Git has it, ready to be applied. */
export interface Desired {
  object: KubeObject;
  origin: Origin;
  reference: ObjectReference;
  /** objectId of the reference. */
  id: string;
  /** Digest of the object, 16 hex digits: the same digest asks for nothing. */
  manifest: string;
}

/** The objects of a build with the labels of their owner. */
export function desiredOf(built: readonly BuiltObject[], owner: Owner): Desired[] {
  return built.map(({ object, origin }) => {
    const labelled = withOwner(object, owner);
    const reference = referenceOf(labelled);
    return { object: labelled, origin, reference, id: objectId(reference), manifest: digestOf(labelled) };
  });
}

function withOwner(object: KubeObject, { application, component }: Owner): KubeObject {
  const labels = { ...object.metadata.labels, [label.application]: application, [label.component]: component };
  return { ...object, metadata: { ...object.metadata, labels } };
}

function digestOf(object: KubeObject): string {
  return createHash('sha256').update(JSON.stringify(object)).digest('hex').slice(0, 16);
}
