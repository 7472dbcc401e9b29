import { markerSites, type Sites } from './marker-sites.ts';

const MARKER = /\$(?:imagepolicy|publishversion)/;
const BLOCK_HEADER = /(?:^|[:\s-])[|>][-+0-9]*[ \t]*(?:#.*)?\r?$/;

/** Where a line of the file begins, and what stands on it. */
export interface LineSites extends Sites {
  /** Offset of the line in the file: the ranges of the sites count from there. */
  offset: number;
  text: string;
}

/**
 * Markers of a file that is no YAML because a template language runs through it: each line with a marker is read by
 * itself (§8 item 2). What a line alone cannot tell, it leaves.
 */
export function templateLines(text: string): LineSites[] {
  const found: LineSites[] = [];
  const lines = text.split('\n');
  let offset = 0;
  for (const [index, line] of lines.entries()) {
    if (MARKER.test(line)) found.push({ ...sitesOfLine(lines, index), offset, text: line });
    offset += line.length + 1;
  }
  return found;
}

function sitesOfLine(lines: readonly string[], index: number): Sites {
  const line = lines[index]!;
  const at = index + 1;
  const problem = (text: string, remedy: string): Sites => ({ sites: [], problems: [{ line: at, text, remedy }] });
  if (inBlock(lines, index)) return problem('the marker stands inside of a text block', 'put it into a file of its own');
  const read = markerSites(line, { topLists: true });
  if (read.broken || /\{\{/.test(line.replace(/#.*$/s, '').replace(/"[^"]*"|'[^']*'/g, '')))
    return problem('the line is a template that cannot be edited by itself', 'put the value into quotes, on a line of its own');
  return {
    sites: read.sites.map((site) => ({ ...site, line: at })),
    problems: read.problems.map((one) => ({ ...one, line: at })),
  };
}

/** Whether a line with less indentation above opens a text block. */
function inBlock(lines: readonly string[], index: number): boolean {
  let indent = indentOf(lines[index]!);
  for (let above = index - 1; above >= 0 && indent > 0; above--) {
    const line = lines[above]!;
    if (line.trim() === '' || indentOf(line) >= indent) continue;
    if (BLOCK_HEADER.test(line)) return true;
    indent = indentOf(line);
  }
  return false;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
