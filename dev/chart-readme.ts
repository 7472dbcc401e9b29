import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isCollection, isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

/** The table of values in the README of a chart, made of the comments in its values.yaml. */

const CHARTS = ['lateen', 'lateen-agent'] as const;
const START = '<!-- generated: values -->';
const END = '<!-- end -->';

const fileOf = (chart: string, name: string): string => fileURLToPath(new URL(`../charts/${chart}/${name}`, import.meta.url));

/** Paths by the name of the chart. */
export const CHART_READMES: Readonly<Record<string, string>> = Object.fromEntries(CHARTS.map((name) => [name, fileOf(name, 'README.md')]));

/** The text of a README with the table of its chart's values. Throws where a value has no comment, or the README no place. */
export async function withValuesTable(chart: string, readme: string): Promise<string> {
  const [start, end] = [readme.indexOf(START), readme.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`the README of the chart ${chart} needs the lines ${START} and ${END}`);
  const table = valuesTable(await readFile(fileOf(chart, 'values.yaml'), 'utf8'));
  return `${readme.slice(0, start + START.length)}\n\n${table}\n\n${readme.slice(end)}`;
}

/** One row for each value: its path, its default, and the comment above it. */
function valuesTable(values: string): string {
  const root = parseDocument(values).contents as YAMLMap;
  const rows = rowsOf(root, '', root.commentBefore ?? '').map((row) => `| ${row.join(' | ')} |`);
  return ['| Value | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

/** The comment of a map's first key is given to the map by the parser. */
function rowsOf(map: YAMLMap, prefix: string, first: string): string[][] {
  return (map.items as Pair<{ value: string; commentBefore?: string }>[]).flatMap(({ key, value }, index) => {
    const path = `${prefix}${key.value}`;
    const comment = oneLine(key.commentBefore ?? (index === 0 ? first : ''));
    if (comment !== '') return [[`\`${path}\``, defaultOf(value), comment]];
    if (isMap(value) && value.items.length > 0) return rowsOf(value, `${path}.`, value.commentBefore ?? '');
    throw new Error(`the value ${path} has no comment above it that says what it is`);
  });
}

function defaultOf(value: unknown): string {
  if (isScalar(value)) return value.value === '' ? '' : `\`${String(value.value)}\``;
  if (!isCollection(value) || value.items.length === 0) return '';
  const text = JSON.stringify(value.toJSON());
  return text.length > 60 ? 'see values.yaml' : `\`${text.replaceAll('|', '\\|')}\``;
}

function oneLine(comment: string): string {
  return comment.replace(/\s+/g, ' ').trim().replaceAll('|', '\\|');
}
