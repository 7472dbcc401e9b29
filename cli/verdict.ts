import type { Application, Condition } from '#api/application.ts';
import { type Reason, reasonCode } from '#api/reasons.ts';
import { oneLine } from '#core/errors.ts';

/** How what `lateen wait` waits for stands. `waiting` goes on; everything else is an answer. */
export interface Verdict {
  state: 'waiting' | 'done' | 'failed' | 'held' | 'superseded';
  /** One sentence without the final stop. */
  text: string;
  /** Set where the agent may have the answer as soon as it pulls. */
  unpulled?: true;
}

const MAX_TEXT = 4_096;

/** Whether the status speaks of the Application as it is. */
export function isSettled({ metadata, status }: Application): boolean {
  return status?.observedGeneration === metadata.generation;
}

export function conditionOf({ status }: Application, type: string): Condition | undefined {
  return status?.conditions?.find((one) => one.type === type);
}

export function conditionText({ reason, message = '' }: Condition): string {
  return `${reasonCode(reason as Reason)}: ${oneLine(message, MAX_TEXT)}`;
}

/** `: wait healthy`, and nothing where there is no message. */
export function because(message: string | undefined): string {
  return message ? `: ${oneLine(message, MAX_TEXT)}` : '';
}
