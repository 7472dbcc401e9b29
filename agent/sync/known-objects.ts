import { type ObjectReference, objectId } from '#api/kubernetes.ts';
import type { LiveObjects } from '../cluster/live-objects.ts';
import type { LiveObject } from '../cluster/projection.ts';
import { keepOnly } from './keep-only.ts';
import type { Replaced } from './object-writer.ts';

/** The objects of one component as they stand: what the watches tell, never older than the answers to our own requests. */
export class KnownObjects {
  readonly #live: LiveObjects;
  /** With how many listings of the kind had begun when it came. */
  readonly #answers = new Map<string, { object: LiveObject; begun: number }>();

  constructor(live: LiveObjects) {
    this.#live = live;
  }

  get(reference: ObjectReference): LiveObject | undefined {
    const id = objectId(reference);
    const answer = this.#answers.get(id);
    if (answer && !this.#live.knows(answer.object, answer.begun)) return answer.object;
    this.#answers.delete(id);
    return this.#live.get(reference);
  }

  answered(reference: ObjectReference, answer: LiveObject): void {
    this.#answers.set(objectId(reference), { object: answer, begun: this.#live.lists(reference).begun });
  }

  /** By identity, what Git has: nothing is remembered of others. */
  keep(ids: ReadonlySet<string>): void {
    keepOnly(this.#answers, ids);
  }

  /** The object that was known is gone. */
  replaced(reference: ObjectReference, { uid, by }: Replaced): void {
    if (by) return this.answered(reference, by);
    this.#answers.delete(objectId(reference));
    this.#live.gone(reference, uid);
  }
}
