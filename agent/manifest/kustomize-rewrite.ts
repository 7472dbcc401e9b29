import type { Cause } from '#api/failure.ts';
import { oneLine } from '#core/errors.ts';
import type { Index } from './folders.ts';
import { FIELDS, type Field, ITEMS, type Part, PLUGINS } from './kustomize-fields.ts';
import { findReference, refuse, type Spot, type Wanted } from './kustomize-reference.ts';
import { readYaml, type YamlDocument } from './yaml.ts';

export interface RewriteContext {
  file: string;
  folder: string;
  index: Index;
  /** Contents of files that are in the index. */
  read(paths: string[]): Promise<Map<string, Buffer>>;
}

export interface Rewritten {
  /** The kustomization as kustomize is to read it: plugin configurations stand in it instead of beside it. */
  value: Record<string, unknown>;
  files: string[];
  /** Those of the files that hold objects or patches. */
  manifests: string[];
  folders: string[];
  causes: Cause[];
}

type Path = (string | number)[];

interface Work extends RewriteContext {
  document: YamlDocument;
  found: Rewritten;
}

interface Refusal {
  code: Cause['code'];
  /** What stands after the name of the field. */
  problem: string;
  remedy: string;
}

/** Checks every field of one kustomization file, all mistakes together. Unknown fields are mistakes: it fails closed. */
export async function rewriteKustomization(document: YamlDocument, context: RewriteContext): Promise<Rewritten> {
  const found: Rewritten = { value: {}, files: [], manifests: [], folders: [], causes: [] };
  const work: Work = { ...context, document, found };
  for (const [name, value] of Object.entries(document.value as Record<string, unknown>)) {
    const field = FIELDS.get(name);
    if (!field) {
      refused(work, [name], {
        code: 'KustomizeUnsupported',
        problem: 'is no field that kustomize 5.8 has',
        remedy: 'correct its spelling, or remove it',
      });
      continue;
    }
    const patchTexts = name === 'patches' && isList(value) && value.length > 0 && value.every((item) => typeof item === 'string');
    found.value[patchTexts ? 'patchesStrategicMerge' : name] = value;
    if (value !== null) await checkField(patchTexts ? 'patchTexts' : field, [name], value, work);
  }
  return found;
}

async function checkField(field: Field, path: Path, value: unknown, work: Work): Promise<void> {
  if (field === 'plain') return;
  if (field === 'helm')
    return refused(work, path, {
      code: 'KustomizeUnsupported',
      problem: 'runs helm, which loads charts from outside',
      remedy: 'render the chart and keep the result in the repository',
    });
  if (field === 'openapi') return parts(ITEMS.openapi, path, value, work);
  if (!isList(value))
    return refused(work, path, { code: 'BuildFailed', problem: 'must be a list', remedy: 'put a dash before each entry' });
  for (const [position, item] of value.entries()) {
    const at = [...path, position];
    if (field === 'plugins') await plugin(at, item, work);
    else if (field === 'patches' || field === 'replacements' || field === 'generators') parts(ITEMS[field], at, item, work);
    else if (field === 'patchTexts') patchText(at, item, work);
    else reference(WANTED[field], at, item, work);
  }
}

const WANTED = { any: 'any', folders: 'folder', files: 'file' } as const;

/** The parts of one map. Only exact names pass, since kustomize would also read `Path`. */
function parts(known: ReadonlyMap<string, Part>, path: Path, value: unknown, work: Work): void {
  if (!isMap(value)) return refused(work, path, { code: 'BuildFailed', problem: 'must be a map', remedy: 'write key: value lines' });
  for (const [name, content] of Object.entries(value)) {
    const part = known.get(name);
    const at = [...path, name];
    if (!part)
      refused(work, at, {
        code: 'KustomizeUnsupported',
        problem: 'is no field that kustomize 5.8 has there',
        remedy: 'correct its spelling, or remove it',
      });
    else if (content !== null && part !== 'plain') loadingPart(part, at, content, work);
  }
}

function loadingPart(part: Exclude<Part, 'plain'>, path: Path, content: unknown, work: Work): void {
  if (part === 'file') return content === '' ? undefined : reference('file', path, content, work);
  if (!isList(content))
    return refused(work, path, { code: 'BuildFailed', problem: 'must be a list', remedy: 'put a dash before each entry' });
  for (const [position, item] of content.entries()) {
    const at = [...path, position];
    if (part === 'files') reference('file', at, item, work);
    else if (part === 'patchTexts') patchText(at, item, work);
    else if (part === 'replacements') parts(ITEMS.replacements, at, item, work);
    else fileSource(at, item, work);
  }
}

/** `path` or `key=path` (api/internal/generators/utils.go). */
function fileSource(path: Path, item: unknown, work: Work): void {
  const pieces = typeof item === 'string' ? item.split('=') : [];
  if (pieces.length > 2)
    return refused(work, path, { code: 'BuildFailed', problem: 'holds more than one =', remedy: 'write path, or key=path' });
  reference('file', path, pieces.at(-1) ?? item, work);
}

/** kustomize takes what is no manifest for a path, so a text passes only where it cannot be one. */
function patchText(path: Path, item: unknown, work: Work): void {
  if (typeof item === 'string' && isInline(item)) return;
  reference('file', path, item, work);
}

function isInline(text: string): boolean {
  return !/^\s*[a-z][a-z0-9+.-]*:\/\//i.test(text) && (text.trim().includes('\n') || /^\s*\{/.test(text));
}

function reference(wanted: Wanted, path: Path, item: unknown, work: Work): void {
  const found = findReference(item, wanted, spotOf(work, path), work.index);
  if ('cause' in found) work.found.causes.push(found.cause);
  else if ('folder' in found) work.found.folders.push(found.folder);
  else work.found.files.push(found.file);
  if ('file' in found && (wanted === 'any' || String(path[0]).startsWith('patches'))) work.found.manifests.push(found.file);
}

/**
 * A generator, transformer or validator: written in place, or in a file, whose documents are then put in its place. A
 * folder is refused, since what comes out of it is known only after the build.
 */
async function plugin(path: Path, item: unknown, work: Work): Promise<void> {
  if (typeof item === 'string' && isInline(item)) return pluginText(path, Buffer.from(item), work);
  const found = findReference(item, 'any', spotOf(work, path), work.index);
  if ('cause' in found) {
    work.found.causes.push(found.cause);
    return;
  }
  if ('folder' in found)
    return refused(work, path, {
      code: 'KustomizeUnsupported',
      problem: 'names a folder of plugin configurations',
      remedy: 'list their files',
    });
  const contents = await work.read([found.file]);
  const content = contents.get(found.file);
  if (content) pluginText(path, content, work, found.file);
}

function pluginText(path: Path, content: Buffer, work: Work, file?: string): void {
  const read = readYaml(content, file ?? work.file);
  const line = work.document.lineOf(path);
  work.found.causes.push(...read.causes.map((cause) => (file ? cause : { ...cause, line })));
  for (const document of read.documents) pluginDocument(document, { ...work, ...(file ? { document, file } : {}) }, file ? [] : path);
  setAt(work.found.value, path, read.documents.map(({ value }) => asYaml(value)).join('\n---\n'));
}

function pluginDocument(document: YamlDocument, work: Work, path: Path): void {
  const value = document.value;
  if (!isMap(value))
    return refused(work, path, {
      code: 'BuildFailed',
      problem: 'is no plugin configuration',
      remedy: 'give it apiVersion, kind and metadata.name',
    });
  const kind = typeof value['kind'] === 'string' ? value['kind'] : '';
  if (value['apiVersion'] !== 'builtin' || !PLUGINS.has(kind)) {
    const problem = `needs the plugin ${oneLine(`${String(value['apiVersion'])} ${kind}`, 100)}, which would run a program or a container`;
    return refused(work, path, {
      code: 'KustomizeUnsupported',
      problem,
      remedy: 'use a plugin that is built into kustomize (apiVersion: builtin)',
    });
  }
  const known = PLUGINS.get(kind);
  if (known) parts(known, path, value, work);
}

function refused(work: Work, path: Path, { code, problem, remedy }: Refusal): void {
  work.found.causes.push(refuse(spotOf(work, path), code, problem, remedy).cause);
}

function spotOf({ file, folder, document }: Work, path: Path): Spot {
  const field = path
    .map((part, position) => (typeof part === 'number' ? `[${part}]` : `${position > 0 ? '.' : ''}${oneLine(part, 100)}`))
    .join('');
  return { file, folder, line: document.lineOf(path), field: field || 'the document' };
}

/** JSON that every YAML reader takes for the same text: line ends of YAML 1.1 are escaped. */
function asYaml(value: unknown): string {
  return escapeLineEnds(JSON.stringify(value));
}

export function escapeLineEnds(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function setAt(value: Record<string, unknown>, [name, position]: Path, text: string): void {
  const list = value[String(name)];
  if (isList(list) && typeof position === 'number') value[String(name)] = list.with(position, text);
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
