import { defineConfig } from 'vitest/config';

/** A real control plane with two busy cores behind it. */
const CLUSTER_TIMEOUT_MS = 60_000;

export default defineConfig({
  test: {
    reporters: ['default', './test/support/count-reporter.ts'],
    // Two cores: a third worker would only make deadlines late.
    maxWorkers: 2,
    projects: [
      {
        // Needs no control plane: pure code, and real processes and servers that start in a second.
        test: {
          name: 'fast',
          include: ['test/unit/**/*.test.ts', 'test/wire/**/*.test.ts'],
          globalSetup: ['test/support/shipped-programs.ts'],
          testTimeout: 30_000,
          hookTimeout: 1_200_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          globalSetup: ['test/support/shipped-programs.ts', 'test/support/control-plane.ts'],
          testTimeout: CLUSTER_TIMEOUT_MS,
          hookTimeout: CLUSTER_TIMEOUT_MS * 2,
        },
      },
    ],
  },
});
