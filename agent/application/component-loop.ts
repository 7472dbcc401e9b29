import type { Application, Component } from '#api/application.ts';
import { detail } from '#api/details.ts';
import type { Failure } from '#api/failure.ts';
import type { ObjectReference } from '#api/kubernetes.ts';
import { backoffMs, DEFAULT_BACKOFF } from '#core/backoff.ts';
import type { Clock } from '#core/clock.ts';
import { oneLine } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import { createLoop, type Loop } from '#core/loop.ts';
import type { EventRecorder } from '../cluster/events.ts';
import { Delivery, type DeliveryContext, type DeliveryOwner } from '../sync/delivery.ts';
import { failureFields, failureOf } from '../sync/failures.ts';
import type { InventoryStore } from '../sync/inventory-store.ts';
import type { RevisionName } from '../revision/snapshot.ts';

/** What an Application asks of one of its components. */
export interface ComponentInput {
  application: Application;
  component: Component;
  revision: RevisionName;
  exempt: (reference: ObjectReference) => boolean;
}

export type ComponentState = 'working' | 'settled' | 'suspended' | 'failed';

/** How a component stands. */
export interface ComponentResult {
  state: ComponentState;
  /** The revision of the Application that this speaks of. */
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
}

export interface LoopContext extends DeliveryContext {
  clock: Clock;
  random: () => number;
  events: EventRecorder;
  log: Log;
}

/** What a kind of component does in one run; what has nothing to do sends nothing. */
export interface ComponentWork {
  run(input: ComponentInput, delivery: Delivery, signal: AbortSignal): Promise<ComponentResult>;
  /** False: the objects stay when they are no longer asked for. */
  prune(input: ComponentInput): boolean;
  stop(): void;
}

/** Runs one component of one Application whenever something that it depends on has changed. */
export class ComponentLoop {
  readonly #work: ComponentWork;
  readonly #context: LoopContext;
  readonly #delivery: Delivery;
  readonly #onChange: () => void;
  readonly #loop: Loop;
  #input: ComponentInput;
  #result: ComponentResult | undefined;
  #failures = 0;
  #retryAtMs: number | undefined;

  constructor(input: ComponentInput, options: { work: ComponentWork; store: InventoryStore; context: LoopContext; onChange: () => void }) {
    this.#input = input;
    this.#work = options.work;
    this.#context = options.context;
    this.#onChange = options.onChange;
    this.#delivery = new Delivery(options.context, options.store);
    this.#loop = createLoop((signal) => this.#run(signal), { clock: options.context.clock, onError: () => 10_000 });
  }

  get result(): ComponentResult | undefined {
    return this.#result;
  }

  update(input: ComponentInput): void {
    this.#input = input;
    this.#failures = 0;
    this.#loop.trigger();
  }

  trigger(): void {
    this.#loop.trigger();
  }

  async stop(): Promise<void> {
    this.#work.stop();
    await this.#loop.stop();
    await this.#delivery.release(ownerOf(this.#input, true));
  }

  async #run(signal: AbortSignal): Promise<number | undefined> {
    const input = this.#input;
    const result = await this.#attempt(input, signal);
    const delayMs = this.#delayAfter(result);
    const next = this.#retryAtMs === undefined ? result : withNextTry(result, this.#retryAtMs);
    this.#report(input, next);
    return delayMs;
  }

  async #attempt(input: ComponentInput, signal: AbortSignal): Promise<ComponentResult> {
    try {
      const result = await this.#work.run(input, this.#delivery, signal);
      return result.state === 'settled' ? await this.#settle(input, result, signal) : result;
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = failureOf(error, `reconcile component ${input.component.name}`);
      const { details } = this.#result ?? {};
      return {
        state: 'failed',
        revision: input.revision.name,
        healthy: false,
        message: '',
        failure,
        applied: false,
        ...(details ? { details } : {}),
      };
    }
  }

  /** Prunes once everything that is asked for is applied and well. */
  async #settle(input: ComponentInput, result: ComponentResult, signal: AbortSignal): Promise<ComponentResult> {
    if (!result.healthy || !result.applied) return result;
    const { removed, kept } = await this.#delivery.prune(ownerOf(input, this.#work.prune(input)), signal);
    this.#announce(input, 'Pruned', 'removed', removed);
    this.#announce(input, 'Kept', 'left in the cluster, since prune is false:', kept);
    return result;
  }

  #announce(input: ComponentInput, reason: 'Pruned' | 'Kept', verb: string, references: ObjectReference[]): void {
    if (references.length === 0) return;
    const names = references.map(({ kind, name }) => `${kind}/${name}`).join(', ');
    const message = `component ${input.component.name}: ${verb} ${names}`;
    this.#context.log.info(reason === 'Pruned' ? 'pruned' : 'kept', { component: input.component.name, objects: names });
    this.#context.events.record({ regarding: regarding(input.application), type: 'Normal', reason, message: oneLine(message) });
  }

  /** When to run again by itself: after a failure with backoff, else on the next change. */
  #delayAfter(result: ComponentResult): number | undefined {
    const { failure } = result;
    if (!failure) {
      this.#failures = 0;
      this.#retryAtMs = undefined;
      return undefined;
    }
    // A source that failed tries again by itself, and says when.
    if (result.retry === false || result.details?.[detail.nextTry]) {
      this.#retryAtMs = undefined;
      return undefined;
    }
    const limits = failure.kind === 'stalled' ? { firstMs: 60_000, maxMs: DEFAULT_BACKOFF.maxMs } : DEFAULT_BACKOFF;
    const delay = failure.retryAfterMs ?? backoffMs(this.#failures++, this.#context.random(), limits);
    this.#retryAtMs = this.#context.clock.now() + delay;
    return delay;
  }

  #report(input: ComponentInput, result: ComponentResult): void {
    const before = this.#result;
    this.#result = result;
    if (result.failure && result.failure.message !== before?.failure?.message) this.#reportFailure(input, result.failure);
    if (JSON.stringify(visible(before)) !== JSON.stringify(visible(result))) this.#onChange();
  }

  #reportFailure(input: ComponentInput, failure: Failure): void {
    this.#context.log.warn('component failed', { component: input.component.name, ...failureFields(failure) });
    const message = oneLine(`component ${input.component.name}: ${failure.sentence}`);
    this.#context.events.record({ regarding: regarding(input.application), type: 'Warning', reason: failure.reason, message });
  }
}

function visible(result: ComponentResult | undefined): unknown {
  return result && { ...result, failure: result.failure?.sentence };
}

function withNextTry(result: ComponentResult, atMs: number): ComponentResult {
  return { ...result, details: { ...result.details, [detail.nextTry]: new Date(atMs).toISOString() } };
}

export function regarding(application: Application): { apiVersion: string; kind: string; metadata: Application['metadata'] } {
  return { apiVersion: application.apiVersion, kind: application.kind, metadata: application.metadata };
}

export function ownerOf(input: ComponentInput, prune: boolean): DeliveryOwner {
  return { application: input.application.metadata.name, component: input.component.name, prune, exempt: input.exempt };
}
