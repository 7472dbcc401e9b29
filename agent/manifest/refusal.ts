import { type Cause, Failure } from '#api/failure.ts';
import { sentences } from '#core/errors.ts';

/** So many causes stand in the sentence; all of them stand in `causes`. */
const SHOWN = 10;

/** One Failure out of all mistakes of a folder. The first gives the reason. */
export function refusal(causes: readonly Cause[]): Failure {
  const [first] = causes;
  if (!first) return new Failure('Internal', 'no mistake to report');
  if (causes.length === 1) {
    return new Failure(first.code, `${place(first)}${first.message}`, {
      kind: 'stalled',
      causes,
      ...(first.remedy ? { remedy: first.remedy } : {}),
    });
  }
  const shown = causes.slice(0, SHOWN).map((cause) => `${place(cause)}${cause.message}${cause.remedy ? `; ${cause.remedy}` : ''}`);
  const more = causes.length > SHOWN ? [`And ${causes.length - SHOWN} more`] : [];
  return new Failure(first.code, sentences([...shown, ...more]), { kind: 'stalled', causes });
}

/** The causes of a Failure, or the Failure itself as one. */
export function causesOf(failure: Failure): readonly Cause[] {
  if (failure.causes.length > 0) return failure.causes;
  return [{ path: '', code: failure.reason, message: failure.message, ...(failure.remedy ? { remedy: failure.remedy } : {}) }];
}

function place({ file, line }: Cause): string {
  if (!file) return '';
  return line === undefined ? `${file}: ` : `${file}:${line}: `;
}
