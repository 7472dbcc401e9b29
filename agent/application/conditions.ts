import type { Condition } from '#api/application.ts';
import { rfc3339 } from '#core/clock.ts';

export type ConditionDraft = Pick<Condition, 'type' | 'status' | 'reason'> & { message?: string };

/** Conditions whose status did not change keep the time of their last transition. */
export function withTransitions(drafts: ConditionDraft[], before: readonly Condition[], nowMs: number): Condition[] {
  const now = rfc3339(nowMs);
  return drafts.map(({ type, status, reason, message }) => {
    const last = before.find((condition) => condition.type === type);
    const lastTransitionTime = last?.status === status ? last.lastTransitionTime : now;
    return { type, status, reason, ...(message ? { message } : {}), lastTransitionTime };
  });
}

export function isTrue(type: string, reason: string, message?: string): ConditionDraft {
  return { type, status: 'True', reason, ...(message ? { message } : {}) };
}

export function isFalse(type: string, reason: string, message: string): ConditionDraft {
  return { type, status: 'False', reason, message };
}
