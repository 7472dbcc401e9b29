import type { KubeObject } from '#api/kubernetes.ts';
import type { BuiltObject, Origin } from './types.ts';

/**
 * An object of Git, kept as text: a third of the memory, for as long as nothing of it changes. It is parsed anew at each look, so
 * what is asked for at each pass stands beside it.
 */
export class PackedObject implements BuiltObject {
  readonly origin: Origin;
  readonly #text: string;

  /** `text`: JSON of the object. */
  constructor(text: string, origin: Origin) {
    this.#text = text;
    this.origin = origin;
  }

  get object(): KubeObject {
    return JSON.parse(this.#text) as KubeObject;
  }
}

export function packed({ object, origin }: BuiltObject): PackedObject {
  return new PackedObject(JSON.stringify(object), origin);
}
