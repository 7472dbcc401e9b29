import type { Cause } from '#api/failure.ts';
import { oneLine } from '#core/errors.ts';
import { checkSizes, type Index } from './folders.ts';
import { escapeLineEnds, rewriteKustomization, type Rewritten } from './kustomize-rewrite.ts';
import type { FileEntry, FileTree } from './types.ts';
import { readYaml, type YamlDocument } from './yaml.ts';

/** What one build may read: nothing else is put into its folder. */
export interface Scan {
  /** Files as they are. */
  contents: Map<string, Buffer>;
  /** Those of `contents` that hold objects or patches. */
  manifests: Set<string>;
  /** Kustomization files, written anew as JSON from what the scan read: kustomize cannot read anything else in them. */
  kustomizations: Map<string, string>;
  /** The kustomization file of the unit. */
  top: string;
  /** The unit asks for origin annotations itself. */
  wantsOrigins: boolean;
  causes: Cause[];
}

const ORIGINS = 'originAnnotations';

/** Follows a kustomization through everything that it loads, and refuses what is not in the tree. Reads level by level. */
export async function scanUnit(tree: FileTree, index: Index, unit: string, signal: AbortSignal): Promise<Scan> {
  const scan: Scan = { contents: new Map(), manifests: new Set(), kustomizations: new Map(), top: '', wantsOrigins: false, causes: [] };
  const files = new Set<string>();
  const visited = new Set<string>();
  for (let folders = [unit]; folders.length > 0; ) {
    signal.throwIfAborted();
    for (const folder of folders) visited.add(folder);
    const level = folders.flatMap((folder) => kustomizationOf(folder, index, scan.causes));
    const contents = await readFiles(
      tree,
      index,
      level.map(({ file }) => file),
    );
    const next = new Set<string>();
    for (const { folder, file } of level) {
      const content = contents.get(file);
      const document = content && onlyDocument(content, file, scan.causes);
      if (!document) continue;
      const found = await rewriteKustomization(document, { file, folder, index, read: (paths) => readFiles(tree, index, paths) });
      for (const path of found.files) files.add(path);
      for (const path of found.folders) next.add(path);
      note(scan, { file, document, found, isTop: folder === unit });
    }
    folders = [...next].filter((folder) => !visited.has(folder));
  }
  if (scan.causes.length === 0) scan.contents = await readFiles(tree, index, [...files]);
  for (const file of scan.kustomizations.keys()) if (files.has(file)) scan.causes.push(loadedAsData(file));
  return scan;
}

interface Scanned {
  file: string;
  document: YamlDocument;
  found: Rewritten;
  isTop: boolean;
}

function note(scan: Scan, { file, document, found, isTop }: Scanned): void {
  if (isTop) noteTop(scan, file, document);
  scan.causes.push(...found.causes);
  for (const path of found.manifests) scan.manifests.add(path);
  scan.kustomizations.set(file, escapeLineEnds(JSON.stringify(isTop ? withOrigins(found.value) : found.value)));
}

function noteTop(scan: Scan, file: string, document: YamlDocument): void {
  scan.top = file;
  const metadata = (document.value as Record<string, unknown>)['buildMetadata'];
  scan.wantsOrigins = Array.isArray(metadata) && metadata.includes(ORIGINS);
}

function withOrigins(value: Record<string, unknown>): Record<string, unknown> {
  const given = value['buildMetadata'];
  if (given !== undefined && given !== null && !Array.isArray(given)) return value;
  const list: unknown[] = given ?? [];
  return { ...value, buildMetadata: list.includes(ORIGINS) ? list : [...list, ORIGINS] };
}

async function readFiles(tree: FileTree, index: Index, paths: string[]): Promise<Map<string, Buffer>> {
  const entries = paths.map((path) => index.entry(path)).filter((entry): entry is FileEntry => entry !== undefined);
  checkSizes(entries, 'the kustomization');
  return paths.length === 0 ? new Map() : tree.read(paths);
}

function kustomizationOf(folder: string, index: Index, causes: Cause[]): { folder: string; file: string }[] {
  const files = index.kustomizations(folder);
  const [file] = files;
  if (file === undefined) return [];
  if (files.length > 1) {
    const message = `the folder has ${files.length} kustomization files: ${files.map((name) => oneLine(name, 200)).join(', ')}`;
    causes.push({ path: '', code: 'BuildFailed', message, remedy: 'keep one of them', file });
    return [];
  }
  if (index.entry(file)?.kind === 'file') return [{ folder, file }];
  const message = `${oneLine(file, 200)} is no regular file, and links are not followed`;
  causes.push({ path: '', code: 'SymlinkRefused', message, remedy: 'put the file itself there', file });
  return [];
}

function onlyDocument(content: Buffer, file: string, causes: Cause[]): YamlDocument | undefined {
  const read = readYaml(content, file);
  causes.push(...read.causes);
  const [document, second] = read.documents;
  if (read.causes.length > 0) return undefined;
  const problem = second ? 'has more than one document' : document ? shapeProblem(document.value) : 'is empty';
  if (!problem) return document;
  const remedy = 'write one map with resources: and other fields';
  causes.push({ path: '', code: 'BuildFailed', message: `the kustomization file ${problem}`, remedy, file, line: second?.line ?? 1 });
  return undefined;
}

function shapeProblem(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'is no map';
}

/** The copy that kustomize gets is not the text of the file. */
function loadedAsData(file: string): Cause {
  return {
    path: '',
    code: 'KustomizeUnsupported',
    message: 'a kustomization file is loaded as if it were data',
    remedy: 'name its folder, or keep the data in a file of its own',
    file,
  };
}
