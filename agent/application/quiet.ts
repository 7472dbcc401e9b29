/** Work that lasts shorter than this is reported once, when it is done. */
const QUIET_MS = 1_000;
/** The same while requests wait for their turn: what is said of work under way would be late, and make the rest later. */
const QUIET_IN_CROWD_MS = 60_000;
/** So often somebody in a crowd looks whether it is over; a thousand who look each second are a load by themselves. */
const CROWD_LOOK_MS = 5_000;

/** While components are busy with the same for less than a second, nothing is written: most syncs then need one status write. */
export class Quiet {
  #busy: { with: string; sinceMs: number } | undefined;

  /** How long nothing is to be written yet; `busy`: with what the components are, undefined where there is something to say. */
  leftMs(busy: string | undefined, nowMs: number, crowded: boolean): number | undefined {
    if (busy === undefined) {
      this.#busy = undefined;
      return undefined;
    }
    // A clock that was set back begins anew.
    if (this.#busy?.with !== busy || nowMs < this.#busy.sinceMs) this.#busy = { with: busy, sinceMs: nowMs };
    const left = this.#busy.sinceMs + (crowded ? QUIET_IN_CROWD_MS : QUIET_MS) - nowMs;
    // The crowd may have gone by then.
    return left > 0 ? Math.min(left, crowded ? CROWD_LOOK_MS : QUIET_MS) : undefined;
  }
}
