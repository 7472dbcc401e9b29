/** Exponential backoff with jitter: 2 s, 4 s, 8 s … 10 min, each shortened by up to a half (spec/sync.md §6A step 2). */
export interface Backoff {
  firstMs: number;
  maxMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { firstMs: 2_000, maxMs: 600_000 };

/** Delay before try number `attempt` (0 = the first retry). `random` is in [0, 1). */
export function backoffMs(attempt: number, random: number, { firstMs, maxMs } = DEFAULT_BACKOFF): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(full * (0.5 + random / 2));
}

/** `ms` plus or minus `share` (0.05 = 5 %), so that agents that started together do not poll together. */
export function jitterMs(ms: number, random: number, share = 0.05): number {
  return Math.round(ms * (1 - share + 2 * share * random));
}
