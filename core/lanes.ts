/** Runs work with bounded concurrency, so that slow work never holds up quick work for long. */
export interface Lanes {
  /** Rejects with the signal's reason while it waits; `work` watches the signal itself. */
  run<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result>;
}

export interface LanesOptions {
  /** Side by side as long as all are quick. */
  quick: number;
  /** Work that takes longer than this gives its place to somebody else and goes on beside it. */
  slowAfterMs: number;
  /** All together, the slow ones included. */
  most: number;
}

/** A place in the quick lane is given back after `slowAfterMs`; the bound of all is `most`. First come, first served. */
export function createLanes({ quick, slowAfterMs, most }: LanesOptions): Lanes {
  let inQuick = 0;
  let inAll = 0;
  const waiting = new Set<() => void>();

  function admit(): void {
    while (inQuick < quick && inAll < most) {
      const [next] = waiting;
      if (!next) return;
      waiting.delete(next);
      next();
    }
  }

  function turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onTurn = (): void => {
        signal.removeEventListener('abort', onAbort);
        inQuick++;
        inAll++;
        resolve();
      };
      const onAbort = (): void => {
        waiting.delete(onTurn);
        reject(signal.reason as Error);
      };
      waiting.add(onTurn);
      signal.addEventListener('abort', onAbort, { once: true });
      admit();
    });
  }

  return {
    async run(signal, work) {
      signal.throwIfAborted();
      await turn(signal);
      let isQuick = true;
      const leaveQuick = (): void => {
        if (!isQuick) return;
        isQuick = false;
        inQuick--;
        admit();
      };
      const timer = setTimeout(leaveQuick, slowAfterMs);
      try {
        return await work();
      } finally {
        clearTimeout(timer);
        inAll--;
        if (isQuick) leaveQuick();
        else admit();
      }
    },
  };
}
