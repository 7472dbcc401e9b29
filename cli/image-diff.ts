/** Lines of context around a change, as diff -u has. */
const CONTEXT = 3;

/** A unified diff of two texts with the same number of lines, which is what edits of single values leave; else of the whole. */
export function diffLines(file: string, before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  if (old.at(-1) === '') old.pop();
  if (now.at(-1) === '') now.pop();
  const head = [`--- ${file}`, `+++ ${file}`];
  if (old.length !== now.length)
    return [...head, `@@ -1,${old.length} +1,${now.length} @@`, ...old.map((line) => `-${line}`), ...now.map((line) => `+${line}`)];
  return [...head, ...hunksOf(old, now).flatMap(([from, to]) => hunk(old, now, from, to))];
}

/** Ranges of lines around the changed ones; those that touch are one. */
function hunksOf(old: readonly string[], now: readonly string[]): [from: number, to: number][] {
  const hunks: [number, number][] = [];
  for (const [index, line] of old.entries()) {
    if (line === now[index]) continue;
    const last = hunks.at(-1);
    const [from, to] = [Math.max(0, index - CONTEXT), Math.min(old.length, index + CONTEXT + 1)];
    if (last && from <= last[1]) last[1] = to;
    else hunks.push([from, to]);
  }
  return hunks;
}

function hunk(old: readonly string[], now: readonly string[], from: number, to: number): string[] {
  const lines = [`@@ -${from + 1},${to - from} +${from + 1},${to - from} @@`];
  for (let index = from; index < to; index++) {
    if (old[index] === now[index]) lines.push(` ${old[index]}`);
    else lines.push(`-${old[index]}`, `+${now[index]}`);
  }
  return lines;
}
