import { createHash } from 'node:crypto';
import { type KubeObject, type ObjectReference, objectId, referenceOf } from '#api/kubernetes.ts';
import { label } from '#api/names.ts';
import type { BuiltObject } from '../manifest/check.ts';
import { PackedObject } from '../manifest/packed.ts';
import type { Owner } from './owner-key.ts';

/** An object as Git has it, ready to be applied, with the labels of its owner. */
export interface Desired extends Pick<PackedObject, 'object' | 'origin'> {
  owner: Owner;
  reference: ObjectReference;
  /** objectId of the reference. */
  id: string;
  /** Digest of the object, 16 hex digits: the same digest asks for nothing. */
  manifest: string;
}

/** The objects of a build with the labels of their owner. */
export function desiredOf(built: readonly BuiltObject[], owner: Owner): Desired[] {
  const { application, component } = owner;
  return built.map((one) => new DesiredObject(one, { application, component }));
}

class DesiredObject extends PackedObject implements Desired {
  readonly owner: Owner;
  readonly reference: ObjectReference;
  readonly id: string;
  readonly manifest: string;

  constructor({ object, origin }: BuiltObject, owner: Owner) {
    const text = JSON.stringify(withOwner(object, owner));
    super(text, origin);
    this.owner = owner;
    this.reference = referenceOf(object);
    this.id = objectId(this.reference);
    this.manifest = digestOf(text);
  }
}

function withOwner(object: KubeObject, { application, component }: Owner): KubeObject {
  const labels = { ...object.metadata.labels, [label.application]: application, [label.component]: component };
  return { ...object, metadata: { ...object.metadata, labels } };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
