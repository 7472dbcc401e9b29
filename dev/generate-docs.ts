import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { GenericSchema } from 'valibot';
import { kustomizeSchema } from '#api/kustomize.ts';
import { type SchemaNode, partOf } from '#api/schema.ts';
import { agentSettings } from '#agent/settings.ts';
import { type Setting, flagName } from '#core/settings.ts';
import { webhookSettings } from '#webhook/settings.ts';
import { CHART_READMES, withValuesTable } from './chart-readme.ts';
import { DEFINITION, definitionText } from './component-definition.ts';

/**
 * `node dev/generate-docs.ts` rewrites the generated parts of docs/reference.md and the CUE of the ComponentDefinition from the
 * declarations in the code, and the READMEs of the charts from their values.
 */

export const REFERENCE = new URL('../docs/reference.md', import.meta.url);
const END = '<!-- end -->';

interface Row {
  name: string;
  type: string;
  fallback: string;
  meaning: string;
  since: string;
}

/** `text` with the tables of properties and settings between their markers. Throws where a marker is missing. */
export function withGeneratedParts(text: string): string {
  const withProperties = replaced(text, 'kustomize', propertyTable(kustomizeSchema));
  const withAgent = replaced(withProperties, 'agent settings', settingsTable(agentSettings));
  return replaced(withAgent, 'webhook settings', settingsTable(webhookSettings));
}

function replaced(text: string, part: string, table: string): string {
  const marker = `<!-- generated: ${part} -->`;
  const start = text.indexOf(marker);
  const end = text.indexOf(END, start);
  if (start < 0 || end < 0) throw new Error(`docs/reference.md needs the lines ${marker} and ${END}`);
  return `${text.slice(0, start + marker.length)}\n\n${table}\n\n${text.slice(end)}`;
}

function settingsTable(settings: Record<string, Setting<unknown>>): string {
  const lines = Object.entries(settings).map(([name, setting]) => {
    // The folder for temporary files differs from machine to machine; the page must not.
    const fallback = setting.default?.replace(tmpdir(), '$TMPDIR');
    const shown = fallback === undefined ? '(required)' : fallback === '' ? '' : `\`${fallback}\``;
    return `| \`--${flagName(name)}\` | ${setting.placeholder.replaceAll('|', ' or ')} | ${shown} | ${setting.help} |`;
  });
  return ['| Setting | Value | Default | Meaning |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

function propertyTable(declaration: GenericSchema): string {
  const lines = rowsOf(partOf(declaration).schema, '').map(
    ({ name, type, fallback, meaning, since }) => `| \`${name}\` | ${type} | ${fallback} | ${meaning} | ${since} |`,
  );
  return ['| Property | Type | Default | Meaning | Since |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}

function rowsOf(schema: SchemaNode, prefix: string): Row[] {
  return Object.entries(schema.entries ?? {}).flatMap(([key, entry]) => {
    const part = partOf(entry);
    const name = `${prefix}${key}`;
    const works = part.facts?.works;
    const row: Row = {
      name,
      type: part.facts?.shape ?? typeWords(part.schema),
      fallback: part.required ? '(required)' : defaultText(part.default),
      meaning: `${part.facts?.about ?? ''}${works ? `; today only ${works.map((word) => `\`${word}\``).join(', ')}` : ''}`,
      since: part.facts?.since ?? '',
    };
    return [row, ...rowsOf(part.schema, `${name}.`)];
  });
}

function defaultText(value: unknown): string {
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function typeWords(schema: SchemaNode): string {
  if (schema.type === 'picklist') return (schema.options ?? []).map((word) => `\`${word}\``).join(' or ');
  if (schema.type === 'array') return `list of ${typeWords(partOf(schema.item!).schema)}`;
  return schema.type === 'object' || schema.type === 'record' ? 'map' : schema.type;
}

if (process.argv[1] === import.meta.filename) {
  await writeFile(DEFINITION, definitionText());
  await writeFile(REFERENCE, withGeneratedParts(await readFile(REFERENCE, 'utf8')));
  for (const [chart, readme] of Object.entries(CHART_READMES))
    await writeFile(readme, await withValuesTable(chart, await readFile(readme, 'utf8')));
}
