import type { Cause } from '#api/failure.ts';
import { API_VERSION } from '#api/names.ts';
import { type YamlDocument, yamlDocuments } from './yaml-documents.ts';

/** One Application of a file. */
export interface FiledApplication {
  value: Record<string, unknown>;
  file: string;
  lineOf: YamlDocument['lineOf'];
}

export interface ApplicationsFile {
  applications: FiledApplication[];
  /** What is not YAML, or an Application of no known version. */
  causes: Cause[];
  /** Documents that are no objects: a mistake in a file, nothing strange among the files of a folder. */
  shapeless: Cause[];
  /** Objects of other kinds: left out, and said. */
  others: Cause[];
}

/** The Applications of a file, those in a `List` too. */
export function applicationsOf(text: string, file: string): ApplicationsFile {
  const { documents, causes } = yamlDocuments(text, file);
  const found: ApplicationsFile = { applications: [], causes: [...causes], shapeless: [], others: [] };
  for (const { value, lineOf } of documents) for (const one of objectsOf(value, lineOf)) sort(one, file, found);
  return found;
}

interface Item {
  value: unknown;
  lineOf: (path: string) => number;
}

function objectsOf(value: unknown, lineOf: Item['lineOf']): Item[] {
  if (!isMap(value) || value['kind'] !== 'List' || !Array.isArray(value['items'])) return [{ value, lineOf }];
  return value['items'].map((item: unknown, index) => ({ value: item, lineOf: (path) => lineOf(`items[${index}].${path}`) }));
}

function sort({ value, lineOf }: Item, file: string, found: ApplicationsFile): void {
  const at = { path: '', file, line: lineOf('') };
  const kind = isMap(value) ? value['kind'] : undefined;
  if (!isMap(value) || typeof kind !== 'string') {
    const message = isMap(value) ? 'the document has no kind' : 'the document is not a Kubernetes object';
    found.shapeless.push({ ...at, code: 'InvalidObject', message, remedy: 'write apiVersion, kind, metadata and spec' });
  } else if (kind === 'Application' && value['apiVersion'] === API_VERSION) {
    found.applications.push({ value, file, lineOf });
  } else if (kind === 'Application') {
    const message = `apiVersion of an Application must be ${API_VERSION}, received ${JSON.stringify(value['apiVersion'] ?? null)}`;
    found.causes.push({ ...at, line: lineOf('apiVersion'), code: 'InvalidObject', message, remedy: `write apiVersion: ${API_VERSION}` });
  } else {
    found.others.push({ ...at, code: 'InvalidObject', message: `${kind} is not an Application and is left out` });
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
