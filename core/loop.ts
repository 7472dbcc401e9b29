import type { Clock } from './clock.ts';

/** Work that runs again whenever it is asked to, one run at a time. */
export interface Loop {
  /** Runs as soon as possible. Requests that arrive while a run is under way are one further run. */
  trigger(): void;
  /** Aborts the run under way and waits for its end. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  clock: Clock;
  /** What a run that throws leads to: the delay until the next run in milliseconds, undefined to wait for a trigger. */
  onError: (error: unknown) => number | undefined;
}

/** Made once: to make one, with its stack, is dear for something that happens at every event. */
const WOKEN = new Error('triggered');
/** A run may trigger the next one before it waits for anything. */
const BEGINNING = Promise.resolve();

/**
 * `run` resolves to the delay until the next run in milliseconds, or undefined to wait for a trigger.
 * A trigger ends the delay at once.
 */
export function createLoop(run: (signal: AbortSignal) => Promise<number | undefined>, options: LoopOptions): Loop {
  const stopped = new AbortController();
  let again = false;
  /** Ends the sleep, while there is one. */
  let wake: AbortController | undefined;
  let active: Promise<void> | undefined;

  async function once(): Promise<number | undefined> {
    again = false;
    try {
      return await run(stopped.signal);
    } catch (error) {
      return stopped.signal.aborted ? undefined : options.onError(error);
    }
  }

  async function runUntilIdle(): Promise<void> {
    for (;;) {
      const delayMs = await once();
      if (stopped.signal.aborted) return;
      if (again) continue;
      if (delayMs === undefined) return;
      // Not AbortSignal.any with `stopped`: each such signal leaves memory behind for as long as the loop lives.
      wake = new AbortController();
      await options.clock.sleep(delayMs, wake.signal).catch(() => undefined);
      wake = undefined;
      if (stopped.signal.aborted) return;
    }
  }

  function trigger(): void {
    if (stopped.signal.aborted) return;
    again = true;
    wake?.abort(WOKEN);
    if (active) return;
    active = BEGINNING;
    active = runUntilIdle().finally(() => {
      active = undefined;
      if (again) trigger();
    });
  }

  return {
    trigger,
    async stop() {
      for (const one of [stopped, wake]) one?.abort(new Error('stopped'));
      await active;
    },
  };
}
