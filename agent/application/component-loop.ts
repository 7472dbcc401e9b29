import type { Application, Component } from '#api/application.ts';
import { detail } from '#api/details.ts';
import type { Failure } from '#api/failure.ts';
import type { ObjectReference } from '#api/kubernetes.ts';
import { backoffMs, DEFAULT_BACKOFF, jitterMs } from '#core/backoff.ts';
import type { Clock } from '#core/clock.ts';
import type { Log } from '#core/log.ts';
import { createLoop, type Loop } from '#core/loop.ts';
import type { EventRecorder } from '../cluster/events.ts';
import { ComponentHealth } from '../sync/component-health.ts';
import { Delivery, type DeliveryContext, type DeliveryOwner, type PruneRequest } from '../sync/delivery.ts';
import { failureOf } from '../sync/failures.ts';
import type { InventoryStore } from '../sync/inventory-store.ts';
import type { RevisionName } from '../revision/snapshot.ts';
import { ComponentJournal } from './component-journal.ts';
import { withPrune } from './pruned-result.ts';

/** What an Application asks of one of its components. */
export interface ComponentInput {
  application: Application;
  component: Component;
  revision: RevisionName;
  /** What results speak of: the revision, or a step of it that changes the component. */
  run: string;
  exempt: (reference: ObjectReference) => boolean;
}

export type ComponentState = 'working' | 'settled' | 'suspended' | 'failed';

/** How a component stands. */
export interface ComponentResult {
  state: ComponentState;
  /** The `run` that this speaks of. */
  revision: string;
  healthy: boolean;
  /** Empty while all is well (kustomize), or what KubeVela prints (`Ready:1/1`). */
  message: string;
  details?: Record<string, string>;
  failure?: Failure;
  /** False: trying again is of no use until an input changes (a build of the same commit). */
  retry?: false;
  /** Everything that this revision asks for stands in the cluster. */
  applied: boolean;
  /** Objects that left Git here wait for another component to take them. */
  waiting?: true;
}

export interface LoopContext extends DeliveryContext {
  clock: Clock;
  random: () => number;
  events: EventRecorder;
  log: Log;
}

/** What a component works with. */
export interface ComponentTools {
  delivery: Delivery;
  health: ComponentHealth;
}

/** What a kind of component does in one run; what has nothing to do sends nothing. */
export interface ComponentWork {
  run(input: ComponentInput, tools: ComponentTools, signal: AbortSignal): Promise<ComponentResult>;
  /** How objects that are no longer asked for leave the cluster. */
  prune(input: ComponentInput): PruneRequest & { prune: boolean };
  stop(): void;
}

/** Everything is compared with the watches again after this time, without a request: watches are hints (design decision 10). */
const PERIODIC_MS = 600_000;
/** Others tell when they are done; one that never runs is not waited for for ever (claims.ts). No request is made. */
const WAITING_MS = 5_000;
/** After so long it is said that something waits: a hand-over takes a moment. */
const LONG_WAIT_MS = 10_000;
/** Changes of objects within this time are one run. */
const SETTLE_MS = 50;
/** A failure that only a person can mend is tried again now and then all the same. */
const STALLED_BACKOFF = { firstMs: 60_000, maxMs: DEFAULT_BACKOFF.maxMs };

export interface ComponentLoopOptions {
  work: ComponentWork;
  store: InventoryStore;
  context: LoopContext;
  onChange: () => void;
}

/** Runs one component of one Application whenever something that it depends on has changed. */
export class ComponentLoop {
  readonly #options: ComponentLoopOptions;
  readonly #delivery: Delivery;
  readonly #health: ComponentHealth;
  readonly #journal: ComponentJournal;
  readonly #loop: Loop;
  readonly #stopped = new AbortController();
  readonly #stopListening: () => void;
  #input: ComponentInput;
  #result: ComponentResult | undefined;
  #failures = 0;
  #retryAtMs: number | undefined;
  #retryDelayMs = 0;
  #settling = false;
  /** Since when everything is applied and something is not healthy. */
  #unwellSinceMs: number | undefined;
  /** True while another component has to do something first. */
  #waitsForOthers = false;
  /** Since when something that has left Git waits for others. */
  #waitingSinceMs: number | undefined;
  /** When to see whether what is being deleted has gone; undefined where nothing is, or a watch tells. */
  #lookInMs: number | undefined;

  constructor(input: ComponentInput, options: ComponentLoopOptions) {
    const { context, store } = options;
    this.#input = input;
    this.#options = options;
    this.#journal = new ComponentJournal(context.log, context.events);
    this.#delivery = new Delivery(context, store, {
      onDrift: (drift) => {
        context.metrics.drift.add({ action: drift.corrected ? 'corrected' : 'reported' });
        this.#journal.drifted(this.#input, drift);
      },
      now: () => context.clock.now(),
    });
    this.#health = new ComponentHealth(context);
    this.#loop = createLoop((signal) => this.#run(signal), { clock: context.clock, onError: () => 10_000 });
    this.#stopListening = context.claims.listen(() => this.#waitsForOthers && this.#loop.trigger());
  }

  get result(): ComponentResult | undefined {
    return this.#result;
  }

  update(input: ComponentInput): void {
    this.#input = input;
    this.#failures = 0;
    this.#retryAtMs = undefined;
    this.#loop.trigger();
  }

  trigger(): void {
    this.#loop.trigger();
  }

  /** An object of the component has changed: changes come in bursts, and one look at all of them is enough. */
  objectChanged(): void {
    if (this.#settling) return;
    this.#settling = true;
    const settled = (): void => {
      this.#settling = false;
      this.#loop.trigger();
    };
    this.#options.context.clock.sleep(SETTLE_MS, this.#stopped.signal).then(settled, () => undefined);
  }

  async stop(): Promise<void> {
    this.#stopListening();
    this.#stopped.abort(new Error('the component was stopped'));
    this.#options.work.stop();
    await this.#loop.stop();
    // The run that was under way has counted too.
    this.#options.context.metrics.forget(labelsOf(this.#input));
    await this.#delivery.release(ownerOf(this.#input, true));
  }

  async #run(signal: AbortSignal): Promise<number | undefined> {
    const { random, claims } = this.#options.context;
    const input = this.#input;
    // A run that only an event of some object has started does not try again what was refused a moment ago.
    const due = this.#retryInMs() === 0;
    if (due) this.#delivery.forgetRefusals();
    const { version } = claims;
    this.#lookInMs = undefined;
    const result = await this.#attempt(input, signal);
    // What is asked for by now is tried at once, whatever became of an older try.
    const delayMs = input === this.#input ? this.#delayAfter(result, due) : 0;
    const healthInMs = this.#health.takeNextInMs();
    this.#count(input, result);
    this.#report(input, this.#retryAtMs === undefined ? result : withNextTry(result, this.#retryAtMs));
    this.#waitsForOthers = result.waiting === true || result.failure?.causes.some(({ code }) => code === 'OwnershipConflict') === true;
    if (this.#waitsForOthers) return claims.version === version ? WAITING_MS : 0;
    const periodicMs = jitterMs(PERIODIC_MS, random());
    return delayMs ?? Math.min(this.#lookInMs ?? periodicMs, healthInMs ?? periodicMs);
  }

  async #attempt(input: ComponentInput, signal: AbortSignal): Promise<ComponentResult> {
    try {
      const result = await this.#options.work.run(input, { delivery: this.#delivery, health: this.#health }, signal);
      return result.state === 'settled' ? await this.#settle(input, result, signal) : result;
    } catch (error) {
      if (signal.aborted) throw error;
      this.#options.context.claims.failed(ownerOf(input, true));
      const failure = failureOf(error, `reconcile component ${input.component.name}`);
      // The time of the next try is that of the last failure: with it this one would pass for one that tries again by itself.
      const { [detail.nextTry]: _, ...details } = this.#result?.details ?? {};
      const failed = { state: 'failed', revision: input.run, healthy: false, message: '', failure, applied: false } as const;
      return { ...failed, details };
    }
  }

  /** Prunes once everything that is asked for is applied and well. */
  async #settle(input: ComponentInput, result: ComponentResult, signal: AbortSignal): Promise<ComponentResult> {
    if (!result.healthy || !result.applied) return result;
    const { prune, ...request } = this.#options.work.prune(input);
    const pruned = await this.#delivery.prune(request, ownerOf(input, prune), signal);
    this.#journal.pruned(input, pruned);
    const { store } = this.#options;
    this.#lookInMs = store.endings.nextInMs(store.entries(input.component.name));
    const now = this.#options.context.clock.now();
    this.#waitingSinceMs = pruned.waiting.length > 0 ? (this.#waitingSinceMs ?? now) : undefined;
    const long = now - (this.#waitingSinceMs ?? now) >= LONG_WAIT_MS;
    return withPrune(result, pruned, { application: input.application.metadata.name, long });
  }

  /** When to run again by itself: after a failure with backoff, else on the next change. */
  #delayAfter(result: ComponentResult, due: boolean): number | undefined {
    const { failure } = result;
    const { clock, random } = this.#options.context;
    if (!failure) this.#failures = 0;
    // A source that failed tries again by itself, and says when.
    if (!failure || result.retry === false || result.details?.[detail.nextTry]) {
      this.#retryAtMs = undefined;
      return undefined;
    }
    if (!due) return this.#retryInMs();
    const limits = failure.kind === 'stalled' ? STALLED_BACKOFF : DEFAULT_BACKOFF;
    const delay = failure.retryAfterMs ?? backoffMs(this.#failures++, random(), limits);
    this.#retryAtMs = clock.now() + delay;
    this.#retryDelayMs = delay;
    return delay;
  }

  /** Milliseconds until the next try. The time is shown, so it is that of the wall: a clock that was set back makes it due. */
  #retryInMs(): number {
    const left = (this.#retryAtMs ?? 0) - this.#options.context.clock.now();
    return left > this.#retryDelayMs ? 0 : Math.max(0, left);
  }

  #count(input: ComponentInput, result: ComponentResult): void {
    const { metrics, clock } = this.#options.context;
    const labels = labelsOf(input);
    metrics.runs.add({ state: result.state });
    const well = result.state === 'settled' && result.healthy;
    if (well) metrics.lastSuccess.set(labels, Math.round(clock.now() / 1_000));
    if (well && this.#unwellSinceMs !== undefined) metrics.took('health', clock.now() - this.#unwellSinceMs);
    this.#unwellSinceMs = well || result.state !== 'settled' ? undefined : (this.#unwellSinceMs ?? clock.now());
    const { branch, commit } = result.details ?? {};
    if (!commit || commit === this.#result?.details?.['commit']) return;
    metrics.revision.clear(labels);
    metrics.revision.set({ ...labels, branch: branch ?? '', commit }, 1);
  }

  #report(input: ComponentInput, result: ComponentResult): void {
    const before = this.#result;
    this.#result = result;
    if (result.failure) this.#journal.failed(input, result.failure);
    else this.#journal.well();
    if (JSON.stringify(visible(before)) !== JSON.stringify(visible(result))) this.#options.onChange();
  }
}

function labelsOf({ application, component }: ComponentInput): { application: string; component: string } {
  return { application: application.metadata.name, component: component.name };
}

function visible(result: ComponentResult | undefined): unknown {
  return result && { ...result, failure: result.failure?.sentence };
}

function withNextTry(result: ComponentResult, atMs: number): ComponentResult {
  return { ...result, details: { ...result.details, [detail.nextTry]: new Date(atMs).toISOString() } };
}

export function ownerOf(input: ComponentInput, prune: boolean): DeliveryOwner {
  return { application: input.application.metadata.name, component: input.component.name, prune, exempt: input.exempt };
}
