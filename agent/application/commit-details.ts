import { detail } from '#api/details.ts';
import { oneLine } from '#core/errors.ts';
import type { FetchedCommit } from '../sync/source.ts';

/** What a component says of the commit that it stands at. */
export function commitDetails({ commit, tip }: FetchedCommit, objects: number): Record<string, string> {
  return {
    [detail.branch]: tip.branch,
    [detail.commit]: commit.id,
    [detail.author]: oneLine(commit.author, 200),
    [detail.subject]: oneLine(commit.subject, 200),
    [detail.committed]: commit.committedAt,
    [detail.objects]: String(objects),
  };
}

/** What a former agent wrote about its last failure says nothing about this one's first run. */
export function withoutFailure(details: Record<string, string>): Record<string, string> {
  const { [detail.reason]: _reason, [detail.nextTry]: _next, [detail.failing]: _failing, [detail.health]: _health, ...rest } = details;
  return rest;
}
