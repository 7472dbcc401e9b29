/** Lets at most `limit` through at a time, in the order in which they came; who has time gives way to the others. */
export interface Gate {
  /** Resolves to the function that leaves the gate again; rejects with the signal's reason. */
  enter(signal?: AbortSignal, hasTime?: boolean): Promise<() => void>;
  /** Whether somebody waits, or did so within the last milliseconds: a crowd has moments in which nobody does. */
  crowded(withinMs?: number): boolean;
}

/**
 * Who has time enters while no more than a quarter of the places is taken. Else one turn of so many is theirs. Turns and not places:
 * an apply of a Service holds its place for as long as twenty status writes, so an eighth of the places was a third of the turns.
 */
const QUIET_SHARE = 1 / 4;
const TURNS = 16;
/** Who has time has no more than this: then every second turn goes to those who have waited for so long. */
const PATIENCE_MS = 60_000;
const TURNS_OUT_OF_PATIENCE = 2;

/** Who waits, and since when, in the order of coming. */
type Queue = Map<() => void, number>;

export function createGate(limit: number, now: () => number = () => performance.now()): Gate {
  const pressing: Queue = new Map();
  const withTime: Queue = new Map();
  const quiet = Math.max(1, Math.floor(limit * QUIET_SHARE));
  let inside = 0;
  /** Of those who have no time, since the last of one who had. */
  let turns = 0;
  let crowdedAtMs = Number.NEGATIVE_INFINITY;

  function admit(queue: Queue): void {
    turns = queue === withTime ? 0 : turns + 1;
    inside++;
  }

  /** Whose turn it is when a place has become free; undefined where nobody is to enter. */
  function next(): Queue | undefined {
    const [since] = withTime.values();
    if (since === undefined) return pressing;
    const every = now() - since < PATIENCE_MS ? TURNS : TURNS_OUT_OF_PATIENCE;
    if (turns + 1 >= every) return withTime;
    if (pressing.size > 0) return pressing;
    return inside < quiet ? withTime : undefined;
  }

  /** The place goes to the one who waits longest, without being free in between: nobody gets in past the queue. */
  function leave(): void {
    inside--;
    const queue = next();
    const [first] = queue?.keys() ?? [];
    if (!queue || !first) return;
    crowdedAtMs = now();
    queue.delete(first);
    admit(queue);
    first();
  }

  return {
    crowded: (withinMs = 0) => pressing.size + withTime.size > 0 || now() - crowdedAtMs < withinMs,
    async enter(signal, hasTime = false) {
      signal?.throwIfAborted();
      const queue = hasTime ? withTime : pressing;
      if (inside >= (hasTime ? quiet : limit)) await turn(queue, now(), signal);
      else admit(queue);
      let left = false;
      return () => {
        if (!left) leave();
        left = true;
      };
    },
  };
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
