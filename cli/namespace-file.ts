import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NamespaceFacts } from '#api/review.ts';
import { isMap } from '#api/schema.ts';
import { messageOf } from '#core/errors.ts';
import { CommandError, exit } from './exit.ts';
import type { Io } from './io.ts';
import { yamlDocuments } from './yaml-documents.ts';

/** A Namespace as it stands in a file, such as `lateen init` prints it. */
export interface FiledNamespace {
  name: string;
  facts: NamespaceFacts;
}

/** The one Namespace of a file; what else is in it does not matter. */
export function filedNamespace(io: Io, file: string): FiledNamespace {
  const found = documentsOf(io, file).filter((value): value is Record<string, unknown> => isMap(value) && value['kind'] === 'Namespace');
  const metadata = found[0]?.['metadata'];
  const name = isMap(metadata) ? metadata['name'] : undefined;
  if (found.length !== 1 || !isMap(metadata) || typeof name !== 'string') {
    const count = ['no Namespace', 'a Namespace without a name'][found.length] ?? `${found.length} Namespaces`;
    throw new CommandError(exit.usage, `--namespace-file: ${file} holds ${count}`, 'name a file with one, such as lateen init prints it');
  }
  return { name, facts: { labels: textsOf(metadata['labels']), annotations: textsOf(metadata['annotations']) } };
}

function documentsOf(io: Io, file: string): unknown[] {
  try {
    const { documents, causes } = yamlDocuments(readFileSync(resolve(io.cwd, file), 'utf8'), file);
    if (causes[0]) throw new Error(`${file}:${causes[0].line ?? 1}: ${causes[0].message}`);
    return documents.map(({ value }) => value);
  } catch (error) {
    throw new CommandError(exit.usage, `--namespace-file: ${messageOf(error)}`, 'name a file with a Namespace');
  }
}

function textsOf(map: unknown): Record<string, string> {
  const entries = isMap(map) ? Object.entries(map) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
