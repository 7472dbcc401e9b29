import { glob, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type Reason, reasonCode, reasons } from '#api/reasons.ts';

const PAGE = new URL('../../../docs/errors.md', import.meta.url);
const text = await readFile(PAGE, 'utf8');

/** `### Reason`, the code and the meaning of the catalogue, a cause, a cure: in this form and no other. */
const SECTION = /^### (\w+)\n\n`(\w+)`: (.+)\n\n- Cause: (.{20,})\n- Cure: (.{10,})\n/gm;

const sections = [...text.matchAll(SECTION)].map(([, reason = '', code = '', meaning = '']) => ({ reason, code, meaning }));
const headings = [...text.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);

describe('docs/errors.md', () => {
  it('explains every reason of the catalogue: meaning, cause and cure', () => {
    const expected = Object.entries(reasons).map(([reason, meaning]) => ({ reason, code: reasonCode(reason as Reason), meaning }));
    const byName = (all: typeof sections): typeof sections => all.toSorted((a, b) => (a.reason < b.reason ? -1 : 1));
    expect(byName(sections)).toEqual(byName(expected));
  });

  it('explains nothing else, and nothing twice', () => {
    expect(headings.toSorted()).toEqual(Object.keys(reasons).toSorted());
  });

  it('is about reasons that the code gives: none is left over', async () => {
    const root = new URL('../../../', import.meta.url).pathname;
    const rooms = ['agent', 'api', 'certs', 'cli', 'webhook'];
    let code = '';
    for await (const file of glob(rooms.map((room) => `${root}${room}/**/*.ts`))) {
      if (!file.endsWith('api/reasons.ts')) code += await readFile(file, 'utf8');
    }
    expect(Object.keys(reasons).filter((reason) => !code.includes(`'${reason}'`))).toEqual([]);
  });

  it('tells causes and cures apart: no two sections have the same words', () => {
    const lines = text.split('\n').filter((line) => /^- (Cause|Cure): /.test(line) && line !== '- Cure: nothing to do.');
    expect(lines.filter((line, index) => lines.indexOf(line) !== index)).toEqual([]);
  });
});
