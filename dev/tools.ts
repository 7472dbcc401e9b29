// `make tools`: makes every program available and prints where each came from.
import { messageOf } from '#core/errors.ts';
import { untilSignal } from '#core/lifecycle.ts';
import { findPrograms } from './programs.ts';
import { PROGRAMS, type ProgramName } from './versions.ts';

const names = Object.keys(PROGRAMS) as ProgramName[];

try {
  const found = await findPrograms(names, { signal: untilSignal() });
  const rows = [['PROGRAM', 'VERSION', 'FROM', 'PATH'], ...found.map((one) => [one.name, one.version, one.source, one.path])];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    );
  }
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
