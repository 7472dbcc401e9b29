import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Where .ci/run reads the counts of the last run. */
const COUNTS = fileURLToPath(new URL('../../.run/test-counts', import.meta.url));

/** The counts of a run that has ended: a file that did not load, and an error outside a test, are failures. */
export function countsOf(modules: readonly TestModule[], unhandled: readonly SerializedError[]): { passed: number; failed: number } {
  const counts = { passed: 0, failed: unhandled.length };
  for (const module of modules) {
    const tests = [...module.children.allTests()];
    const failed = tests.filter((test) => test.result().state === 'failed').length;
    counts.passed += tests.filter((test) => test.result().state === 'passed').length;
    counts.failed += failed === 0 && module.state() === 'failed' ? 1 : failed;
  }
  return counts;
}

/** Writes `PASSED FAILED` when a run has ended; a run that was killed leaves no file. */
export default class CountReporter implements Reporter {
  onTestRunStart(): void {
    rmSync(COUNTS, { force: true });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const { passed, failed } = countsOf(modules, unhandled);
    mkdirSync(dirname(COUNTS), { recursive: true });
    writeFileSync(COUNTS, `${passed} ${failed}\n`);
  }
}
