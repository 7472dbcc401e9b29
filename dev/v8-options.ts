/**
 * What V8 is told of the agent's heap (measured, docs/performance.md). Without the first it keeps 40 MB of young generation after
 * the first large build; without the others it collects nothing before the heap is several times what is in use, since it takes
 * a process that starts for one that grows.
 */
export const AGENT_V8_OPTIONS: readonly string[] = ['--max-semi-space-size=1', '--initial-old-space-size=24', '--heap-growing-percent=30'];
