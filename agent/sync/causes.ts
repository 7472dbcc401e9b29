import { type Cause, Failure } from '#api/failure.ts';
import type { Reason } from '#api/reasons.ts';
import { sentences } from '#core/errors.ts';
import { toFailure } from '../cluster/failure.ts';
import type { Desired } from './desired.ts';

const MAX_SHOWN = 10;

/** `a.yaml:3: Deployment/web: …` for every cause, the first ten in words. */
export function describeCauses(causes: readonly Cause[]): string {
  const shown = causes.slice(0, MAX_SHOWN).map(({ file, line, message, remedy }) => {
    const place = file ? `${file}${line ? `:${line}` : ''}: ` : '';
    return `${place}${message}${remedy ? `; ${remedy}` : ''}`;
  });
  const more = causes.length - shown.length;
  return sentences(more > 0 ? [...shown, `And ${more} more`] : shown);
}

/** Mends itself, perhaps: the kind may be installed, the right granted, the other component may let go. */
const PASSING = new Set<Reason>(['UnknownKind', 'OwnershipConflict', 'Forbidden', 'ClusterUnavailable']);

/** Everything that went wrong with the objects of a component, as one Failure; undefined where nothing did. */
export function objectsFailure(causes: readonly Cause[], failures: readonly Failure[]): Failure | undefined {
  // In the order of Git: that of the answers is another one each time.
  const all = [...causes, ...failures.flatMap((one) => one.causes)].sort(byPlace);
  const [first] = all;
  if (!first) return undefined;
  const passing = failures.some(({ kind }) => kind === 'transient') || causes.some(({ code }) => PASSING.has(code));
  const waits = failures.flatMap(({ retryAfterMs }) => (retryAfterMs === undefined ? [] : [retryAfterMs]));
  // Of one the remedy stands apart, so that what is said of the whole comes before it.
  const { remedy, ...rest } = first;
  const alone = all.length === 1 && remedy !== undefined;
  return new Failure(first.code, describeCauses(alone ? [rest] : all), {
    ...(alone ? { remedy } : {}),
    kind: passing ? 'transient' : 'stalled',
    causes: all,
    ...(waits.length > 0 ? { retryAfterMs: Math.max(...waits) } : {}),
  });
}

function byPlace(one: Cause, other: Cause): number {
  return (one.file ?? '').localeCompare(other.file ?? '') || (one.line ?? 0) - (other.line ?? 0) || one.path.localeCompare(other.path);
}

/** Whether an Application is among what could not be applied. */
export function refusesApplication(failure: Failure | undefined): boolean {
  return failure?.causes.some(({ path, message }) => /\bApplication\//.test(`${path} ${message}`)) ?? false;
}

/** An object whose kind cannot be watched, and so not kept in sync. */
export function unwatched({ object, reference, origin }: Desired, error: unknown): Cause {
  const { reason, message, remedy } = toFailure(error, `apply ${reference.kind}/${reference.name}`, 'all rights');
  const { file, line } = origin;
  return {
    path: `${object.kind}/${reference.name}`,
    code: reason,
    message,
    ...(remedy ? { remedy } : {}),
    file,
    ...(line ? { line } : {}),
  };
}
