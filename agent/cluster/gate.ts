/** Lets at most `limit` through at a time, in the order in which they came. */
export interface Gate {
  /** Resolves to the function that leaves the gate again; rejects with the signal's reason. */
  enter(signal?: AbortSignal): Promise<() => void>;
}

export function createGate(limit: number): Gate {
  let inside = 0;
  const waiting = new Set<() => void>();

  /** The place goes to the one who waits longest, without being free in between: nobody gets in past the queue. */
  function leave(): void {
    const [next] = waiting;
    if (!next) {
      inside--;
      return;
    }
    waiting.delete(next);
    next();
  }

  function turn(signal?: AbortSignal): Promise<void> {
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

  return {
    async enter(signal) {
      signal?.throwIfAborted();
      if (inside >= limit) await turn(signal);
      else inside++;
      let left = false;
      return () => {
        if (!left) leave();
        left = true;
      };
    },
  };
}
