import type { Marker } from '#api/image/marker.ts';
import type { ImageChange, ObjectIdentity } from '#api/image/message.ts';
import { markerSites, type MarkerProblem, type MarkerSite } from './marker-sites.ts';
import { type Splice, type SpliceProblem, spliceScalar } from './scalar-splice.ts';
import { templateLines } from './template-lines.ts';

/** What the markers of one component are to say. */
export interface Desired {
  /** As the user wrote it in imageRepository. */
  image: string;
  tag?: string;
  /** Never set by the agent: only `lateen image set` knows one. */
  digest?: string;
}

/** One marker that could be used, and what it leads to. */
export interface Edit {
  file: string;
  line: number;
  marker: Marker;
  object: ObjectIdentity;
  current: string;
  desired: string;
  /** Offsets into the text of the file, in UTF-16 units. */
  start: number;
  end: number;
  before: string;
  after: string;
}

export interface SetterProblem extends MarkerProblem {
  file: string;
  /** Text of the marker, where it could be read. */
  marker?: string;
}

export interface SetterResult {
  /** Values that change, in the order of the file. */
  edits: Edit[];
  /** Markers whose value is as it should be. */
  settled: Omit<Edit, 'start' | 'end' | 'before' | 'after'>[];
  problems: SetterProblem[];
}

export interface SetterOptions {
  /** What a marker is to say; undefined where it is none of ours; a problem where it cannot be told. */
  desired(marker: Marker, site: { current: string; object: ObjectIdentity }): string | undefined | SpliceProblem;
}

/** Only such files are looked at (spec/image-automation.md §4.1). */
export function isCandidate(path: string): boolean {
  return /\.ya?ml$/.test(path) || /(?:^|\/)Kustomization$/.test(path);
}

/** Whether a file can hold a marker at all: the others are not parsed. */
export function mayHoldMarkers(content: Buffer | string): boolean {
  return content.includes('$imagepolicy') || content.includes('$publishversion');
}

/** The edits that one file needs. Nothing is written, and no content makes it throw. */
export function editsOf(file: string, text: string, options: SetterOptions): SetterResult {
  const result: SetterResult = { edits: [], settled: [], problems: [] };
  const skip = text.startsWith('\uFEFF') ? 1 : 0;
  const body = text.slice(skip);
  const whole = markerSites(body);
  if (!whole.broken) {
    for (const problem of whole.problems) result.problems.push({ file, ...problem });
    for (const site of whole.sites) judge(site, { file, text: body, offset: skip, options, result });
  } else if (body.includes('{{')) {
    for (const { sites, problems, offset, text: line } of templateLines(body)) {
      for (const problem of problems) result.problems.push({ file, ...problem });
      for (const site of sites) judge(site, { file, text: line, offset: skip + offset, options, result });
    }
  } else for (const line of markerLines(body)) result.problems.push({ file, line, ...brokenFile(whole.broken) });
  return result;
}

function brokenFile({ line, message }: { line: number; message: string }): Pick<MarkerProblem, 'text' | 'remedy'> {
  return { text: `the file is not YAML (line ${line}: ${message.replace(/:.*$/, '')})`, remedy: 'correct the file' };
}

function markerLines(text: string): number[] {
  return text.split('\n').flatMap((line, index) => (mayHoldMarkers(line) ? [index + 1] : []));
}

interface Judgement {
  file: string;
  text: string;
  /** Of `text` in the file. */
  offset: number;
  options: SetterOptions;
  result: SetterResult;
}

function judge(site: MarkerSite, { file, text, offset, options, result }: Judgement): void {
  const { marker, line, current, object, node } = site;
  const desired = options.desired(marker, site);
  if (desired === undefined) return;
  const problem = (found: SpliceProblem): void => void result.problems.push({ file, line, marker: marker.text, ...found });
  if (typeof desired !== 'string') return problem(desired);
  const place = { file, line, marker, object, current, desired };
  if (current === desired) return void result.settled.push(place);
  const splice = spliceScalar(text, node, desired, marker.kind === 'image' ? marker.part : 'tag');
  if ('text' in splice) return problem(splice);
  result.edits.push({ ...place, ...moved(splice, offset), before: text.slice(splice.start, splice.end) });
}

function moved({ start, end, after }: Splice, offset: number): Splice {
  return { start: start + offset, end: end + offset, after };
}

/** The text with its edits. Throws where they do not belong to it, or overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, before, after } of edits.toSorted((a, b) => a.start - b.start)) {
    if (start < at || text.slice(start, end) !== before) throw new Error('the edits do not belong to this text');
    result += text.slice(at, start) + after;
    at = end;
  }
  return result + text.slice(at);
}

/** What the marker of an image is to say (§4.2). */
export function desiredValue(marker: Extract<Marker, { kind: 'image' }>, { image, tag, digest }: Desired): string | SpliceProblem {
  if (marker.part === 'name') return image;
  if (marker.part === 'tag') return tag ?? { text: 'the marker asks for a tag, and none is given', remedy: 'give one: IMAGE:TAG' };
  if (marker.part === 'digest')
    return digest ?? { text: 'the marker asks for a digest, which only lateen image set writes', remedy: 'set it with lateen image set' };
  return `${image}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The edit as messages tell of it, with the file relative to the path of the component. */
export function changeOf(edit: Edit, file: string, image: ImageChange['image']): ImageChange {
  const { namespace, name, text } = edit.marker;
  return { file, object: edit.object, oldValue: edit.current, newValue: edit.desired, setter: text, policy: { namespace, name }, image };
}
