import type { PolicyProblem } from '#agent/image/policy.ts';
import type { DroppedTag, Selection } from '#agent/image/selection.ts';
import { reasonCode } from '#api/reasons.ts';
import { oneLine } from '#core/errors.ts';

/** A selection as lines: the outcome, then every tag, the kept ones best first. */
export function selectionLines(selection: Selection, policy: string): string[] {
  const { kept, dropped, seen, problem } = selection;
  const [winner, second] = kept;
  const width = longest([...kept, ...dropped].map(({ tag }) => tag));
  return [
    `Policy:     ${oneLine(policy, 200)}`,
    `Tags:       ${seen} seen, ${kept.length} kept, ${dropped.length} dropped`,
    `Winner:     ${winner ? shown(winner.tag) : `none (${reasonCode(problem?.reason ?? 'NoMatch')})`}`,
    `Runner-up:  ${second ? shown(second.tag) : 'none'}`,
    '',
    ...kept.map(({ tag, key }) => `kept     ${shown(tag).padEnd(width)}  ordered by ${shown(key) || '(nothing)'}`),
    ...dropped.map(({ tag, reason, why }) => `dropped  ${shown(tag).padEnd(width)}  ${reasonCode(reason)}: ${oneLine(why, 300)}`),
  ];
}

function shown(text: string): string {
  return oneLine(text, 200);
}

function longest(tags: readonly string[]): number {
  let width = 0;
  for (const tag of tags) width = Math.max(width, shown(tag).length);
  return width;
}

/** The same for programs. */
export function selectionJson({ kept, dropped, seen, problem }: Partial<Selection>, explain: boolean): Record<string, unknown> {
  return {
    ...(problem ? problemJson(problem) : { tag: kept?.[0]?.tag, key: kept?.[0]?.key }),
    ...(kept?.[1] ? { runnerUp: kept[1].tag } : {}),
    ...(seen === undefined ? {} : { seen }),
    ...(explain ? { kept: kept ?? [], dropped: (dropped ?? []).map(droppedJson) } : {}),
  };
}

function problemJson({ reason, text, remedy }: PolicyProblem): Record<string, unknown> {
  return { reason: reasonCode(reason), message: text, ...(remedy ? { remedy } : {}) };
}

function droppedJson({ tag, reason, why }: DroppedTag): Record<string, unknown> {
  return { tag, reason: reasonCode(reason), why };
}
