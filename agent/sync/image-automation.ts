import { detail } from '#api/details.ts';
import { parseDuration } from '#api/duration.ts';
import type { Failure } from '#api/failure.ts';
import { reasonCode } from '#api/reasons.ts';
import { oneLine } from '#core/errors.ts';
import type { EventRecorder } from '../cluster/events.ts';
import type { PolicyProblem } from '../image/policy.ts';
import type { Scan, Scans } from '../image/scans.ts';
import { type ImageMemory, withIntent } from '../manifest/image-memory.ts';
import type { AgentMetrics } from '../metrics.ts';
import { failureFields } from './failures.ts';
import { holdOf, type ImageFollow, ImageMember } from './image-member.ts';
import type { ImagePlan, ImagePolicy } from './image-plan.ts';
import { ImageWriter, type ImageWriterContext } from './image-writer.ts';
import type { Inventories } from './inventories.ts';
import type { Source } from './source.ts';

export interface ImageAutomationContext extends ImageWriterContext {
  scans: Scans;
  inventories: Inventories;
  events: EventRecorder;
  metrics: AgentMetrics;
}

interface Followed {
  member: ImageMember;
  /** What the member was made of: a change makes it anew. */
  made: string;
  scan: Scan;
  release: () => void;
  /** The commit and the hold that its markers were last looked at with. */
  seen: string;
  /** The reason that an Event has told of. */
  told?: string | undefined;
}

/** New tags become commits: scans, policies and writers of all components of the namespace. */
export class ImageAutomation {
  readonly #context: ImageAutomationContext;
  readonly #followed = new Map<string, Followed>();
  readonly #writers = new Map<Source, ImageWriter>();

  constructor(context: ImageAutomationContext) {
    this.#context = context;
  }

  /** Called whenever a component runs; does something only where something has changed. Resolves to its details. */
  async follow(follow: ImageFollow): Promise<Record<string, string>> {
    const id = idOf(follow);
    const made = JSON.stringify([follow.repository, follow.path]);
    const known = this.#followed.get(id);
    const followed = known?.made === made && known.member.follow.source === follow.source ? known : this.#start(id, made, follow);
    if ('reason' in followed)
      return { [detail.imageReason]: reasonCode(followed.reason), [detail.imageMessage]: oneLine(followed.text, 400) };
    followed.member.follow = follow;
    await this.#resume(followed);
    // Stopped while that was written: a writer made now would have nobody to end it.
    if (this.#followed.get(id) !== followed) return {};
    const { commit } = follow.source.state.revision ?? {};
    const seen = `${commit?.id ?? ''} ${holdOf(follow.application) ?? ''}`;
    if (seen !== followed.seen) {
      followed.seen = seen;
      this.#writerOf(follow.source).trigger();
    }
    return followed.member.details(this.#memory(followed.member));
  }

  unfollow(application: string, component: string): void {
    const id = `${application}/${component}`;
    const followed = this.#followed.get(id);
    if (!followed) return;
    this.#followed.delete(id);
    followed.release();
    for (const gauge of [this.#context.metrics.imageTags, this.#context.metrics.imageHolds]) gauge.clear({ application, component });
    const { source } = followed.member.follow;
    // What was ambiguous with it is so no longer.
    for (const writer of this.#writers.values()) writer.trigger();
    if ([...this.#followed.values()].some(({ member }) => member.follow.source === source)) return;
    const writer = this.#writers.get(source);
    if (!writer) return;
    void writer.stop();
    this.#writers.delete(source);
    for (const { member } of this.#followed.values()) member.forget(writer.place);
  }

  async stop(): Promise<void> {
    for (const { release } of this.#followed.values()) release();
    this.#followed.clear();
    await Promise.all([...this.#writers.values()].map((writer) => writer.stop()));
    await this.#context.scans.stop();
  }

  #start(id: string, made: string, follow: ImageFollow): Followed | PolicyProblem {
    this.unfollow(follow.application.metadata.name, follow.component);
    const member = ImageMember.of(follow);
    if (!(member instanceof ImageMember)) return member;
    const { secretRef, interval } = follow.repository;
    const key = { image: member.image, ...(secretRef ? { secretRef } : {}) };
    const intervalMs = parseDuration(interval) ?? 300_000;
    const { scan, release } = this.#context.scans.use(key, { intervalMs, onChange: () => this.#scanned(id) });
    const followed: Followed = { member, made, scan, release, seen: '' };
    this.#followed.set(id, followed);
    // Another component may have scanned it long ago.
    member.scanned(scan.state);
    this.#measure(followed);
    for (const writer of this.#writers.values()) writer.trigger();
    return followed;
  }

  #scanned(id: string): void {
    const followed = this.#followed.get(id);
    if (!followed?.member.scanned(followed.scan.state)) return;
    this.#measure(followed);
    const { failure } = followed.scan.state;
    if (failure) this.#context.log.info('scan failed', { ...labels(followed.member), ...failureFields(failure) });
    followed.member.follow.wake();
    // A marker of this policy may stand in any repository.
    for (const writer of this.#writers.values()) writer.trigger();
  }

  #writerOf(source: Source): ImageWriter {
    const known = this.#writers.get(source);
    if (known) return known;
    const writer: ImageWriter = new ImageWriter(source, this.#context, {
      members: () => [...this.#followed.values()].map(({ member }) => member).filter(({ follow }) => follow.source === source),
      policies: () => new Map([...this.#followed.values()].map(({ member }) => [member.policy(this.#memory(member)), member])),
      intents: () => [...this.#followed.values()].flatMap(({ member }) => this.#memory(member).intents?.[writer.name] ?? []),
      intend: (plan, intent) => this.#intend(plan, writer.name, intent),
      resolved: (landed) => this.#resolved(writer.name, landed),
      settled: (plan, outcome) => this.#settled(source, plan, outcome),
    });
    this.#writers.set(source, writer);
    return writer;
  }

  #memory({ follow }: ImageMember): ImageMemory {
    const store = this.#context.inventories.find(follow.application.metadata.name);
    return store?.images(follow.component) ?? NOTHING;
  }

  /** A request to resume forgets what people took back, once. */
  async #resume({ member }: Followed): Promise<void> {
    const { application } = member.follow;
    const asked = holdOf(application);
    if (asked === undefined || asked === 'true' || asked === this.#memory(member).resumed) return;
    await this.#save(member, (memory) => resumedAt(asked, memory));
  }

  async #intend(plan: ImagePlan, writer: string, intent: { commit: string; base: string }): Promise<void> {
    for (const { member } of this.#followed.values()) {
      const policy = plan.policies.find((one) => isOf(one, member));
      if (!policy || !plan.changes.some((one) => one.policy === policy)) continue;
      const planned = plan.memories.get(policy) ?? {};
      await this.#save(member, (memory) => withIntent(memory, writer, { ...intent, markers: stillSo(planned, policy, memory) }));
    }
  }

  async #resolved(writer: string, landed: ReadonlySet<string>): Promise<void> {
    for (const { member } of this.#followed.values()) {
      if (!this.#memory(member).intents?.[writer]) continue;
      await this.#save(member, (memory) => {
        const intent = memory.intents?.[writer];
        if (!intent) return memory;
        const news = landed.has(intent.commit) ? { markers: { ...memory.markers, ...intent.markers }, commit: intent.commit } : {};
        return { ...withIntent(memory, writer, undefined), ...news };
      });
    }
  }

  async #save({ follow }: ImageMember, change: (memory: ImageMemory) => ImageMemory): Promise<void> {
    const { name, uid = '' } = follow.application.metadata;
    await this.#context.inventories.of(name, uid).changeImages(follow.component, (memory = NOTHING) => change(memory));
  }

  async #settled(source: Source, plan: ImagePlan, { pushed, failure }: { pushed?: string; failure?: Failure }): Promise<void> {
    const writer = this.#writers.get(source);
    if (!writer) return;
    const { place } = writer;
    if (pushed) this.#context.metrics.imageCommits.add();
    for (const followed of this.#followed.values()) {
      const { member } = followed;
      const own = member.follow.source === source;
      const policy = plan.policies.find((one) => isOf(one, member));
      if (!policy) continue;
      const changed = plan.changes.filter((one) => one.policy === policy);
      const commit = changed.length > 0 ? pushed : undefined;
      if (!failure) await this.#keep(member, { policy, markers: plan.memories.get(policy) ?? {} }, writer, commit);
      const notes = plan.notes.filter((note) => note.policy === policy || (!note.policy && own));
      const news = member.settled(place, pushed ? notes.map(asSet) : notes, own ? failure : member.failure);
      if (commit) this.#announce(member, commit, changed);
      this.#tell(followed);
      this.#measure(followed);
      if (news || commit) member.follow.wake();
    }
  }

  /** Memories of other repositories stay; those of this one are what the plan has seen, but for what was resumed since. */
  async #keep(
    member: ImageMember,
    { policy, markers: planned }: { policy: ImagePolicy; markers: ImageMemory['markers'] },
    { place, name }: ImageWriter,
    commit: string | undefined,
  ): Promise<void> {
    const kept = (memory: ImageMemory): ImageMemory => {
      const others = Object.entries(memory.markers).filter(([one]) => !one.startsWith(`${place}:`));
      const seen = Object.entries(stillSo(planned, policy, memory));
      const markers = Object.fromEntries([...others, ...seen].sort(([a], [b]) => (a < b ? -1 : 1)));
      return { ...withIntent(memory, name, undefined), markers, ...(commit ? { commit } : {}) };
    };
    const memory = this.#memory(member);
    if (JSON.stringify(kept(memory)) !== JSON.stringify(memory)) await this.#save(member, kept);
  }

  #announce(member: ImageMember, commit: string, changed: ImagePlan['changes']): void {
    const values = [...new Set(changed.map(({ change }) => change.newValue))].join(', ');
    this.#context.log.info('images committed', { ...labels(member), commit, markers: changed.length, values: oneLine(values, 300) });
    const message = `component ${member.follow.component}: set ${values} at ${changed.length} markers in commit ${commit.slice(0, 7)}`;
    this.#context.events.record({ regarding: regarding(member), type: 'Normal', reason: 'ImageUpdated', message: oneLine(message) });
  }

  /** One that was let go of meanwhile has nothing to show any more. */
  #measure(followed: Followed): void {
    const { member, scan } = followed;
    if (this.#followed.get(idOf(member.follow)) !== followed) return;
    const { imageTags, imageHolds } = this.#context.metrics;
    if (scan.state.tags) imageTags.set(labels(member), member.tagCount);
    imageHolds.set(labels(member), member.heldCount);
  }

  /** One Event when something begins to keep images from moving. */
  #tell(followed: Followed): void {
    const details = followed.member.details({ markers: {} });
    const reason = details[detail.imageReason];
    if (reason === followed.told) return;
    followed.told = reason;
    const camel = followed.member.reason;
    if (!camel) return;
    const message = `component ${followed.member.follow.component}: ${details[detail.imageMessage] ?? ''}`;
    this.#context.events.record({ regarding: regarding(followed.member), type: 'Warning', reason: camel, message: oneLine(message) });
  }
}

const NOTHING: ImageMemory = { markers: {} };

/** What people took back is forgotten, also by what is to be remembered once a push turns out to have come through. */
function resumedAt(resumed: string, { intents, ...memory }: ImageMemory): ImageMemory {
  const free = Object.entries(intents ?? {}).map(
    ([writer, intent]) => [writer, { ...intent, markers: withoutHeld(intent.markers) }] as const,
  );
  return { ...memory, markers: withoutHeld(memory.markers), resumed, ...(intents ? { intents: Object.fromEntries(free) } : {}) };
}

/** What was planned, but for what a person has resumed since. */
function stillSo(planned: ImageMemory['markers'], { resumed }: ImagePolicy, memory: ImageMemory): ImageMemory['markers'] {
  return memory.resumed === resumed ? planned : withoutHeld(planned);
}

function withoutHeld(markers: ImageMemory['markers']): ImageMemory['markers'] {
  return Object.fromEntries(Object.entries(markers).filter(([, { held }]) => !held));
}

/** After the push a marker says what it was to say. */
function asSet<Note extends { current?: string; desired?: string; reason?: unknown }>(note: Note): Note {
  return note.reason === undefined && note.desired !== undefined ? { ...note, current: note.desired } : note;
}

function idOf({ application, component }: Pick<ImageFollow, 'application' | 'component'>): string {
  return `${application.metadata.name}/${component}`;
}

function isOf(policy: ImagePolicy, { follow }: ImageMember): boolean {
  return policy.component === follow.component && policy.application === follow.application.metadata.name;
}

function labels({ follow }: ImageMember): Record<string, string> {
  return { application: follow.application.metadata.name, component: follow.component };
}

function regarding({ follow }: ImageMember): Parameters<EventRecorder['record']>[0]['regarding'] {
  const { apiVersion, kind, metadata } = follow.application;
  return { apiVersion, kind, metadata };
}
