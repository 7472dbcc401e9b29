/** Lets at most `limit` through at a time, in the order in which they came; who has time gives way to the others. */
export interface Gate {
  /** Resolves to the function that leaves the gate again; rejects with the signal's reason. */
  enter(signal?: AbortSignal, hasTime?: boolean): Promise<() => void>;
  /** Whether somebody waits since all places are taken, or did so within the last milliseconds: a crowd has moments in which nobody does. */
  crowded(withinMs?: number): boolean;
}

/**
 * Who has time enters while less than a quarter of the places is taken. Else one turn of so many is theirs. Turns and not places:
 * an apply of a Service holds its place for as long as twenty status writes, so an eighth of the places was a third of the turns.
 * One of sixteen was a tenth of the requests before the last object of a cold start (docs/performance.md).
 */
const QUIET_SHARE = 1 / 4;
const TURNS = 64;
/** Who has time has no more than this: then every second turn goes to those who have waited for so long. */
const PATIENCE_MS = 60_000;
const TURNS_OUT_OF_PATIENCE = 2;

/** Who waits, and since when, in the order of coming. */
type Queue = Map<() => void, number>;

export function createGate(limit: number, now: () => number = () => performance.now()): Gate {
  return new TurnGate(limit, now);
}

class TurnGate implements Gate {
  readonly #limit: number;
  readonly #quiet: number;
  readonly #now: () => number;
  readonly #pressing: Queue = new Map();
  readonly #withTime: Queue = new Map();
  #inside = 0;
  /** Of those who have no time, since the last of one who had. */
  #turns = 0;
  #crowdedAtMs = Number.NEGATIVE_INFINITY;

  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#quiet = Math.max(1, Math.floor(limit * QUIET_SHARE));
    this.#now = now;
  }

  crowded(withinMs = 0): boolean {
    return this.#queues() || this.#now() - this.#crowdedAtMs < withinMs;
  }

  async enter(signal?: AbortSignal, hasTime = false): Promise<() => void> {
    signal?.throwIfAborted();
    const queue = hasTime ? this.#withTime : this.#pressing;
    if (this.#inside >= (hasTime ? this.#quiet : this.#limit)) await turn(queue, this.#now(), signal);
    else this.#admit(queue);
    let left = false;
    return () => {
      if (!left) this.#leave();
      left = true;
    };
  }

  /** Whether somebody waits since all places are taken. */
  #queues(): boolean {
    return this.#inside >= this.#limit && this.#pressing.size + this.#withTime.size > 0;
  }

  #admit(queue: Queue): void {
    this.#turns = queue === this.#withTime ? 0 : this.#turns + 1;
    this.#inside++;
  }

  /** The place goes to the one who waits longest, without being free in between: nobody gets in past the queue. */
  #leave(): void {
    if (this.#queues()) this.#crowdedAtMs = this.#now();
    this.#inside--;
    const queue = this.#next();
    const [first] = queue?.keys() ?? [];
    if (!queue || !first) return;
    queue.delete(first);
    this.#admit(queue);
    first();
  }

  /** Whose turn it is when a place has become free; undefined where nobody is to enter. */
  #next(): Queue | undefined {
    const [since] = this.#withTime.values();
    if (since === undefined) return this.#pressing;
    const every = this.#now() - since < PATIENCE_MS ? TURNS : TURNS_OUT_OF_PATIENCE;
    if (this.#turns + 1 >= every) return this.#withTime;
    if (this.#pressing.size > 0) return this.#pressing;
    return this.#inside < this.#quiet ? this.#withTime : undefined;
  }
}

function turn(queue: Queue, sinceMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onTurn = (): void => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    };
    const onAbort = (): void => {
      queue.delete(onTurn);
      reject(signal?.reason as Error);
    };
    queue.set(onTurn, sinceMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
