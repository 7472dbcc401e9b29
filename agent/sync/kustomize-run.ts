import { createHash } from 'node:crypto';
import { Failure } from '#api/failure.ts';
import type { Lanes } from '#core/lanes.ts';
import type { BuiltObject } from '../manifest/check.ts';
import { buildFolder } from '../manifest/build.ts';
import { indexTree } from '../manifest/folders.ts';
import { packed } from '../manifest/packed.ts';
import { normalizePath } from '#api/path.ts';
import type { FetchedCommit, Revision } from './source.ts';

export interface BuildSettings {
  /** The kustomize program. */
  kustomize: string;
  timeoutMs: number;
  /** Runs a build when there is room for one: builds take CPU and memory. */
  lanes: Lanes;
}

/**
 * What the result of a build depends on: the tree below `path`; the whole tree where a kustomization file stands below
 * it, since that may load its neighbours. Equal fingerprints give equal objects.
 */
export function fingerprint(revision: Revision, path: string): string {
  const folder = normalizePath(path);
  const reachesOut = indexTree(revision.tree).kustomizes(folder);
  const tree = revision.tree.treeId(reachesOut ? '' : folder) ?? 'none';
  return createHash('sha256').update(`${tree} ${folder}`).digest('hex');
}

/** Builds the folder of one component at one commit. Throws a Failure with all causes. */
export async function buildRevision(
  revision: Revision,
  path: string,
  settings: BuildSettings,
  signal: AbortSignal,
): Promise<BuiltObject[]> {
  const build = await settings.lanes.run(signal, () =>
    buildFolder(revision.tree, normalizePath(path), { kustomize: settings.kustomize, timeoutMs: settings.timeoutMs, signal }),
  );
  return build.objects.map(packed);
}

/** `3f0c9a1`, as Git shortens it. */
function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}

/** Says at which commit a build or an apply failed. */
export function atCommit(failure: Failure, revision: FetchedCommit): Failure {
  const { reason, message, kind, remedy, causes, retryAfterMs } = failure;
  return new Failure(reason, `${message} (commit ${shortCommit(revision.commit.id)})`, {
    kind,
    causes,
    cause: failure.cause,
    ...(remedy ? { remedy } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
