import type { Failure } from '#api/failure.ts';
import type { Outcome, Task } from './applier.ts';
import { keepOnly } from './keep-only.ts';

interface Refusal {
  manifest: string;
  /** Of the object that the manifest was refused for; undefined: there was none. */
  uid: string | undefined;
  failure: Failure;
}

/** What the API server has refused: the same manifest for the same object is not sent again until that is due. */
export class Refusals {
  readonly #refused = new Map<string, Refusal>();

  /** What it has said before. An object that a person has deleted, so that it is made anew, is another one. */
  of({ desired, live }: Task): Outcome | undefined {
    const known = this.#refused.get(desired.id);
    const isSame = known?.manifest === desired.manifest && known.uid === live?.metadata.uid;
    return isSame ? { done: 'failed', failure: known.failure } : undefined;
  }

  learn({ desired, live }: Task, failure: Failure): void {
    this.#refused.set(desired.id, { manifest: desired.manifest, uid: live?.metadata.uid, failure });
  }

  /** By identity, what Git has: nothing is remembered of others. */
  keep(ids: ReadonlySet<string>): void {
    keepOnly(this.#refused, ids);
  }

  /** By identity. */
  forget(id: string): void {
    this.#refused.delete(id);
  }

  clear(): void {
    this.#refused.clear();
  }
}
