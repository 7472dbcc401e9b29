/** A signal with a timer behind it. `clear` when the work is done: neither timer nor listener is left. */
export interface Deadline {
  signal: AbortSignal;
  leftMs(): number;
  clear(): void;
}

/** Aborts after `ms` with `reason()`, or with `parent` and its reason, whichever is first. */
export function startDeadline(ms: number, reason: () => Error, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const endsAt = performance.now() + ms;
  const onParent = (): void => controller.abort(parent?.reason);
  const timer = setTimeout(() => controller.abort(reason()), ms);
  if (parent?.aborted) onParent();
  parent?.addEventListener('abort', onParent, { once: true });
  return {
    signal: controller.signal,
    leftMs: () => endsAt - performance.now(),
    clear() {
      clearTimeout(timer);
      parent?.removeEventListener('abort', onParent);
    },
  };
}

/** What `work` resolves to, or the signal's reason where that comes first. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
