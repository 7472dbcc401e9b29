import type { Component } from '#api/application.ts';
import { detail } from '#api/details.ts';
import { Failure } from '#api/failure.ts';
import { type KustomizeProperties, kustomizeProperties } from '#api/kustomize.ts';
import { displayName } from '#api/kubernetes.ts';
import { annotation } from '#api/names.ts';
import { reasonCode } from '#api/reasons.ts';
import { normalizePath } from '#api/path.ts';
import { oneLine } from '#core/errors.ts';
import { orAborted } from '../cluster/deadline.ts';
import type { BuiltObject } from '../manifest/check.ts';
import { DEFAULT_BUDGET } from '../manifest/prune-budget.ts';
import type { BuildPoint } from '../sync/claims.ts';
import type { ImageAutomation } from '../sync/image-automation.ts';
import type { Delivery, PruneRequest } from '../sync/delivery.ts';
import { ownerKey } from '../sync/owner-key.ts';
import { atCommit, type BuildSettings, buildRevision, fingerprint } from '../sync/kustomize-run.ts';
import { mentions } from '../manifest/mentions.ts';
import type { FetchedCommit, Revision, Source, Sources } from '../sync/source.ts';
import { pointOf, unpulled } from './build-point.ts';
import { commitDetails, withoutFailure } from './commit-details.ts';
import {
  type ComponentInput,
  type ComponentResult,
  type ComponentTools,
  type ComponentWork,
  type LoopContext,
  ownerOf,
} from './component-loop.ts';
import { pullingOf } from './pulling.ts';
import { RecentCommits, sharesBranch } from './recent-commits.ts';
import { regarding } from './regarding.ts';

export interface KustomizeContext extends LoopContext {
  sources: Sources;
  /** Who wrote the commit that a component brings to the cluster, by ownerKey. */
  authors: Map<string, string>;
  images: ImageAutomation;
  /** Deadline of one call of git where the component sets no `timeout`. */
  gitTimeoutMs: number;
  build: BuildSettings;
}

interface Built {
  fingerprint: string;
  /** Where it was built. Without its files: of a repository of many folders each component would keep those of another commit. */
  revision: FetchedCommit;
  objects: BuiltObject[];
}

/** One kustomize component: pulled, built, applied, judged (the run of spec/sync.md §6A). */
export class KustomizeWork implements ComponentWork {
  readonly #context: KustomizeContext;
  readonly #wake: () => void;
  #subscription: { id: string; source: Source; release: () => void } | undefined;
  /** The newest, while it is followed. */
  #pulled: Revision | undefined;
  #built: Built | undefined;
  /** What the cluster was last brought to. */
  #announced: Built | undefined;
  #buildFailure: { fingerprint: string; failure: Failure } | undefined;
  #handledToken: string | undefined;
  readonly #recent: RecentCommits;
  #details: Record<string, string>;
  /** What imageRepository makes of it, and under which names. */
  #imageDetails: Record<string, string> = {};
  #followed: { application: string; component: string } | undefined;
  /** Of the author that others are told. */
  #authored: string | undefined;
  #at: BuildPoint | undefined;
  #parsed: { component: Component; properties: KustomizeProperties } | undefined;

  constructor(context: KustomizeContext, options: { wake: () => void; details: Record<string, string> }) {
    this.#context = context;
    this.#wake = options.wake;
    this.#details = withoutFailure(options.details);
    this.#handledToken = options.details[detail.reconciledAt];
    this.#recent = new RecentCommits(options.details, { clock: context.clock, wake: options.wake });
  }

  prune(input: ComponentInput): PruneRequest & { prune: boolean } {
    const { prune, pruneBudget } = this.#properties(input.component);
    const revision = this.#pulled;
    return {
      prune,
      budget: { ...DEFAULT_BUDGET, ...pruneBudget },
      approved: input.application.metadata.annotations?.[annotation.approvePrune],
      mentions: (path, { name }) => (revision ? mentions(revision.tree, path, name) : Promise.resolve(false)),
      ...(this.#at ? { at: this.#at } : {}),
    };
  }

  stop(): void {
    if (this.#followed) this.#context.images.unfollow(this.#followed.application, this.#followed.component);
    this.#followed = undefined;
    this.#subscription?.release();
    this.#subscription = undefined;
    if (this.#authored) this.#context.authors.delete(this.#authored);
    this.#authored = undefined;
  }

  async run(input: ComponentInput, tools: ComponentTools, signal: AbortSignal): Promise<ComponentResult> {
    const properties = this.#properties(input.component);
    if (properties.suspend) return this.#suspended(input, tools);
    const source = this.#subscribe(properties);
    const token = input.application.metadata.annotations?.[annotation.reconcileAt];
    const asked = token !== undefined && token !== this.#handledToken;
    if (asked) {
      tools.delivery.forgetFights();
      // A server that hangs keeps nobody waiting who stops this; whoever followed images after that would not be stopped any more.
      await orAborted(source.pollNow(), signal);
      signal.throwIfAborted();
    }
    await this.#followImages(input, properties, source);
    const result = await this.#follow(input, { properties, source, asked, ...tools }, signal);
    if (asked) this.#handledToken = token;
    return this.#withToken(result);
  }

  async #follow(
    input: ComponentInput,
    run: ComponentTools & { properties: KustomizeProperties; source: Source; asked: boolean },
    signal: AbortSignal,
  ): Promise<ComponentResult> {
    const { source, delivery, properties, asked } = run;
    const { state } = source;
    const { revision } = state;
    this.#pulled = revision;
    if (!revision) {
      if (!state.failure) return this.#result(input, { state: 'working', message: `pulling ${properties.url}` });
      this.#context.claims.failed(ownerOf(input, properties.prune), unpulled(properties));
      return this.#failed(input, state.failure, state.nextTryMs);
    }
    const at = pointOf(properties, revision);
    const built = await this.#build(revision, properties, signal).catch((error: unknown) => {
      this.#context.claims.failed(ownerOf(input, properties.prune), at);
      throw error;
    });
    if (built instanceof Failure) {
      this.#context.claims.failed(ownerOf(input, properties.prune), at);
      await this.#recent.failed(source, revision, asked);
      return { ...this.#failed(input, built), retry: false };
    }
    this.#at = at;
    const told = this.#announced !== built || sharesBranch(input.application.spec.components, input.component);
    const refused = await this.#deliver(input, { built, delivery, properties }, signal);
    await (refused ? this.#recent.failed(source, revision, asked) : this.#recent.applied(source, revision, { told, asked }));
    const failure = refused ?? state.failure;
    if (failure) return this.#failed(input, failure, failure === state.failure ? state.nextTryMs : undefined);
    if (built.objects.length === 0) return this.#empty(input, properties, built);
    const health = await run.health.of({ delivery, objects: built.objects, exempt: input.exempt }, signal);
    const result = this.#result(input, { state: 'settled', healthy: health.state === 'Current', applied: true, message: health.message });
    return health.state === 'Failed' ? { ...result, details: { ...result.details, [detail.health]: health.state } } : result;
  }

  /** The objects of the commit; built anew only when something that they depend on has changed. */
  async #build(revision: Revision, properties: KustomizeProperties, signal: AbortSignal): Promise<Built | Failure> {
    const print = fingerprint(revision, properties.path);
    if (this.#built?.fingerprint === print) return this.#built;
    if (this.#buildFailure?.fingerprint === print) return this.#buildFailure.failure;
    try {
      const { build, metrics } = this.#context;
      const objects = await metrics.timed('build', () => buildRevision(revision, properties.path, build, signal));
      this.#built = { fingerprint: print, revision: { tip: revision.tip, commit: revision.commit }, objects };
      this.#buildFailure = undefined;
      return this.#built;
    } catch (error) {
      if (signal.aborted || !(error instanceof Failure)) throw error;
      const failure = atCommit(error, revision);
      // The same commit fails in the same way: it is not built again until something changes.
      if (error.kind === 'stalled') this.#buildFailure = { fingerprint: print, failure };
      if (error.kind === 'transient') throw failure;
      return failure;
    }
  }

  /** Brings the cluster to the build; resolves to what could not be done. */
  async #deliver(
    input: ComponentInput,
    run: { built: Built; delivery: Delivery; properties: KustomizeProperties },
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    // Nobody would forget the author.
    signal.throwIfAborted();
    const { built, delivery, properties } = run;
    const { objects } = built;
    const { atomic, drift, adopt } = properties;
    const request = { objects, atomic, drift, adopt: () => adopt, ...(this.#at ? { at: this.#at } : {}) };
    const owner = ownerOf(input, properties.prune);
    this.#authored = ownerKey(owner);
    this.#context.authors.set(this.#authored, built.revision.commit.author);
    const { changed, drifted, failure } = await delivery.apply(request, owner, signal);
    // What was put back has its own line.
    if (this.#announced !== built && objects.length > 0 && (changed > 0 || !failure)) this.#announce(input, built, changed);
    if (failure) return atCommit(failure, built.revision);
    this.#announced = built;
    const differing = drifted.length > 0 ? { [detail.drift]: oneLine(drifted.map(displayName).join(', '), 200) } : {};
    this.#details = { ...commitDetails(built.revision, delivery.desired.length), ...differing };
    return undefined;
  }

  #announce(input: ComponentInput, built: Built, changed: number): void {
    const { revision, objects } = built;
    const at = `${revision.tip.branch}@sha1:${revision.commit.id}`;
    this.#context.log.info('applied', { component: input.component.name, revision: at, objects: objects.length, changed });
    // Of the first commit among many the status says the same: an Event for each would stand in the way of the next apply.
    const isFirst = this.#details[detail.commit] === undefined;
    if (changed === 0 || (isFirst && this.#context.client.transport.crowded())) return;
    const message = `component ${input.component.name}: applied ${changed} of ${objects.length} objects of ${at} (${revision.commit.subject})`;
    this.#context.events.record({ regarding: regarding(input.application), type: 'Normal', reason: 'Applied', message: oneLine(message) });
  }

  #suspended(input: ComponentInput, { delivery, health }: ComponentTools): ComponentResult {
    this.stop();
    this.#pulled = undefined;
    this.#context.claims.pause(ownerOf(input, false), unpulled(this.#properties(input.component)));
    const objects = this.#built?.objects ?? [];
    return this.#result(input, {
      state: 'suspended',
      healthy: health.atOnce({ delivery, objects, exempt: input.exempt }).state === 'Current',
      applied: true,
      message: 'suspended: nothing is pulled or applied until suspend is false',
      details: { ...this.#details, [detail.reason]: reasonCode('Suspended') },
    });
  }

  /** An empty folder applies nothing and prunes nothing: it may be a mistake, and nobody could undo it. */
  #empty(input: ComponentInput, properties: KustomizeProperties, built: Built): ComponentResult {
    const failure = new Failure(
      'EmptyBuild',
      `${properties.path} holds no object at ${built.revision.tip.branch}, so nothing is applied and nothing is pruned`,
      {
        kind: 'stalled',
        remedy: 'put manifests there, or delete the component to remove its objects',
      },
    );
    return { ...this.#failed(input, atCommit(failure, built.revision)), retry: false };
  }

  #failed(input: ComponentInput, failure: Failure, nextTryMs?: number): ComponentResult {
    const result = this.#result(input, { state: 'failed', failure, applied: false });
    if (nextTryMs === undefined) return result;
    return { ...result, details: { ...result.details, [detail.nextTry]: new Date(nextTryMs).toISOString() } };
  }

  #result(input: ComponentInput, part: Partial<ComponentResult> & Pick<ComponentResult, 'state'>): ComponentResult {
    return {
      revision: input.run,
      healthy: false,
      applied: false,
      message: '',
      details: { ...this.#details, ...this.#recent.details, ...this.#imageDetails },
      ...part,
    };
  }

  #withToken(result: ComponentResult): ComponentResult {
    if (this.#handledToken === undefined) return result;
    return { ...result, details: { ...result.details, [detail.reconciledAt]: this.#handledToken } };
  }

  /** Parsed once for a state of the component. */
  #properties(component: Component): KustomizeProperties {
    if (this.#parsed?.component !== component) this.#parsed = { component, properties: kustomizeProperties(component) };
    return this.#parsed.properties;
  }

  /** New image tags are written to Git beside the sync: neither waits for the other. */
  async #followImages(input: ComponentInput, properties: KustomizeProperties, source: Source): Promise<void> {
    const { application, component } = input;
    const { imageRepository: repository, path, secretRef } = properties;
    const { images } = this.#context;
    if (!repository) {
      if (this.#followed) images.unfollow(application.metadata.name, component.name);
      this.#followed = undefined;
      this.#imageDetails = {};
      return;
    }
    this.#followed = { application: application.metadata.name, component: component.name };
    const follow = { application, component: component.name, repository, path: normalizePath(path), source, wake: this.#wake };
    this.#imageDetails = await images.follow({ ...follow, ...(secretRef ? { secretRef } : {}) });
  }

  #subscribe(properties: KustomizeProperties): Source {
    const { key, intervalMs, timeoutMs } = pullingOf(properties, this.#context.gitTimeoutMs);
    const id = JSON.stringify([key, intervalMs, timeoutMs]);
    if (this.#subscription?.id === id) return this.#subscription.source;
    const before = this.#subscription;
    this.#subscription = { id, ...this.#context.sources.use(key, { intervalMs, timeoutMs, onChange: this.#wake }) };
    before?.release();
    return this.#subscription.source;
  }
}
