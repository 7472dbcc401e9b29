import { readYaml } from '#agent/manifest/yaml.ts';
import type { Cause } from '#api/failure.ts';

/** One document of a YAML file. */
export interface YamlDocument {
  value: unknown;
  /** Line of a field path such as `spec.components[0].type`, or of the nearest thing above it that is there. */
  lineOf(path: string): number;
  /** The text of a scalar as it stands in the file. */
  sourceOf(path: string): string | undefined;
}

/** The documents of a file that are not empty, read as kubectl reads them, and what is wrong with its YAML. JSON is YAML too. */
export function yamlDocuments(text: string, file: string): { documents: YamlDocument[]; causes: Cause[] } {
  const { documents, causes } = readYaml(text, file);
  return {
    documents: documents.map(({ value, lineOf, sourceOf }) => ({
      value,
      lineOf: (path) => lineOf(keysOf(path)),
      sourceOf: (path) => sourceOf(keysOf(path)),
    })),
    causes,
  };
}

const STEP = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\.?([^.[\]]+)/gy;

/** `spec.components[0].name` -> spec, components, 0, name. */
function keysOf(path: string): (string | number)[] {
  return [...path.matchAll(STEP)].map(([, index, quoted, plain]) => (index === undefined ? (quoted ?? plain ?? '') : Number(index)));
}
