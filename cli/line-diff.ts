/** A line of a comparison: on both sides, or on one alone. */
export interface DiffLine {
  side: 'both' | 'left' | 'right';
  text: string;
}

/** Cells of the table that is made for the lines between the first and the last difference: 16 MB. */
const MAX_CELLS = 4_000_000;

/** The shortest way from one list of lines to the other, what is gone before what is new: as `vela live-diff` orders them. */
export function diffLines(left: readonly string[], right: readonly string[]): DiffLine[] {
  const start = commonStart(left, right);
  const end = commonEnd(left.slice(start), right.slice(start));
  const [before, after] = [left.slice(start, left.length - end), right.slice(start, right.length - end)];
  return [...both(left.slice(0, start)), ...between(before, after), ...both(left.slice(left.length - end))];
}

function commonStart(left: readonly string[], right: readonly string[]): number {
  let length = 0;
  while (length < left.length && length < right.length && left[length] === right[length]) length++;
  return length;
}

function commonEnd(left: readonly string[], right: readonly string[]): number {
  return commonStart(left.toReversed(), right.toReversed());
}

function both(lines: readonly string[]): DiffLine[] {
  return lines.map((text) => ({ side: 'both', text }));
}

function between(left: readonly string[], right: readonly string[]): DiffLine[] {
  const gone = (text: string): DiffLine => ({ side: 'left', text });
  const came = (text: string): DiffLine => ({ side: 'right', text });
  const width = right.length + 1;
  if ((left.length + 1) * width > MAX_CELLS) return [...left.map(gone), ...right.map(came)];
  const common = commonLengths(left, right);
  const at = (row: number, column: number): number => common[row * width + column] ?? 0;
  const lines: DiffLine[] = [];
  for (let [row, column] = [0, 0]; row < left.length || column < right.length; ) {
    if (row < left.length && at(row, column) === at(row + 1, column)) lines.push(gone(left[row++] ?? ''));
    else if (column < right.length && at(row, column) === at(row, column + 1)) lines.push(came(right[column++] ?? ''));
    else {
      lines.push({ side: 'both', text: left[row] ?? '' });
      row++;
      column++;
    }
  }
  return lines;
}

/** For each pair of positions, how many lines the rest of both has in common at most; rows of `right.length + 1`. */
function commonLengths(left: readonly string[], right: readonly string[]): Uint32Array {
  const width = right.length + 1;
  const table = new Uint32Array((left.length + 1) * width);
  for (let row = left.length - 1; row >= 0; row--) {
    for (let column = right.length - 1; column >= 0; column--) {
      const cell = row * width + column;
      const [below, beside] = [table[cell + width] ?? 0, table[cell + 1] ?? 0];
      table[cell] = left[row] === right[column] ? (table[cell + width + 1] ?? 0) + 1 : Math.max(below, beside);
    }
  }
  return table;
}
