import { Failure } from '#api/failure.ts';
import { reasonCode } from '#api/reasons.ts';
import { messageOf } from '#core/errors.ts';
import { toFailure } from '../cluster/failure.ts';

/** Whatever was thrown, as a Failure. What nobody foresaw is a defect of ours and says so. */
export function failureOf(error: unknown, doing: string): Failure {
  if (error instanceof Failure) return error;
  return toFailure(error, doing);
}

/** For logs: the sentence, and the stack where it is our defect. */
export function failureFields(failure: Failure): Record<string, unknown> {
  const unforeseen = failure.reason === 'Internal';
  return { reason: reasonCode(failure.reason), error: messageOf(failure), ...(unforeseen ? { stack: failure.stack } : {}) };
}
