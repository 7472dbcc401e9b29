/**
 * What V8 is told of the agent's heap (measured, docs/performance.md). Without the first it keeps 40 MB of young generation after
 * the first large build; without the others it collects nothing before the heap is several times what is in use, since it takes
 * a process that starts for one that grows.
 */
export const AGENT_V8_OPTIONS: readonly string[] = ['--max-semi-space-size=1', '--initial-old-space-size=24', '--heap-growing-percent=30'];

/**
 * And of the webhook's. A young generation of 2 MB holds a review of 200 KB, so that its tree dies young; what grows old all the
 * same is looked at before it is half as much again. Helpers cost more processor time than they save in so small a heap, and
 * memory of their own.
 */
export const WEBHOOK_V8_OPTIONS: readonly string[] = ['--max-semi-space-size=2', '--single-threaded-gc', '--heap-growing-percent=30'];

/** For the C library: every thread that asks for memory gets a heap of its own otherwise, and keeps it. */
export const WEBHOOK_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1' };
