import type { Cause } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { groupOf } from '#api/kubernetes.ts';
import { annotation, GROUP } from '#api/names.ts';
import type { BuiltObject } from './types.ts';
import type { YamlDocument } from './yaml.ts';

export interface ReadObjects {
  objects: BuiltObject[];
  causes: Cause[];
}

const KUSTOMIZE_GROUP = 'kustomize.config.k8s.io';
/** Lists inside lists are no shape that the API server writes. */
const MAX_LISTS = 4;

type Path = (string | number)[];

/**
 * The Kubernetes objects of one document. Lists are taken apart; documents of kustomize.config.k8s.io are kustomization
 * files under another name and dropped (spec/sync.md §2.2).
 */
export function objectsOf(document: YamlDocument, file: string): ReadObjects {
  const result: ReadObjects = { objects: [], causes: [] };
  collect(document.value, [], { document, file, result });
  return result;
}

interface Reading {
  document: YamlDocument;
  file: string;
  result: ReadObjects;
}

function collect(value: unknown, path: Path, reading: Reading): void {
  const { document, file, result } = reading;
  const line = path.length === 0 ? document.line : document.lineOf(path);
  const problem = shapeProblem(value);
  if (problem || !isObject(value)) {
    const remedy = 'give it apiVersion, kind and metadata, or move the file out of the path';
    result.causes.push({ path: '', code: 'InvalidObject', message: problem ?? 'this is no Kubernetes object', remedy, file, line });
    return;
  }
  if (groupOf(value.apiVersion) === KUSTOMIZE_GROUP) return;
  const { items } = value;
  if (value.kind.endsWith('List') && Array.isArray(items) && path.length < MAX_LISTS * 2) {
    items.forEach((item: unknown, index) => collect(typedItem(item, value), [...path, 'items', index], reading));
    return;
  }
  result.objects.push({ object: withPublishVersion(normalized(value), path, document), origin: { file, line } });
}

function shapeProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'this is no Kubernetes object';
  const missing = ['apiVersion', 'kind'].filter((name) => {
    const field = (value as Record<string, unknown>)[name];
    return typeof field !== 'string' || field === '';
  });
  return missing.length > 0 ? `this is no Kubernetes object: it has no ${missing.join(' and no ')}` : undefined;
}

function isObject(value: unknown): value is KubeObject {
  return shapeProblem(value) === undefined;
}

/** Items of a typed list such as ConfigMapList may leave out apiVersion and kind, as the API server itself does. */
function typedItem(item: unknown, list: KubeObject): unknown {
  if (list.kind === 'List' || typeof item !== 'object' || item === null || Array.isArray(item)) return item;
  return { apiVersion: list.apiVersion, kind: list.kind.slice(0, -'List'.length), ...item };
}

function normalized(object: KubeObject): KubeObject {
  const metadata: unknown = object.metadata;
  return typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata) ? object : { ...object, metadata: {} };
}

/** publishVersion written without quotes is the text that stands in the file: `1.10` stays `1.10`. */
function withPublishVersion(object: KubeObject, path: Path, document: YamlDocument): KubeObject {
  if (groupOf(object.apiVersion) !== GROUP) return object;
  const annotations: unknown = object.metadata.annotations;
  if (typeof annotations !== 'object' || annotations === null) return object;
  const value = (annotations as Record<string, unknown>)[annotation.publishVersion];
  if (typeof value !== 'number' && typeof value !== 'boolean') return object;
  const text = document.sourceOf([...path, 'metadata', 'annotations', annotation.publishVersion]) ?? String(value);
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [annotation.publishVersion]: text } } };
}
