import type { ImageChange } from '#api/image/message.ts';
import { type ImageName, parseReference } from '#api/image/reference.ts';
import type { Reason } from '#api/reasons.ts';
import { documentVersion } from '../image/document-version.ts';
import { type Decision, decide, type MarkerMemory } from '../image/memory.ts';
import type { SpliceProblem } from '../image/scalar-splice.ts';
import type { Selector } from '../image/selection.ts';
import { applyEdits, changeOf, desiredValue, editsOf, type ImageMarker } from '../image/setter.ts';
import { readYaml } from '../manifest/yaml.ts';

/** One component with imageRepository, as the markers see it. */
export interface ImagePolicy {
  application: string;
  component: string;
  image: ImageName;
  /** The latest tag; absent while there is none. */
  tag?: string;
  selector: Selector;
  allowDowngrade: boolean;
  /** A person has asked that nothing be set. */
  onHold: boolean;
  /** By place. */
  memory: Readonly<Record<string, MarkerMemory>>;
  /** The last request to resume that the memory knows of. */
  resumed?: string;
}

export interface SourceFile {
  path: string;
  text: string;
  executable: boolean;
}

/** How one marker stands. */
export interface MarkerNote {
  file: string;
  line: number;
  /** Absent where it names no policy that is known. */
  policy?: ImagePolicy;
  current?: string;
  desired?: string;
  /** Why it is left as it is, with the sentence. */
  reason?: Reason;
  text?: string;
}

export interface ImagePlan {
  files: { path: string; content: Buffer; executable: boolean }[];
  changes: { change: ImageChange; policy: ImagePolicy }[];
  notes: MarkerNote[];
  /** All that were looked at. */
  policies: readonly ImagePolicy[];
  /** What is to be remembered of each policy once the files are pushed, by place. */
  memories: Map<ImagePolicy, Record<string, MarkerMemory>>;
}

export interface PlanContext {
  namespace: string;
  policies: readonly ImagePolicy[];
  /** Names repository and branch, so that the places of two repositories differ. */
  source: string;
  /** The path of a file as messages tell of it. */
  relative: (path: string) => string;
}

/** What the markers of these files need. Pure: the same files and policies give the same plan. */
export function planImages(files: readonly SourceFile[], context: PlanContext): ImagePlan {
  const plan: ImagePlan = { files: [], changes: [], notes: [], policies: context.policies, memories: new Map() };
  for (const file of files) new FilePlan(file, context, plan).run();
  return plan;
}

/** A name of ours: undefined for other namespaces; a problem where no or more than one component fits. */
function policyOf({ namespace, name }: { namespace: string; name: string }, context: PlanContext): ImagePolicy | SpliceProblem | undefined {
  if (namespace !== context.namespace) return undefined;
  const [first, second] = context.policies.filter(({ component }) => component === name);
  if (first && second) {
    const text = `the marker ${namespace}:${name} fits a component of ${first.application} and one of ${second.application}`;
    return { text, reason: 'MarkerAmbiguous', remedy: 'rename one of the two' };
  }
  return (
    first ?? { text: `no component ${name} of the namespace ${namespace} has imageRepository`, remedy: 'correct the name in the marker' }
  );
}

class FilePlan {
  readonly #file: SourceFile;
  readonly #context: PlanContext;
  readonly #plan: ImagePlan;
  readonly #counts = new Map<string, number>();
  /** What is to be remembered where the edit on this line comes about. */
  readonly #pending = new Map<string, () => void>();

  constructor(file: SourceFile, context: PlanContext, plan: ImagePlan) {
    this.#file = file;
    this.#context = context;
    this.#plan = plan;
  }

  run(): void {
    const { path, text, executable } = this.#file;
    const { edits, settled, problems } = editsOf(path, text, {
      desired: (marker, site) => this.#desired(marker, site),
      versionOf: (after, application) =>
        documentVersion(
          readYaml(after, path).documents.map(({ value }) => value),
          application,
        ),
    });
    for (const { line, text: words, remedy, reason = 'MarkerUnusable', marker } of problems) {
      const policy = this.#policyNamed(marker);
      this.#plan.notes.push({ file: path, line, ...(policy ? { policy } : {}), reason, text: remedy ? `${words}; ${remedy}` : words });
    }
    for (const { line, current, desired, marker } of [...edits, ...settled]) {
      const policy = this.#policyNamed(marker.text);
      if (policy) this.#plan.notes.push({ file: path, line, policy, current, desired });
    }
    if (edits.length === 0) return;
    this.#plan.files.push({ path, content: Buffer.from(applyEdits(text, edits)), executable });
    for (const edit of edits) {
      this.#pending.get(`${edit.line} ${edit.marker.text}`)?.();
      const policy = this.#policyNamed(edit.marker.text);
      if (!policy?.tag || edit.marker.kind !== 'image') continue;
      const change = changeOf(edit, this.#context.relative(path), { name: policy.image, tag: policy.tag });
      this.#plan.changes.push({ change, policy });
    }
  }

  #policyNamed(marker: string | undefined): ImagePolicy | undefined {
    const [namespace = '', name = ''] = (marker ?? '').split(':');
    const found = policyOf({ namespace, name }, this.#context);
    return found && 'component' in found ? found : undefined;
  }

  #desired(marker: ImageMarker, { current, line }: { current: string; line: number }): string | SpliceProblem | undefined {
    const policy = policyOf(marker, this.#context);
    if (!policy || 'text' in policy) return policy;
    const place = this.#placeOf(marker);
    const memory = policy.memory[place];
    const { tag, image } = policy;
    if (tag === undefined || policy.onHold) {
      if (memory) this.#remember(policy, place, memory);
      return tag === undefined
        ? undefined
        : { text: 'the Application is on hold', reason: 'ImageHeld', remedy: `resume it: lateen image resume ${policy.application}` };
    }
    const value = desiredValue(marker, { image: image.text, tag });
    if (typeof value !== 'string') return value;
    const state = { current, currentTag: tagIn(current, marker, image), memory };
    const decision = decide(
      state,
      { value, tag },
      { compare: (a, b) => policy.selector.compare(a, b), allowDowngrade: policy.allowDowngrade },
    );
    return this.#carryOut(decision, { policy, place, value, line, marker });
  }

  #carryOut(
    decision: Decision,
    at: { policy: ImagePolicy; place: string; value: string; line: number; marker: ImageMarker },
  ): string | SpliceProblem {
    const { policy, place, value, line, marker } = at;
    const { memory } = decision;
    if (decision.do === 'set') this.#pending.set(`${line} ${marker.text}`, () => this.#remember(policy, place, decision.memory));
    else if (memory) this.#remember(policy, place, memory);
    return decision.do === 'leave' ? { text: decision.why, reason: decision.reason, remedy: remedyOf(decision.reason, policy) } : value;
  }

  #remember(policy: ImagePolicy, place: string, memory: MarkerMemory): void {
    const known = this.#plan.memories.get(policy) ?? {};
    known[place] = memory;
    this.#plan.memories.set(policy, known);
  }

  /** The same marker may stand in a file more than once. */
  #placeOf({ text }: ImageMarker): string {
    const count = (this.#counts.get(text) ?? 0) + 1;
    this.#counts.set(text, count);
    return `${this.#context.source}:${this.#file.path} ${text} ${count}`;
  }
}

function remedyOf(reason: Reason, { application }: ImagePolicy): string {
  return reason === 'ImageHeld' ? `to set it again now: lateen image resume ${application}` : 'set allowDowngrade: true if that is wanted';
}

/** The tag in a value, where it can be compared: the same image, or a tag alone. */
function tagIn(current: string, { part }: ImageMarker, image: ImageName): string | undefined {
  if (part === 'tag') return current;
  if (part !== 'image') return undefined;
  const parsed = parseReference(current);
  return 'reference' in parsed && parsed.reference.name.canonical === image.canonical ? parsed.reference.tag : undefined;
}
