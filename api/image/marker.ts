import type { TextProblem } from './problem.ts';

/** What a marker asks for: the whole image, or one part of it. */
export type MarkerPart = 'image' | 'name' | 'tag' | 'digest';

/** `{"$imagepolicy": "NAMESPACE:NAME[:PART]"}` (spec/image-automation.md §4.2), or ours for publishVersion. */
export type Marker =
  | { kind: 'image'; namespace: string; name: string; part: MarkerPart; text: string }
  | { kind: 'publishVersion'; namespace: string; name: string; text: string };

export const IMAGE_MARKER = '$imagepolicy';
export const VERSION_MARKER = '$publishversion';

const NAME = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;
const PARTS: ReadonlySet<string> = new Set<MarkerPart>(['name', 'tag', 'digest']);

/**
 * Reads a comment, `#` included. Undefined where it has nothing to do with markers; a problem where it means to be one
 * and cannot be used: it is reported, never passed over in silence.
 */
export function parseMarker(comment: string): { marker: Marker } | { problem: TextProblem } | undefined {
  const kind = comment.includes(IMAGE_MARKER) ? IMAGE_MARKER : comment.includes(VERSION_MARKER) ? VERSION_MARKER : undefined;
  if (kind === undefined) return undefined;
  const text = comment.replace(/^#+/, '').trim();
  if (comment.includes(IMAGE_MARKER) && comment.includes(VERSION_MARKER))
    return { problem: { text: 'has two markers', remedy: 'put each on the line of its own field' } };
  const value = valueOf(text, kind);
  return typeof value === 'string' ? markerOf(kind, value) : { problem: value };
}

function valueOf(text: string, kind: string): string | TextProblem {
  const json = `write the comment as one JSON object: # {"${kind}": "NAMESPACE:NAME"}`;
  if (!text.startsWith('{')) return { text: 'has words before the marker', remedy: json };
  if (!text.endsWith('}')) return { text: 'has words after the marker', remedy: json };
  if (text.includes("'") && !text.includes(`"${kind}"`)) return { text: 'has a marker in single quotes', remedy: json };
  if (text.split(`"${kind}"`).length > 2) return { text: 'has two markers', remedy: json };
  try {
    const object: unknown = JSON.parse(text);
    if (typeof object !== 'object' || object === null || Array.isArray(object)) return { text: 'is no marker', remedy: json };
    if (Object.values(object).some((field) => typeof field !== 'string'))
      return { text: 'has a marker with a value that is no string', remedy: json };
    const value: unknown = (object as Record<string, unknown>)[kind];
    return typeof value === 'string' ? value : { text: `has no ${kind}`, remedy: json };
  } catch {
    return { text: 'has a marker that is not JSON', remedy: json };
  }
}

function markerOf(kind: string, text: string): { marker: Marker } | { problem: TextProblem } {
  const [namespace = '', name = '', suffix, ...more] = text.split(':');
  if (!NAME.test(namespace) || !NAME.test(name))
    return {
      problem: { text: `has the marker ${shown(text)}, which names no component`, remedy: 'write NAMESPACE:NAME of the component' },
    };
  if (kind === VERSION_MARKER)
    return suffix === undefined
      ? { marker: { kind: 'publishVersion', namespace, name, text } }
      : { problem: { text: `has the marker ${shown(text)}, which has a part too many`, remedy: `write ${namespace}:${name}` } };
  if (suffix !== undefined && (!PARTS.has(suffix) || more.length > 0))
    return {
      problem: {
        text: `has the marker ${shown(text)} with an unknown ending`,
        remedy: 'end it with :name, :tag or :digest, or with nothing',
      },
    };
  return { marker: { kind: 'image', namespace, name, part: (suffix as MarkerPart | undefined) ?? 'image', text } };
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
