import type { KubeObject } from '#api/kubernetes.ts';
import { resolvePath } from './folders.ts';
import type { Scan } from './kustomize-scan.ts';
import type { BuiltObject, Origin } from './types.ts';
import { readYaml } from './yaml.ts';

const ORIGIN = 'config.kubernetes.io/origin';

interface Named {
  kind: string;
  name: string;
  line: number;
}

/** Reads the origin annotations that kustomize wrote, and takes them off again unless the unit asked for them. */
export function originsOf(objects: readonly BuiltObject[], { unit, scan }: { unit: string; scan: Scan }): BuiltObject[] {
  const files = new Map<string, Named[]>();
  return objects.map(({ object }) => {
    const annotated = object.metadata.annotations?.[ORIGIN];
    const file = typeof annotated === 'string' ? fileOf(annotated, unit) : undefined;
    const stripped = scan.wantsOrigins ? object : withoutOrigin(object);
    return { object: stripped, origin: originOf(stripped, file, { files, scan }) };
  });
}

/** `path: ../base/x.yaml` of a resource, `configuredIn: kustomization.yaml` of a generated object. Relative to the unit. */
function fileOf(annotation: string, unit: string): string | undefined {
  const path = /^path: (.+)$/m.exec(annotation)?.[1] ?? /^configuredIn: (.+)$/m.exec(annotation)?.[1];
  return path === undefined ? undefined : resolvePath(unit, path.replace(/^(['"])(.*)\1$/, '$2'));
}

function originOf(object: KubeObject, file: string | undefined, { files, scan }: { files: Map<string, Named[]>; scan: Scan }): Origin {
  const content = file === undefined ? undefined : scan.contents.get(file);
  if (file === undefined || !content) return { file: file ?? scan.top };
  const named = files.get(file) ?? namesOf(content, file);
  files.set(file, named);
  // Prefixes and suffixes surround the name that stands in the file.
  const ofKind = named.filter(({ kind, name }) => kind === object.kind && (object.metadata.name ?? '').includes(name));
  const best = ofKind.sort((a, b) => b.name.length - a.name.length)[0] ?? (named.length === 1 ? named[0] : undefined);
  return best ? { file, line: best.line } : { file };
}

function namesOf(content: Buffer, file: string): Named[] {
  return readYaml(content, file).documents.map(({ value, line }) => {
    const { kind, metadata } = value as { kind?: unknown; metadata?: { name?: unknown } };
    return { kind: textOf(kind), name: textOf(metadata?.name), line };
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function withoutOrigin(object: KubeObject): KubeObject {
  const { annotations, ...metadata } = object.metadata;
  if (!annotations) return object;
  const { [ORIGIN]: _, ...rest } = annotations;
  return { ...object, metadata: Object.keys(rest).length > 0 ? { ...object.metadata, annotations: rest } : metadata };
}
