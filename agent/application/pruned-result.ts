import { detail } from '#api/details.ts';
import { displayName, type ObjectReference } from '#api/kubernetes.ts';
import { oneLine } from '#core/errors.ts';
import type { Pruned } from '../sync/delivery.ts';
import { endingText } from '../sync/endings.ts';
import type { ComponentResult } from './component-loop.ts';
import { heldText, SHOWN_DIGITS } from './held-text.ts';

const MAX_NAMED = 3;

/**
 * The result of a component once what has left Git was looked at. None of it is a failure: everything that Git has is applied
 * and well. What is held is said with what a person may do; what waits, where `long`, since a hand-over takes a moment.
 */
export function withPrune(
  result: ComponentResult,
  pruned: Pruned,
  { application, long }: { application: string; long: boolean },
): ComponentResult {
  const { held, waiting, ending } = pruned;
  const waits = waiting.length > 0 ? { waiting: true as const } : {};
  if (held) {
    const details = { ...result.details, [detail.heldPrune]: held.commit.slice(0, SHOWN_DIGITS) };
    return { ...result, ...waits, message: heldText(held, application), details };
  }
  const texts = [ending.length > 0 ? endingText(ending) : '', waiting.length > 0 && long ? waitingText(waiting) : ''].filter(Boolean);
  if (texts.length === 0) return { ...result, ...waits };
  return { ...result, ...waits, message: oneLine([result.message, ...texts].filter(Boolean).join('; ')) };
}

function waitingText(waiting: readonly ObjectReference[]): string {
  const named = waiting.slice(0, MAX_NAMED).map(displayName).join(', ');
  const more = waiting.length > MAX_NAMED ? ` and ${waiting.length - MAX_NAMED} more` : '';
  const have = waiting.length === 1 ? 'has left Git here and stays' : 'have left Git here and stay';
  return `${named}${more} ${have}, since another component may have ${waiting.length === 1 ? 'it' : 'them'} once it has come to its end`;
}
