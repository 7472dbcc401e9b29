import type { Application } from '#api/application.ts';
import { detail } from '#api/details.ts';
import type { Failure } from '#api/failure.ts';
import { type ImageName, parseImage } from '#api/image/reference.ts';
import type { KustomizeProperties } from '#api/kustomize.ts';
import { annotation } from '#api/names.ts';
import { type Reason, reasonCode } from '#api/reasons.ts';
import { rfc3339 } from '#core/clock.ts';
import { oneLine } from '#core/errors.ts';
import { exclusionsFrom } from '../image/exclusions.ts';
import type { PolicyProblem } from '../image/policy.ts';
import type { ScanState } from '../image/scans.ts';
import { type Selector, selectorFrom } from '../image/selection.ts';
import type { ImageMemory } from '../manifest/image-memory.ts';
import type { ImagePolicy, MarkerNote } from './image-plan.ts';
import type { Source } from './source.ts';

export type ImageRepository = NonNullable<KustomizeProperties['imageRepository']>;

/** One component with imageRepository that is being followed. */
export interface ImageFollow {
  application: Application;
  component: string;
  repository: ImageRepository;
  /** The folder of the component, normalized. */
  path: string;
  secretRef?: string;
  source: Source;
  /** The details have changed. */
  wake: () => void;
}

/** What tags, filter and policy have come to. */
interface Candidate {
  tag?: string;
  seen: number;
  kept: number;
  problem?: PolicyProblem;
}

const MAX_MARKERS_SHOWN = 5;

/** The state of one such component: the candidate, and how its markers stand. */
export class ImageMember {
  follow: ImageFollow;
  readonly image: ImageName;
  readonly #selector: Selector;
  readonly #excludes: (tag: string) => boolean;
  readonly #allowDowngrade: boolean;
  #candidate: Candidate = { seen: 0, kept: 0 };
  #scan: ScanState = { version: 0 };
  /** By repository: each writer tells of its own. */
  readonly #notes = new Map<string, readonly MarkerNote[]>();
  #failure: Failure | undefined;

  /** A problem where the properties do not fit together. */
  static of(follow: ImageFollow): ImageMember | PolicyProblem {
    const { repository } = follow;
    const { policy, filterTags, prereleases, exclusionList } = repository;
    const image = parseImage(repository.image);
    const made = selectorFrom({
      policy: policy as Parameters<typeof selectorFrom>[0]['policy'],
      ...(filterTags ? { filterTags } : {}),
      prereleases,
    });
    const exclusions = exclusionsFrom(exclusionList);
    if ('problem' in image) return { reason: 'InvalidImage', text: `the image ${repository.image} ${image.problem.text}` };
    if ('problem' in made) return made.problem;
    if ('problem' in exclusions) return exclusions.problem;
    return new ImageMember(follow, { image: image.image, selector: made.selector, excludes: exclusions.excludes });
  }

  private constructor(follow: ImageFollow, parts: { image: ImageName; selector: Selector; excludes: (tag: string) => boolean }) {
    this.follow = follow;
    this.image = parts.image;
    this.#selector = parts.selector;
    this.#excludes = parts.excludes;
    this.#allowDowngrade = follow.repository.allowDowngrade;
  }

  /** Chooses anew where the tags have changed; true where the candidate or a failure is another. */
  scanned(scan: ScanState): boolean {
    const before = JSON.stringify([this.#candidate, this.#scan.failure?.message]);
    if (scan.version !== this.#scan.version && scan.tags) {
      const tags = scan.tags.filter((tag) => !this.#excludes(tag));
      const { kept, seen, problem } = this.#selector.select(tags);
      const tag = kept[0]?.tag;
      this.#candidate = { seen, kept: kept.length, ...(tag === undefined ? {} : { tag }), ...(problem ? { problem } : {}) };
    }
    this.#scan = scan;
    return JSON.stringify([this.#candidate, scan.failure?.message]) !== before;
  }

  policy(memory: ImageMemory): ImagePolicy {
    const { application, component } = this.follow;
    return {
      application: application.metadata.name,
      component,
      image: this.image,
      ...(this.#candidate.tag === undefined ? {} : { tag: this.#candidate.tag }),
      selector: this.#selector,
      allowDowngrade: this.#allowDowngrade,
      onHold: holdOf(application) === 'true',
      memory: memory.markers,
      ...(memory.resumed === undefined ? {} : { resumed: memory.resumed }),
    };
  }

  /** Tags without those of the exclusion list. */
  get tagCount(): number {
    return this.#candidate.seen;
  }

  /** Markers that people keep as they are. */
  get heldCount(): number {
    return [...this.#notes.values()].flat().filter(({ reason }) => reason === 'ImageHeld').length;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** How the markers and the last push stand. True where that is news. */
  settled(place: string, notes: readonly MarkerNote[], failure: Failure | undefined): boolean {
    const before = JSON.stringify(this.details({ markers: {} }));
    this.#notes.set(place, notes);
    this.#failure = failure;
    return JSON.stringify(this.details({ markers: {} })) !== before;
  }

  /** A repository that is no longer written to has nothing to say. */
  forget(place: string): void {
    this.#notes.delete(place);
  }

  /** For `services[].details`: changes only when the state does. */
  details(memory: ImageMemory): Record<string, string> {
    const { tag, seen, kept } = this.#candidate;
    const { tags, sinceMs } = this.#scan;
    const reason = this.#reason();
    return {
      [detail.image]: tag === undefined ? this.image.text : `${this.image.text}:${tag}`,
      ...(tags ? { [detail.imageTags]: `${seen} seen, ${kept} kept` } : {}),
      ...(sinceMs === undefined ? {} : { [detail.imageScanned]: rfc3339(sinceMs) }),
      ...this.#markerDetails(),
      ...(memory.commit ? { [detail.imageCommit]: memory.commit } : {}),
      ...(reason ? { [detail.imageReason]: reasonCode(reason.reason), [detail.imageMessage]: oneLine(reason.text, 400) } : {}),
    };
  }

  /** What keeps images from moving, in the words of conditions and Events. */
  get reason(): Reason | undefined {
    return this.#reason()?.reason;
  }

  /** The first such thing, if there is one. */
  #reason(): { reason: Reason; text: string } | undefined {
    const failure = this.#failure ?? this.#scan.failure;
    if (failure) return { reason: failure.reason, text: failure.sentence };
    if (this.#candidate.problem) return this.#candidate.problem;
    const note = [...this.#notes.values()].flat().find(({ reason }) => reason !== undefined);
    return note?.reason ? { reason: note.reason, text: `${note.file}:${note.line}: ${note.text ?? ''}` } : undefined;
  }

  #markerDetails(): Record<string, string> {
    const lines = [...this.#notes.values()].flat().map(({ file, line, current, desired, reason }) => {
      const what = reason ? reasonCode(reason) : current === desired ? 'up to date' : `${current ?? ''} -> ${desired ?? ''}`;
      return `${file}:${line} ${what}`;
    });
    if (lines.length === 0) return this.#candidate.tag === undefined ? {} : { [detail.imageMarkers]: 'none' };
    const more = lines.length > MAX_MARKERS_SHOWN ? ` and ${lines.length - MAX_MARKERS_SHOWN} more` : '';
    return { [detail.imageMarkers]: oneLine(lines.slice(0, MAX_MARKERS_SHOWN).join(', ') + more, 600) };
  }
}

/** `true` holds; anything else is a request to resume, carried out once. */
export function holdOf({ metadata }: Application): string | undefined {
  return metadata.annotations?.[annotation.imageHold];
}
