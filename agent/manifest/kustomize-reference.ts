import type { Cause } from '#api/failure.ts';
import type { Reason } from '#api/reasons.ts';
import { oneLine } from '#core/errors.ts';
import { type Index, join, resolvePath, symlinkCause } from './folders.ts';

/** Where a string stands that kustomize would load. */
export interface Spot {
  /** The kustomization file, or the plugin configuration. */
  file: string;
  /** Folder that the path is relative to. */
  folder: string;
  line: number;
  /** `resources[0]`. */
  field: string;
}

export type Wanted = 'file' | 'folder' | 'any';
export type Found = { file: string } | { folder: string } | { cause: Cause };

/**
 * The wall in front of kustomize: a string passes only where it names something that is in the tree. kustomize takes
 * what it does not find for a URL, so existence is part of the test.
 */
export function findReference(text: unknown, wanted: Wanted, spot: Spot, index: Index): Found {
  if (typeof text !== 'string' || text === '')
    return refuse(spot, 'BuildFailed', 'must be a path', 'write the path of a file of the repository');
  if (isRemote(text))
    return refuse(
      spot,
      'RemoteResourceForbidden',
      `names something outside the repository: ${shown(text)}`,
      'copy it into the repository and name the copy',
    );
  const problem = pathProblem(text);
  if (problem) return refuse(spot, 'InvalidPath', `${problem}: ${shown(text)}`, 'write a path relative to the kustomization file');
  const path = resolvePath(spot.folder, text);
  if (path === undefined)
    return refuse(spot, 'InvalidPath', `leaves the repository: ${shown(text)}`, 'name something inside the repository');
  const obstacle = index.obstacle(path);
  if (obstacle?.kind === 'symlink') return { cause: { ...symlinkCause(obstacle.path, spot.file, spot.line), path: spot.field } };
  if (obstacle)
    return refuse(
      spot,
      'InvalidPath',
      `leads into the Git submodule ${shown(obstacle.path)}`,
      'keep the manifests in the repository itself',
    );
  return (
    foundAt(path, wanted, spot, index) ??
    refuse(spot, 'BuildFailed', missing(text, path, wanted, index), 'correct the path, or push what is missing')
  );
}

function foundAt(path: string, wanted: Wanted, spot: Spot, index: Index): Found | undefined {
  if (wanted !== 'folder' && index.entry(path)) return { file: path };
  if (wanted === 'file' || !index.isFolder(path)) return undefined;
  if (index.kustomizations(path).length > 0) return { folder: path };
  return refuse(
    spot,
    'BuildFailed',
    `names the folder ${shown(path || '.')}, which has no kustomization file`,
    `add ${join(path, 'kustomization.yaml')}, or list the files of the folder`,
  );
}

function missing(text: string, path: string, wanted: Wanted, index: Index): string {
  if (index.isFolder(path)) return `names a folder where a file is needed: ${shown(text)}`;
  if (index.entry(path)) return `names a file where a folder is needed: ${shown(text)}`;
  return `names a ${wanted === 'folder' ? 'folder' : 'file'} that is not in the repository: ${shown(text)}`;
}

/** Spellings that kustomize takes for a URL, a Git repository or a host (api/internal/git/repospec.go), and a few more. */
function isRemote(text: string): boolean {
  const plain = text.trim();
  if (/^[a-z][a-z0-9+.-]*:/i.test(plain) || plain.includes('::') || plain.includes('://')) return true;
  return (
    /^[^/]*[@:]/.test(plain) ||
    plain.includes('?') ||
    /^([a-z0-9-]+\.)?(github|gitlab|bitbucket)\.(com|org)(\/|$)/i.test(plain) ||
    plain.startsWith('//')
  );
}

function pathProblem(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'holds control characters';
  if (text.includes('\\')) return 'holds a backslash';
  return text.startsWith('/') ? 'is absolute' : undefined;
}

export function refuse({ file, line, field }: Spot, code: Reason, problem: string, remedy: string): { cause: Cause } {
  return { cause: { path: field, code, message: `${field} ${problem}`, remedy, file, line } };
}

function shown(text: string): string {
  return oneLine(text.replace(/\/\/[^/\s]*@/g, '//***@'), 200);
}
