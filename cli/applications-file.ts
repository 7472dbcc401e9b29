import type { Cause } from '#api/failure.ts';
import { annotation, API_VERSION } from '#api/names.ts';
import { pathText, quote } from '#api/wording.ts';
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
  /** What is read as it was meant, and better written otherwise. */
  warnings: Cause[];
}

/** The Applications of a file, those in a `List` too. */
export function applicationsOf(text: string, file: string): ApplicationsFile {
  const { documents, causes } = yamlDocuments(text, file);
  const found: ApplicationsFile = { applications: [], causes: [...causes], shapeless: [], others: [], warnings: [] };
  for (const document of documents) for (const one of objectsOf(document)) sort(one, file, found);
  return found;
}

function objectsOf(document: YamlDocument): YamlDocument[] {
  const { value, lineOf, sourceOf } = document;
  if (!isMap(value) || value['kind'] !== 'List' || !Array.isArray(value['items'])) return [document];
  return value['items'].map((item: unknown, index) => ({
    value: item,
    lineOf: (path) => lineOf(`items[${index}].${path}`),
    sourceOf: (path) => sourceOf(`items[${index}].${path}`),
  }));
}

function sort(document: YamlDocument, file: string, found: ApplicationsFile): void {
  const { value, lineOf } = document;
  const at = { path: '', file, line: lineOf('') };
  const kind = isMap(value) ? value['kind'] : undefined;
  if (!isMap(value) || typeof kind !== 'string') {
    const message = isMap(value) ? 'the document has no kind' : 'the document is not a Kubernetes object';
    found.shapeless.push({ ...at, code: 'InvalidObject', message, remedy: 'write apiVersion, kind, metadata and spec' });
  } else if (kind === 'Application' && value['apiVersion'] === API_VERSION) {
    const { application, warning } = withVersionAsText(value, document);
    found.applications.push({ value: application, file, lineOf });
    if (warning) found.warnings.push({ ...warning, file, line: lineOf(VERSION_PATH) });
  } else if (kind === 'Application') {
    const message = `apiVersion of an Application must be ${API_VERSION}, received ${JSON.stringify(value['apiVersion'] ?? null)}`;
    found.causes.push({ ...at, line: lineOf('apiVersion'), code: 'InvalidObject', message, remedy: `write apiVersion: ${API_VERSION}` });
  } else {
    found.others.push({ ...at, code: 'InvalidObject', message: `${kind} is not an Application and is left out` });
  }
}

const VERSION_PATH = pathText(['metadata', 'annotations', annotation.publishVersion]);

/** A publishVersion that YAML reads as a number is the text that stands in the file, as the agent takes it from Git. kubectl refuses it. */
function withVersionAsText(
  value: Record<string, unknown>,
  { sourceOf }: YamlDocument,
): { application: Record<string, unknown>; warning?: Cause } {
  const metadata = isMap(value['metadata']) ? value['metadata'] : {};
  const annotations = isMap(metadata['annotations']) ? metadata['annotations'] : {};
  const version = annotations[annotation.publishVersion];
  if (typeof version !== 'number' && typeof version !== 'boolean') return { application: value };
  const text = sourceOf(VERSION_PATH) ?? String(version);
  const application = { ...value, metadata: { ...metadata, annotations: { ...annotations, [annotation.publishVersion]: text } } };
  const message = `${VERSION_PATH} ${text} is a ${typeof version} to YAML: from Git it is taken as the text ${quote(text)}, and kubectl refuses it`;
  return {
    application,
    warning: { path: VERSION_PATH, code: 'UnquotedVersion', message, value: text, remedy: `put it in quotes: ${quote(text)}` },
  };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
