import { annotation, label } from './names.ts';

/**
 * vela-core copies labels and annotations of an Application to everything that it makes of it, but those that
 * `filter.oam.dev/label-keys` and `filter.oam.dev/annotation-keys` list. Our own are about the Application alone.
 */

const LABELS = [label.application, label.component];
/** Of an Application; what only a Namespace carries is not among them. */
const ANNOTATIONS = [
  annotation.approvePrune,
  annotation.handedBack,
  annotation.hold,
  annotation.imageHold,
  annotation.publishVersionMode,
  annotation.reconcileAt,
  annotation.requestedBy,
];

/** Both lists with our keys, for an Application with these annotations: what stood there first, then ours, always in one order. */
export function filterKeys(annotations: Readonly<Record<string, unknown>>): Record<string, string> {
  return {
    [annotation.filterLabelKeys]: withKeys(annotations[annotation.filterLabelKeys], LABELS),
    [annotation.filterAnnotationKeys]: withKeys(annotations[annotation.filterAnnotationKeys], ANNOTATIONS),
  };
}

/** `a, b` and [b, c] -> `a,b,c`. */
function withKeys(list: unknown, keys: readonly string[]): string {
  const listed = (typeof list === 'string' ? list : '').split(',').map((key) => key.trim());
  return [...new Set([...listed.filter((key) => key !== ''), ...keys])].join(',');
}
