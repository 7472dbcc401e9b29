/** Lets at most `limit` through at a time, in the order in which they came; who has time gives way to the others. */
export interface Gate {
  /** Resolves to the function that leaves the gate again; rejects with the signal's reason. */
  enter(signal?: AbortSignal, hasTime?: boolean): Promise<() => void>;
  /** Whether somebody waits, or did so within the last milliseconds: a crowd has moments in which nobody does. */
  crowded(withinMs?: number): boolean;
}

/** Of the places, those that who has time gets though others wait: he gets on, slowly. */
const SHARE_WITH_TIME = 1 / 8;

interface Queue {
  waiting: Set<() => void>;
  inside: number;
}

export function createGate(limit: number, now: () => number = () => performance.now()): Gate {
  const share = Math.max(1, Math.floor(limit * SHARE_WITH_TIME));
  const pressing: Queue = { waiting: new Set(), inside: 0 };
  const withTime: Queue = { waiting: new Set(), inside: 0 };
  let crowdedAtMs = Number.NEGATIVE_INFINITY;
  const waiting = (): number => pressing.waiting.size + withTime.waiting.size;

  /** Whose turn it is when a place becomes free. */
  function next(): Queue {
    if (pressing.waiting.size === 0) return withTime;
    return withTime.waiting.size > 0 && withTime.inside < share ? withTime : pressing;
  }

  /** The place goes to the one who waits longest, without being free in between: nobody gets in past the queue. */
  function leave(from: Queue): void {
    from.inside--;
    const queue = next();
    const [first] = queue.waiting;
    if (!first) return;
    crowdedAtMs = now();
    queue.waiting.delete(first);
    queue.inside++;
    first();
  }

  return {
    crowded: (withinMs = 0) => waiting() > 0 || now() - crowdedAtMs < withinMs,
    async enter(signal, hasTime = false) {
      signal?.throwIfAborted();
      const queue = hasTime ? withTime : pressing;
      if (pressing.inside + withTime.inside >= limit) await turn(queue, signal);
      else queue.inside++;
      let left = false;
      return () => {
        if (!left) leave(queue);
        left = true;
      };
    },
  };
}

function turn({ waiting }: Queue, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onTurn = (): void => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    };
    const onAbort = (): void => {
      waiting.delete(onTurn);
      reject(signal?.reason as Error);
    };
    waiting.add(onTurn);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
