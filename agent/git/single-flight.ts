/** How long a caller that gives up waits for what it started to end. */
const END_GRACE_MS = 2_000;

interface Flight<Result> {
  promise: Promise<Result>;
  callers: number;
  stop: AbortController;
}

/**
 * Calls with the same key share one run. Each caller leaves at its own signal; the run is aborted when the last one has
 * left, and that one waits until the run has ended.
 */
export class SingleFlight<Result> {
  readonly #flights = new Map<string, Flight<Result>>();

  async run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    signal.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    flight.callers++;
    const left = untilAborted(signal);
    try {
      return await Promise.race([flight.promise, left.promise]);
    } finally {
      left.release();
      flight.callers--;
      if (flight.callers === 0) await this.#end(key, flight, signal);
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<Result>): Flight<Result> {
    const stop = new AbortController();
    const promise = work(stop.signal).finally(() => this.#forget(key, flight));
    promise.catch(() => undefined);
    const flight: Flight<Result> = { promise, callers: 0, stop };
    this.#flights.set(key, flight);
    return flight;
  }

  async #end(key: string, flight: Flight<Result>, signal: AbortSignal): Promise<void> {
    this.#forget(key, flight);
    if (!signal.aborted) return;
    flight.stop.abort(signal.reason);
    const ended = flight.promise.then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([ended, new Promise<void>((resolve) => setTimeout(resolve, END_GRACE_MS).unref())]);
  }

  #forget(key: string, flight: Flight<Result>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/** A promise that rejects with the signal's reason; `release` takes the listener off. */
export function untilAborted(signal: AbortSignal): { promise: Promise<never>; release: () => void } {
  let onAbort = (): void => {};
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  promise.catch(() => undefined);
  return { promise, release: () => signal.removeEventListener('abort', onAbort) };
}
