import type { KubeObject } from '#api/kubernetes.ts';

export interface WatchEvent {
  type: 'added' | 'modified' | 'deleted';
  object: KubeObject;
  previous?: KubeObject;
}

/** The objects that a watch knows, by name. Tells what changed; an object of the same name but another UID is another one. */
export class ObjectStore {
  readonly #objects = new Map<string, KubeObject>();
  readonly #emit: (event: WatchEvent) => void;

  constructor(emit: (event: WatchEvent) => void) {
    this.#emit = emit;
  }

  get(name: string): KubeObject | undefined {
    return this.#objects.get(name);
  }

  all(): KubeObject[] {
    return [...this.#objects.values()];
  }

  put(object: KubeObject): void {
    const previous = this.#objects.get(nameOf(object));
    this.#objects.set(nameOf(object), object);
    this.#announce(object, previous);
  }

  /** `last` is the object as it was at its end. */
  remove(last: KubeObject): void {
    const previous = this.#objects.get(nameOf(last));
    this.#objects.delete(nameOf(last));
    this.#emit({ type: 'deleted', object: last, ...(previous ? { previous } : {}) });
  }

  /** A new list: what is missing in it was deleted meanwhile. Everything is in place before the first event. */
  replace(found: KubeObject[]): void {
    const before = new Map(this.#objects);
    this.#objects.clear();
    for (const object of found) this.#objects.set(nameOf(object), object);
    for (const [name, object] of before) if (!this.#objects.has(name)) this.#emit({ type: 'deleted', object, previous: object });
    for (const object of found) {
      const previous = before.get(nameOf(object));
      if (!previous || previous.metadata.resourceVersion !== object.metadata.resourceVersion) this.#announce(object, previous);
    }
  }

  #announce(object: KubeObject, previous: KubeObject | undefined): void {
    if (previous && previous.metadata.uid === object.metadata.uid) return this.#emit({ type: 'modified', object, previous });
    if (previous) this.#emit({ type: 'deleted', object: previous, previous });
    this.#emit({ type: 'added', object });
  }
}

function nameOf(object: KubeObject): string {
  return object.metadata.name ?? '';
}
