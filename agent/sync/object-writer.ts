import { type KubeObject, type ObjectReference, referenceOf } from '#api/kubernetes.ts';
import { ApiError, type Client } from '../cluster/client.ts';
import { type LiveObject, projected } from '../cluster/projection.ts';
import { clashingStrategy, type StrategyField, strategyOf, withOurRollingUpdate, withStrategy } from '../cluster/rollout-strategy.ts';
import { leftServiceAccount } from '../cluster/service-account.ts';
import { othersHoldReplicas, settling, takeOver } from '../cluster/take-over.ts';
import { asRecorded, type Autoscalers, forAutoscaler } from './autoscalers.ts';
import { identified, type VelaCore } from './beside-vela-core.ts';
import type { Desired } from './desired.ts';

export interface WriterContext {
  client: Client;
  autoscalers: Autoscalers;
  velaCore: VelaCore | undefined;
}

/** What Git has, and the object as it is known; undefined where there is none. */
export interface Target {
  desired: Desired;
  live: LiveObject | undefined;
}

/** An object that was known and is gone. */
export interface Replaced {
  uid: string;
  /** What has its name now. */
  by: LiveObject | undefined;
}

/** An apply, and what the API server answered. */
export interface Written {
  answer: KubeObject;
  /** The answer as the inventory records it. */
  recorded: LiveObject;
}

/** A controller that writes the status in between is no reason to give up. */
const TRIES = 5;

/** The requests about one object of Git: what is sent of it, and how fields of others become ours. */
export class ObjectWriter {
  readonly #context: WriterContext;

  constructor(context: WriterContext) {
    this.#context = context;
  }

  /**
   * With the UID of the object that is known, the API server answers 409 where that is gone: an apply would make a new
   * one, which the inventory does not expect, or write into one that somebody else has made.
   */
  async apply({ desired, live }: Target, signal: AbortSignal): Promise<Written> {
    const object = await this.#toSend({ desired, live }, signal);
    const uid = live?.metadata.uid;
    const sent = uid ? { ...object, metadata: { ...object.metadata, uid } } : object;
    const applied = await this.#settled(await this.#applied(sent, signal), signal);
    const answer = await this.#withoutLeft(applied, object, signal);
    return { answer, recorded: asRecorded(projected(answer), object, desired) };
  }

  /** What the API server would make of it. */
  async dryRun(target: Target, signal: AbortSignal): Promise<KubeObject> {
    const { client } = this.#context;
    const object = await this.#toSend(target, signal);
    try {
      return await client.apply(object, { dryRun: true, signal });
    } catch (error) {
      const field = target.live ? clashingStrategy(error, object) : undefined;
      if (!field) throw error;
      // `apply` would go on: what it is about apart from that.
      const answer = await client.apply(withStrategy(object, field, { type: 'RollingUpdate' }), { dryRun: true, signal });
      return withStrategy(answer, field, strategyOf(object, field));
    }
  }

  /** The object as the API server has it now. */
  async read({ desired }: Pick<Target, 'desired'>, signal: AbortSignal): Promise<KubeObject | undefined> {
    return this.#context.client.get(desired.reference, { signal });
  }

  /** Hands what people's tools own to us; `before`: the object as it was, `took`: whether there was anything to take. */
  async takeOver({ desired }: Pick<Target, 'desired'>, signal: AbortSignal): Promise<{ before: KubeObject | undefined; took: boolean }> {
    const { client, autoscalers } = this.#context;
    const { reference, object } = desired;
    const before = await client.get(reference, { signal });
    const leavesReplicas = before !== undefined && othersHoldReplicas(before) && (await autoscalers.target(reference));
    const taken = before && takeOver(before, object, { leavesReplicas });
    if (!taken) return { before, took: false };
    const { apiVersion, patch, removal } = taken;
    const write = (body: object): Promise<KubeObject> => client.mergePatch({ ...reference, apiVersion }, body, { signal });
    try {
      if (!removal) await write(patch);
      else await write({ ...patch, ...removal }).catch((error: unknown) => (isRefusal(error) ? write(patch) : Promise.reject(error)));
    } catch (error) {
      // It has changed meanwhile: the watch tells, and the next pass takes it over.
      if (!isConflict(error)) throw error;
    }
    return { before, took: true };
  }

  /** What has come in the place of the object that was known; undefined where that is still there, or nobody can tell. */
  async replaced({ desired, live }: Target, signal: AbortSignal): Promise<Replaced | undefined> {
    const uid = live?.metadata.uid;
    if (!uid) return undefined;
    try {
      const now = await this.#context.client.get(desired.reference, { signal });
      return now?.metadata.uid === uid ? undefined : { uid, by: now && projected(now) };
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  /** Everything in a namespace that is being deleted goes away. */
  async namespaceEnds({ namespace: name = '' }: ObjectReference, signal: AbortSignal): Promise<boolean> {
    const namespace = await this.#context.client.get({ apiVersion: 'v1', kind: 'Namespace', name }, { signal });
    return namespace === undefined || namespace.metadata.deletionTimestamp !== undefined;
  }

  /** A way of rolling out that what stands there forbids is applied once that is ours: together with the rest, never after it. */
  async #applied(sent: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    const { client } = this.#context;
    try {
      return await client.apply(sent, { signal });
    } catch (error) {
      const field = sent.metadata.uid ? clashingStrategy(error, sent) : undefined;
      if (!field) throw error;
      await this.#ownRollingUpdate(sent, field, signal);
      // Without a `rollingUpdate: null`, which would keep it.
      return client.apply(withStrategy(sent, field, { type: strategyOf(sent, field).type }), { signal });
    }
  }

  /** What stood there before anybody applied anything keeps no field in the object that Git drops later. */
  async #settled(answer: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    const patch = settling(answer);
    if (!patch) return answer;
    try {
      return await this.#context.client.mergePatch(referenceOf(answer), patch, { signal });
    } catch (error) {
      // It has changed meanwhile: at the next apply.
      if (!isConflict(error)) throw error;
      return answer;
    }
  }

  /** The ServiceAccount that Git has dropped goes with one further write. */
  async #withoutLeft(answer: KubeObject, git: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    const patch = leftServiceAccount(answer, git);
    if (!patch) return answer;
    return this.#context.client.mergePatch(referenceOf(git), { metadata: { uid: answer.metadata.uid }, ...patch }, { signal });
  }

  /** Killed afterwards, the next apply finds it so. */
  async #ownRollingUpdate(sent: KubeObject, field: StrategyField, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    const reference = referenceOf(sent);
    for (let left = TRIES - 1; ; left--) {
      const before = await client.get(reference, { signal });
      if (!before) return;
      const metadata = {
        uid: sent.metadata.uid,
        resourceVersion: before.metadata.resourceVersion,
        managedFields: withOurRollingUpdate(before, field),
      };
      try {
        await client.mergePatch(reference, { metadata }, { signal });
        return;
      } catch (error) {
        if (!isConflict(error) || left === 0) throw error;
      }
    }
  }

  async #toSend(target: Target, signal: AbortSignal): Promise<KubeObject> {
    const { client, velaCore } = this.#context;
    return identified(await this.#forAutoscaler(target), velaCore, { client, signal });
  }

  /** Without replicas that an autoscaler sets. */
  async #forAutoscaler({ desired, live }: Target): Promise<KubeObject> {
    const { object, reference } = desired;
    const adjusted = live ? forAutoscaler(object, live) : object;
    return adjusted !== object && (await this.#context.autoscalers.target(reference)) ? adjusted : object;
  }
}

/** Nothing was written, since the object is not the one that was known. 404: it went between being read and being written. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 409 || error.status === 404);
}

/** 422, 400: not as it stands. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 422 || error.status === 400);
}
