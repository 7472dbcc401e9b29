/** Time as a parameter: the only file with timers. Tests pass a clock of their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`, 24 days at most, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest that setTimeout can wait; longer ones fire at once. */
const MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const onTime = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const timer = setTimeout(onTime, Math.min(ms, MAX_MS));
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
};

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** A signal that aborts after `ms` or with `parent`, whichever is first. */
export function withDeadline(ms: number, parent?: AbortSignal): AbortSignal {
  const deadline = AbortSignal.timeout(ms);
  return parent ? AbortSignal.any([parent, deadline]) : deadline;
}
