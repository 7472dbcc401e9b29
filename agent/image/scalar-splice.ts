import type { MarkerPart } from '#api/image/marker.ts';
import type { Reason } from '#api/reasons.ts';
import type { ScalarNode } from './marker-sites.ts';
import { needsQuotes, plainKind } from './plain-words.ts';

/** New text for a range of the file. */
export interface Splice {
  start: number;
  end: number;
  after: string;
}

export interface SpliceProblem {
  text: string;
  remedy?: string;
  /** Where it is not the marker that is wrong. */
  reason?: Reason;
}

const STRING_TAGS: ReadonlySet<string> = new Set(['!', 'tag:yaml.org,2002:str']);

/** Replaces the value of one scalar and nothing beside it; quotes stay as they are (spec/image-automation.md §4.3). */
export function spliceScalar(text: string, node: ScalarNode, value: string, part: MarkerPart): Splice | SpliceProblem {
  if (node.tag !== undefined && !STRING_TAGS.has(node.tag))
    return { text: `the value has the tag ${shortTag(node.tag)}`, remedy: 'remove the tag' };
  const [start, end] = node.range;
  if (node.type === 'QUOTE_DOUBLE') return { start, end, after: `"${value}"` };
  if (node.type === 'QUOTE_SINGLE') return { start, end, after: `'${value}'` };
  if (node.type === 'PLAIN') return plain(text, node, value, part);
  return block(text, node, value);
}

function plain(text: string, { range: [start, end], tag }: ScalarNode, value: string, part: MarkerPart): Splice | SpliceProblem {
  const written = text.slice(start, end);
  if (written === '') return { text: 'the field has no value', remedy: 'write one, such as the image that runs now' };
  const kind = tag === undefined ? plainKind(written) : 'text';
  // A tag such as 1.10 is easily written without quotes; an image or its name never is a number.
  if (kind === 'boolean' || (kind === 'number' && part !== 'tag')) {
    const shown = written.length > 40 ? 'it' : written;
    return {
      text: `the value ${shown} is a ${kind}, not an image`,
      remedy: kind === 'number' ? 'end the marker with :tag if it is a tag' : 'remove the marker',
    };
  }
  return { start, end, after: kind === 'null' || needsQuotes(value) ? `"${value}"` : value };
}

const HEADER = /^([|>])[-+0-9]*([^\n]*\n)/;

/** `|` becomes `|-`, since the new value is one line without a break at its end. */
function block(text: string, node: ScalarNode, value: string): Splice | SpliceProblem {
  const [start, end] = node.range;
  const source = text.slice(start, end);
  const header = HEADER.exec(source);
  const body = header ? source.slice(header[0].length) : '';
  const content = body.trimEnd();
  if (!header || content === '') return { text: 'the text block is empty', remedy: 'write the value on the line of its field' };
  const indent = /^[ ]*/.exec(body.replace(/^(?:[ \t]*\r?\n)+/, ''))![0];
  return { start, end: start + header[0].length + content.length, after: `${header[1]}-${header[2]}${indent}${value}` };
}

function shortTag(tag: string): string {
  return tag.replace('tag:yaml.org,2002:', '!!').slice(0, 40);
}
