import { expect, it } from 'vitest';
import { diffLines } from '#cli/image-diff.ts';

const lines = (count: number): string[] => Array.from({ length: count }, (_, index) => `l${index}`);

it('has three lines of context, and joins what touches', () => {
  const old = lines(30);
  const now = old.map((line, index) => ([2, 6, 25].includes(index) ? `${line}!` : line));
  const diff = diffLines('f', `${old.join('\n')}\n`, `${now.join('\n')}\n`);
  expect(diff.filter((line) => line.startsWith('@@'))).toEqual(['@@ -1,10 +1,10 @@', '@@ -23,7 +23,7 @@']);
  expect(diff.filter((line) => line.startsWith('+')).slice(1)).toEqual(['+l2!', '+l6!', '+l25!']);
});

it('shows the whole where lines were joined', () => {
  expect(diffLines('f', 'a\nb\n', 'ab\n')).toEqual(['--- f', '+++ f', '@@ -1,2 +1,1 @@', '-a', '-b', '+ab']);
});
