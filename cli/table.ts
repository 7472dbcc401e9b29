import { textWidth } from './text-width.ts';

/** The widest that a column of `vela` gets; longer cells are wrapped between words (spec/kubevela.md §2). */
const MAX_COLUMN = 60;

/** A table as `vela` prints it: every cell padded to the width of its column, the last one too, joined by tabs. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      const width = Math.max(...cell.split('\n').map(textWidth));
      widths[column] = Math.max(widths[column] ?? 0, Math.min(width, MAX_COLUMN));
    }
  }
  return rows.map((row) => rowText(row, widths)).join('\n');
}

function rowText(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, column) => wrap(cell, widths[column] ?? 0));
  const height = Math.max(...cells.map((lines) => lines.length));
  const lines = Array.from({ length: height }, (_, line) =>
    cells.map((cell, column) => fit(cell[line] ?? '', widths[column] ?? 0)).join('\t'),
  );
  return lines.join('\n');
}

function wrap(cell: string, width: number): string[] {
  return cell.split('\n').flatMap((line) => (textWidth(line) > width ? wrapLine(line, width) : [line]));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (current !== '' && textWidth(longer) > width) {
      lines.push(current);
      current = word;
    } else current = longer;
  }
  return [...lines, current];
}

/** Exactly `width` columns: padded, or cut with three dots where one word is too long. */
function fit(text: string, width: number): string {
  const missing = width - textWidth(text);
  if (missing >= 0) return text + ' '.repeat(missing);
  let kept = '';
  for (const letter of text) {
    if (textWidth(kept + letter) > width - 3) break;
    kept += letter;
  }
  return `${kept}...`.padEnd(width);
}
