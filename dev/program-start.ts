/** How Node is started for a program as it is shipped: in the image, by bin/, in tests and in benchmarks. */
export interface ProgramStart {
  /** Of V8 (measured, docs/performance.md). */
  options: readonly string[];
  /** Of the C library. */
  environment: Readonly<Record<string, string>>;
}

/** Every thread that asks for memory gets a heap of its own otherwise, and keeps it: 4 of 108 MB in an agent with 300 Applications. */
const ONE_HEAP = { MALLOC_ARENA_MAX: '1' };

/**
 * Without the first option V8 keeps 40 MB of young generation after the first large build; without the others it collects
 * nothing before the heap is several times what is in use, since it takes a process that starts for one that grows. With a fixed
 * threshold of 128 KiB the C library gives memory back that it would keep after a crowd.
 */
const AGENT: ProgramStart = {
  options: ['--max-semi-space-size=1', '--initial-old-space-size=24', '--heap-growing-percent=30'],
  environment: { ...ONE_HEAP, MALLOC_TRIM_THRESHOLD_: '131072' },
};

/**
 * A young generation of 2 MB holds a review of 200 KB, so that its tree dies young; what grows old all the same is looked at before
 * it is half as much again. Helpers cost more processor time than they save in so small a heap, and memory of their own.
 */
const WEBHOOK: ProgramStart = {
  options: ['--max-semi-space-size=2', '--single-threaded-gc', '--heap-growing-percent=30'],
  environment: ONE_HEAP,
};

export const PROGRAM_STARTS = {
  lateen: { options: [], environment: {} },
  'lateen-agent': AGENT,
  'lateen-webhook': WEBHOOK,
} as const satisfies Readonly<Record<string, ProgramStart>>;
