import { isScalar, LineCounter, type ParsedNode, type Scalar } from 'yaml';
import { IMAGE_MARKER, type Marker, parseMarker, VERSION_MARKER } from '#api/image/marker.ts';
import type { ObjectIdentity } from '#api/image/message.ts';
import { oneLine } from '#core/errors.ts';
import { type Place, placesOf } from './yaml-places.ts';
import { readSource, type SourceComment } from './yaml-source.ts';

export type ScalarNode = Scalar & ParsedNode;

/** A marker and the scalar that it speaks of. */
export interface MarkerSite {
  marker: Marker;
  /** From 1. */
  line: number;
  /** The value that stands there, decoded. */
  current: string;
  node: ScalarNode;
  object: ObjectIdentity;
  /** Key of the field; undefined for an item of a list. */
  key?: string;
}

/** A marker that was seen and cannot be used. */
export interface MarkerProblem {
  line: number;
  /** What is wrong, as a sentence without the final stop. */
  text: string;
  remedy?: string;
}

export interface Sites {
  sites: MarkerSite[];
  problems: MarkerProblem[];
  /** The file is no YAML: nothing was found, for this reason. */
  broken?: { line: number; message: string };
}

const BEHIND = 'put the marker behind the value, on the same line';

/** Finds the markers of one file (spec/image-automation.md §4.3). `text` is without a byte order mark. */
export function markerSites(text: string, options: { topLists?: boolean } = {}): Sites {
  const lines = new LineCounter();
  const source = readSource(text, lines);
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  if (source.error)
    return { sites: [], problems: [], broken: { line: lineAt(source.error.offset), message: oneLine(source.error.message, 200) } };
  const places = source.documents.flatMap(placesOf);
  const commented = new Set(source.comments.map(({ offset }) => lineAt(offset)));
  const file: SourceFile = { text, places, comments: source.comments, lineAt, commented, items: itemsByLine(places, lineAt) };
  const found: Sites = { sites: [], problems: [...strayMarkers(file)] };
  for (const comment of source.comments) {
    const parsed = parseMarker(comment.source);
    if (!parsed) continue;
    const line = lineAt(comment.offset);
    if ('problem' in parsed) {
      found.problems.push({
        line,
        text: `the comment ${parsed.problem.text}`,
        ...(parsed.problem.remedy ? { remedy: parsed.problem.remedy } : {}),
      });
      continue;
    }
    const site = siteOf(comment, file, options.topLists ?? false);
    if ('text' in site) found.problems.push({ line, ...site });
    else found.sites.push({ marker: parsed.marker, line, ...site });
  }
  return found;
}

interface SourceFile {
  text: string;
  places: Place[];
  comments: SourceComment[];
  lineAt: (offset: number) => number;
  /** Lines with comments. */
  commented: ReadonlySet<number>;
  /** The first item of a list that begins on a line. */
  items: ReadonlyMap<number, Place>;
}

type Found = Pick<MarkerSite, 'current' | 'node' | 'object' | 'key'>;
type Missed = Omit<MarkerProblem, 'line'>;

function siteOf(comment: SourceComment, file: SourceFile, topLists: boolean): Found | Missed {
  const before = file.text.slice(file.text.lastIndexOf('\n', comment.offset - 1) + 1, comment.offset);
  const place = before.trim() === '' ? itemBelow(comment, file) : behind(comment, file);
  if ('text' in place) return place;
  const { role, node, duplicate, inList, key, object } = place;
  if (role === 'alias') return { text: 'the marker stands behind an alias', remedy: 'put it behind the value with the anchor' };
  if (role === 'key') return { text: 'the marker stands behind a key', remedy: BEHIND };
  if (role === 'root') return { text: 'the document is a single value', remedy: 'put the marker into an object' };
  if (inList && !topLists) return { text: 'the document is a list, not an object', remedy: 'write one object per document' };
  if (duplicate) return { text: `the field ${key ?? ''} is there twice`, remedy: 'remove one of the two' };
  if (!isScalar(node) || typeof node.value !== 'string') return { text: 'the value is not a text', remedy: BEHIND };
  return { current: node.value, node: node as ScalarNode, object, ...(key === undefined ? {} : { key }) };
}

/** The value that the comment follows. */
function behind(comment: SourceComment, { text, places }: SourceFile): Place | Missed {
  const header = places.find(({ start, end, node }) => start < comment.offset && comment.offset < end && isBlock(node));
  if (header) return header;
  const last = places.findLast(({ end }) => end <= comment.offset);
  const between = text.slice(last?.end ?? 0, comment.offset);
  if (!last || between.includes('\n')) return { text: 'the marker follows no value', remedy: BEHIND };
  if (/^[ \t]*,?[ \t]*$/.test(between)) return last;
  if (text.slice(text.lastIndexOf('\n', comment.offset - 1) + 1, comment.offset).includes('{{'))
    return { text: 'the line is a template that cannot be edited by itself', remedy: 'put the value into quotes, on a line of its own' };
  if (/[}\]]/.test(between))
    return {
      text: 'the marker stands behind a map or a list in one line',
      remedy: 'write the field on a line of its own, with the marker behind it',
    };
  return { text: 'the marker stands behind a key, not behind a value', remedy: BEHIND };
}

function itemsByLine(places: readonly Place[], lineAt: SourceFile['lineAt']): Map<number, Place> {
  const items = new Map<number, Place>();
  // The first of a line stays.
  for (const place of places.toReversed()) if (place.role === 'item') items.set(lineAt(place.start), place);
  return items;
}

function isBlock(node: ParsedNode): boolean {
  return isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED');
}

/** A comment of one line directly above an item of a list that has no comment of its own (§4.3). */
function itemBelow(comment: SourceComment, file: SourceFile): Place | Missed {
  const { text, commented, items, lineAt } = file;
  const own: Missed = { text: 'the marker stands on a line of its own', remedy: BEHIND };
  const line = lineAt(comment.offset);
  if (commented.has(line - 1) || commented.has(line + 1)) return own;
  const below = items.get(line + 1);
  if (!below) return own;
  const before = text.slice(text.lastIndexOf('\n', below.start - 1) + 1, below.start);
  return /^[ \t]*-[ \t]+$/.test(before) ? below : own;
}

/** Markers outside of comments: in the text of a block, or in quotes. */
function* strayMarkers({ text, comments, lineAt }: SourceFile): Iterable<MarkerProblem> {
  for (const word of [IMAGE_MARKER, VERSION_MARKER]) {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
      const inside = comments.some(({ offset, source }) => offset <= at && at < offset + source.length);
      if (!inside)
        yield {
          line: lineAt(at),
          text: 'the marker stands inside of a text, where it is no comment',
          remedy: 'put it into a file of its own',
        };
    }
  }
}
