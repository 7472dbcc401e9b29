import type { KubeObject } from '#api/kubernetes.ts';

export interface WatchEvent {
  type: 'added' | 'modified' | 'deleted';
  object: KubeObject;
  previous?: KubeObject;
}

/** What an object belongs to, where there are too many to look at each. */
export type GroupOf = (object: KubeObject) => string | undefined;

/** The objects that a watch knows, by name. Tells what changed; an object of the same name but another UID is another one. */
export class ObjectStore {
  readonly #objects = new Map<string, KubeObject>();
  /** By group, and by name within it. */
  readonly #groups = new Map<string, Map<string, KubeObject>>();
  readonly #emit: (event: WatchEvent) => void;
  readonly #groupOf: GroupOf;

  constructor(emit: (event: WatchEvent) => void, groupOf: GroupOf = () => undefined) {
    this.#emit = emit;
    this.#groupOf = groupOf;
  }

  get(name: string): KubeObject | undefined {
    return this.#objects.get(name);
  }

  all(): KubeObject[] {
    return [...this.#objects.values()];
  }

  group(name: string): KubeObject[] {
    return [...(this.#groups.get(name)?.values() ?? [])];
  }

  put(object: KubeObject): void {
    const previous = this.#objects.get(nameOf(object));
    if (previous && this.#groupOf(previous) !== this.#groupOf(object)) this.#leaveGroup(previous);
    this.#add(object);
    this.#announce(object, previous);
  }

  /** `last` is the object as it was at its end. */
  remove(last: KubeObject): void {
    const previous = this.#objects.get(nameOf(last));
    if (previous) this.#leaveGroup(previous);
    this.#objects.delete(nameOf(last));
    this.#emit({ type: 'deleted', object: last, ...(previous ? { previous } : {}) });
  }

  /** A new list: what is missing in it was deleted meanwhile. Everything is in place before the first event. */
  replace(found: KubeObject[]): void {
    const before = new Map(this.#objects);
    this.#objects.clear();
    this.#groups.clear();
    for (const object of found) this.#add(object);
    for (const [name, object] of before) if (!this.#objects.has(name)) this.#emit({ type: 'deleted', object, previous: object });
    for (const object of found) {
      const previous = before.get(nameOf(object));
      if (!previous || previous.metadata.resourceVersion !== object.metadata.resourceVersion) this.#announce(object, previous);
    }
  }

  #add(object: KubeObject): void {
    this.#objects.set(nameOf(object), object);
    const name = this.#groupOf(object);
    if (name === undefined) return;
    const group = this.#groups.get(name) ?? new Map<string, KubeObject>();
    this.#groups.set(name, group.set(nameOf(object), object));
  }

  #leaveGroup(object: KubeObject): void {
    const name = this.#groupOf(object) ?? '';
    const group = this.#groups.get(name);
    group?.delete(nameOf(object));
    if (group?.size === 0) this.#groups.delete(name);
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
