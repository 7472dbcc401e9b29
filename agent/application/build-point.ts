import type { KustomizeProperties } from '#api/kustomize.ts';
import { type BuildPoint, sourceOf } from '../sync/claims.ts';
import type { Revision } from '../sync/source.ts';

/** Where a component stands at a revision. */
export function pointOf({ url, path }: KustomizeProperties, { tip, commit }: Revision): BuildPoint {
  return { source: sourceOf(url, tip.branch), commit: commit.id, built: true, path };
}

/** Where a component would stand that could not be pulled since the start of the agent: at no commit. */
export function unpulled({ url, path, git }: KustomizeProperties): BuildPoint {
  return { source: sourceOf(url, git?.branch), commit: '', built: false, path };
}
