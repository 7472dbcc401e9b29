export interface Deadline {
  /** Aborts at the deadline, or with the caller's signal. */
  signal: AbortSignal;
  /** Whether it was the time that ended it. */
  passed(): boolean;
  /** To be called when the work has ended. */
  release(): void;
}

/** Not AbortSignal.any: on a parent that lives as long as the agent each such signal leaves memory behind for good. */
export function startDeadline(ms: number, parent: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let passed = false;
  const timer = setTimeout(() => {
    passed = !controller.signal.aborted;
    controller.abort(new Error(`the deadline of ${ms} ms passed`));
  }, ms);
  const onAbort = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) onAbort();
  else parent?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    passed: () => passed,
    release() {
      clearTimeout(timer);
      parent?.removeEventListener('abort', onAbort);
    },
  };
}
