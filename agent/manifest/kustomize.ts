import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '#api/failure.ts';
import { oneLine } from '#core/errors.ts';
import type { Index } from './folders.ts';
import { kustomizeMessage } from './kustomize-message.ts';
import { originsOf } from './kustomize-origins.ts';
import { findProgram, runKustomize } from './kustomize-process.ts';
import { type Scan, scanUnit } from './kustomize-scan.ts';
import { secretsOf } from './kustomize-secrets.ts';
import { objectsOf } from './objects.ts';
import { refusal } from './refusal.ts';
import type { BuiltObject, FileTree } from './types.ts';
import { makeWorkFolder, removeWorkFolder } from './work-folder.ts';
import { readYaml } from './yaml.ts';

export interface UnitOptions {
  kustomize: string;
  signal: AbortSignal;
}

/**
 * Builds one folder with the kustomize program: scan first, then a private folder with what the scan found and nothing
 * else. Throws a Failure with all causes.
 */
export async function buildUnit(
  { tree, index }: { tree: FileTree; index: Index },
  unit: string,
  options: UnitOptions,
): Promise<BuiltObject[]> {
  const scan = await scanUnit(tree, index, unit, options.signal);
  if (scan.causes.length > 0) throw refusal(scan.causes);
  const program = await findProgram(options.kustomize);
  const work = await makeWorkFolder();
  try {
    const root = join(work, 'tree');
    await writeTree(root, unit, scan);
    const output = await runKustomize({ program, work, folder: join(root, unit), signal: options.signal });
    if ('text' in output) return objectsOfOutput(output.text, unit, scan);
    const problem = secretsOf(scan).reduce((text, secret) => text.replaceAll(secret, '***'), output.problem);
    throw unreadable(scan) ?? failed(problem, unit, root);
  } finally {
    await removeWorkFolder(work);
  }
}

async function writeTree(root: string, unit: string, scan: Scan): Promise<void> {
  await mkdir(join(root, unit), { recursive: true, mode: 0o700 });
  for (const [path, content] of [...scan.contents, ...scan.kustomizations]) {
    if (path.split('/').some((part) => part === '..' || part === '.' || part === '') || path.includes('\0')) {
      throw new Failure('InvalidPath', `${oneLine(path, 200)} is no path of a file`, { kind: 'stalled', remedy: 'rename it' });
    }
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, content, { mode: 0o600, flag: 'wx' });
  }
}

function objectsOfOutput(text: string, unit: string, scan: Scan): BuiltObject[] {
  const { documents, causes } = readYaml(text, scan.top);
  const read = documents.map((document) => objectsOf(document, scan.top));
  // Lines of the output mean nothing to the reader of the repository.
  const all = [...causes, ...read.flatMap((one) => one.causes)].map(({ line: _, ...cause }) => cause);
  if (all.length > 0) throw refusal(all);
  return originsOf(
    read.flatMap(({ objects }) => objects),
    { unit, scan },
  );
}

/** Where kustomize failed and a manifest is no YAML, that is said instead: it has the line, and kustomize mostly has not. */
function unreadable(scan: Scan): Failure | undefined {
  const causes = [...scan.manifests].flatMap((file) => {
    const content = scan.contents.get(file);
    return content ? readYaml(content, file).causes : [];
  });
  return causes.length > 0 ? refusal(causes) : undefined;
}

function failed(problem: string, unit: string, root: string): Failure {
  const where = unit || 'the repository';
  return new Failure('BuildFailed', `kustomize could not build ${where}: ${kustomizeMessage(problem, root)}`, {
    kind: 'stalled',
    remedy: `run kustomize build ${unit || '.'} in a clone and correct what it names`,
  });
}
