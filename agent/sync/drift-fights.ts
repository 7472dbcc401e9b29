/** The same field put back so often within this time is a fight that nobody wins. */
const LIMIT = 5;
const WINDOW_MS = 600_000;
const MAX_FIELDS = 1_000;

export interface Fight {
  path: string;
  manager: string;
}

/** Counts how often each field is put back against the same manager. */
export class DriftFights {
  readonly #corrections = new Map<string, number[]>();
  readonly #lost = new Map<string, { manifest: string; fight: Fight }>();

  /** A field of an object was put back. */
  record(id: string, manifest: string, fight: Fight, nowMs: number): void {
    const key = JSON.stringify([id, fight.path, fight.manager]);
    const recent = [...(this.#corrections.get(key) ?? []), nowMs].filter((at) => nowMs - at < WINDOW_MS);
    this.#corrections.delete(key);
    this.#corrections.set(key, recent);
    const oldest = this.#corrections.keys().next();
    if (this.#corrections.size > MAX_FIELDS && !oldest.done) this.#corrections.delete(oldest.value);
    if (recent.length >= LIMIT) this.#lost.set(id, { manifest, fight });
  }

  /** The fight for which the object is left alone; a new manifest begins anew. */
  lost(id: string, manifest: string): Fight | undefined {
    const found = this.#lost.get(id);
    return found?.manifest === manifest ? found.fight : undefined;
  }
}
