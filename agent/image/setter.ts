import type { Marker, MarkerPart } from '#api/image/marker.ts';
import type { ImageChange, ObjectIdentity } from '#api/image/message.ts';
import type { Reason } from '#api/reasons.ts';
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
  /** Where it is not the marker that is wrong. */
  reason?: Reason;
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
  desired(marker: ImageMarker, site: { current: string; object: ObjectIdentity; line: number }): string | undefined | SpliceProblem;
  /**
   * The publishVersion of an Application in a text that has its new images; undefined where it cannot be told. Asked for
   * where a marker of the same component set an image in the same file.
   */
  versionOf?(text: string, application: ObjectIdentity): string | undefined;
}

export type ImageMarker = Extract<Marker, { kind: 'image' }>;

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
  const versions: Judgement[] = [];
  const skip = text.startsWith('\uFEFF') ? 1 : 0;
  const body = text.slice(skip);
  const whole = markerSites(body);
  if (!whole.broken) {
    for (const problem of whole.problems) result.problems.push({ file, ...problem });
    for (const site of whole.sites) judge({ site, file, text: body, offset: skip, options, result, versions });
  } else if (body.includes('{{')) {
    for (const { sites, problems, offset, text: line } of templateLines(body)) {
      for (const problem of problems) result.problems.push({ file, ...problem });
      for (const site of sites) judge({ site, file, text: line, offset: skip + offset, options, result, versions });
    }
  } else for (const line of markerLines(body)) result.problems.push({ file, line, ...brokenFile(whole.broken) });
  setVersions(text, versions);
  return result;
}

function brokenFile({ line, message }: { line: number; message: string }): Pick<MarkerProblem, 'text' | 'remedy'> {
  return { text: `the file is not YAML (line ${line}: ${message.replace(/:.*$/, '')})`, remedy: 'correct the file' };
}

function markerLines(text: string): number[] {
  return text.split('\n').flatMap((line, index) => (mayHoldMarkers(line) ? [index + 1] : []));
}

interface Judgement {
  site: MarkerSite;
  file: string;
  text: string;
  /** Of `text` in the file. */
  offset: number;
  options: SetterOptions;
  result: SetterResult;
  /** Markers of versions wait until the images are known. */
  versions: Judgement[];
}

function judge(judgement: Judgement): void {
  const { site, options, versions } = judgement;
  const { marker } = site;
  if (marker.kind === 'publishVersion') return void versions.push(judgement);
  const desired = options.desired(marker, site);
  if (typeof desired === 'string') return decide(judgement, desired, marker.part);
  if (desired !== undefined) report(judgement, desired);
}

/** One version per Application whose component got a new image in this file, of the spec that it then has. */
function setVersions(text: string, versions: readonly Judgement[]): void {
  const [first] = versions;
  if (!first) return;
  const { edits } = first.result;
  const after = applyEdits(text, edits);
  const due = versions.filter(({ site }) => edits.some(({ marker }) => isSameComponent(marker, site.marker)));
  for (const judgement of due) {
    const version = judgement.options.versionOf?.(after, judgement.site.object);
    if (version !== undefined) decide(judgement, version, 'tag');
    else
      report(judgement, {
        text: 'the marker does not stand at the publishVersion of an Application',
        remedy: 'put it behind the annotation app.oam.dev/publishVersion',
      });
  }
  edits.sort((a, b) => a.start - b.start);
}

function isSameComponent(a: Marker, b: Marker): boolean {
  return a.namespace === b.namespace && a.name === b.name;
}

function report({ site, file, result }: Judgement, found: SpliceProblem): void {
  result.problems.push({ file, line: site.line, marker: site.marker.text, ...found });
}

function decide(judgement: Judgement, desired: string, part: MarkerPart): void {
  const { site, file, text, offset, result } = judgement;
  const { marker, line, current, object, node } = site;
  const place = { file, line, marker, object, current, desired };
  if (current === desired) return void result.settled.push(place);
  const splice = spliceScalar(text, node, desired, part);
  if ('text' in splice) return report(judgement, splice);
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
export function desiredValue(marker: ImageMarker, { image, tag, digest }: Desired): string | SpliceProblem {
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
