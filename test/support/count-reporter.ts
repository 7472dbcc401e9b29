import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Where .ci/run reads the counts of the last run. */
const COUNTS = fileURLToPath(new URL('../../.run/test-counts', import.meta.url));

/** Where .ci/run reads what failed, in a few lines each: whoever sees only the end of a log sees that. */
const FAILURES = fileURLToPath(new URL('../../.run/test-failures', import.meta.url));

const MAX_LINES = 24;
const MAX_CHARACTERS = 240;

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

/** Each failed test by file and name, with the lines of its message or difference that tell most. */
function failuresOf(modules: readonly TestModule[], unhandled: readonly SerializedError[]): string[] {
  const told = unhandled.flatMap((error) => ['outside of a test', ...linesOf(error)]);
  for (const module of modules) {
    for (const error of module.errors()) told.push(module.relativeModuleId, ...linesOf(error));
    for (const test of module.children.allTests('failed')) {
      told.push(`${module.relativeModuleId}: ${test.fullName}`, ...(test.result().errors ?? []).flatMap(linesOf));
    }
  }
  return told;
}

function linesOf(error: SerializedError): string[] {
  const { diff } = error;
  const differences = typeof diff === 'string' ? diff.split('\n').filter((line) => /^[+-]/.test(stripVTControlCharacters(line))) : [];
  const lines = differences.length > 0 ? differences : error.message.split('\n');
  return lines.slice(0, MAX_LINES).map((line) => `  ${stripVTControlCharacters(line).slice(0, MAX_CHARACTERS)}`);
}

/** Writes `PASSED FAILED`, and what failed, when a run has ended; a run that was killed leaves no file. */
export default class CountReporter implements Reporter {
  onTestRunStart(): void {
    for (const file of [COUNTS, FAILURES]) rmSync(file, { force: true });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const { passed, failed } = countsOf(modules, unhandled);
    mkdirSync(dirname(COUNTS), { recursive: true });
    writeFileSync(
      FAILURES,
      failuresOf(modules, unhandled)
        .map((line) => `${line}\n`)
        .join(''),
    );
    writeFileSync(COUNTS, `${passed} ${failed}\n`);
  }
}
