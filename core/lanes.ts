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
export function createLanes(options: LanesOptions): Lanes {
  return new TwoLanes(options);
}

class TwoLanes implements Lanes {
  readonly #options: LanesOptions;
  readonly #waiting = new Set<() => void>();
  #inQuick = 0;
  #inAll = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  async run<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted();
    await this.#turn(signal);
    let isQuick = true;
    const leaveQuick = (): void => {
      isQuick = false;
      this.#inQuick--;
      this.#admit();
    };
    const timer = setTimeout(leaveQuick, this.#options.slowAfterMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      this.#inAll--;
      if (isQuick) leaveQuick();
      else this.#admit();
    }
  }

  #admit(): void {
    const { quick, most } = this.#options;
    while (this.#inQuick < quick && this.#inAll < most) {
      const [next] = this.#waiting;
      if (!next) return;
      this.#waiting.delete(next);
      next();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onTurn = (): void => {
        signal.removeEventListener('abort', onAbort);
        this.#inQuick++;
        this.#inAll++;
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.delete(onTurn);
        reject(signal.reason as Error);
      };
      this.#waiting.add(onTurn);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#admit();
    });
  }
}
