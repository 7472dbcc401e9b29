import type { Cause } from '#api/failure.ts';
import { Failure } from '#api/failure.ts';
import { displayName, type KubeObject } from '#api/kubernetes.ts';
import { ApiError, type Client } from '../cluster/client.ts';
import type { LiveObjects } from '../cluster/live-objects.ts';
import { type Addition, changedFields } from '../cluster/managed-fields.ts';
import { type LiveObject, projected } from '../cluster/projection.ts';
import { othersHoldReplicas, takeOver } from '../cluster/take-over.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import { asRecorded, type Autoscalers, forAutoscaler } from './autoscalers.ts';
import { identified, type VelaCore } from './beside-vela-core.ts';
import type { Desired } from './desired.ts';
import { type DriftFights, stateOf } from './drift-fights.ts';
import { correctionText, type Difference, differencesOf, reportText } from './drift-text.ts';
import { failureOf } from './failures.ts';
import type { Verdict } from './verdict.ts';

export type DriftMode = 'correct' | 'report' | 'off';

/** Something that stood otherwise in the cluster than in Git. */
export interface Drift {
  desired: Desired;
  /** One sentence: what, and who. */
  text: string;
  corrected: boolean;
}

export type Outcome =
  | { done: 'left'; drifted?: true }
  | { done: 'applied'; changed: boolean; answer: LiveObject }
  /** `replaced`: nothing was written. */
  | { done: 'failed'; failure: Failure; replaced?: Replaced };

/** An object that was known and is gone. */
export interface Replaced {
  uid: string;
  /** What has its name now. */
  by: LiveObject | undefined;
}

export interface ApplierContext {
  client: Client;
  live: LiveObjects;
  autoscalers: Autoscalers;
  fights: DriftFights;
  velaCore: VelaCore | undefined;
  now: () => number;
  onDrift: (drift: Drift) => void;
}

export interface Task {
  desired: Desired;
  verdict: Verdict;
  entry: InventoryEntry | undefined;
  live: LiveObject | undefined;
  mode: DriftMode;
}

interface Sent {
  object: KubeObject;
  answer: KubeObject;
}

const LEFT: Outcome = { done: 'left' };
const DRIFTED: Outcome = { done: 'left', drifted: true };

/** Brings one object to what Git has. A refusal comes back as a value, so that the others go on. */
export class Applier {
  readonly #context: ApplierContext;
  /** State of the objects whose drift was reported, by identity. */
  readonly #reported = new Map<string, string>();

  constructor(context: ApplierContext) {
    this.#context = context;
  }

  /** `live`: the object as it is known by now. */
  async run(task: Task, live: LiveObject | undefined, signal: AbortSignal): Promise<Outcome> {
    const { desired, verdict } = task;
    if (verdict.do === 'leave') return LEFT;
    // Whose it is was judged before many others were applied.
    if (!task.live && live) return { done: 'failed', failure: made(desired), replaced: { uid: '', by: live } };
    try {
      if (verdict.do === 'apply') return await this.#apply(task, signal);
      return await this.#correct(task, verdict, signal);
    } catch (error) {
      signal.throwIfAborted();
      const failure = located(failureOf(error, `apply ${displayName(desired.reference)}`), desired, error);
      const replaced = isConflict(error) || isOtherUid(error) ? await this.#replaced(task, signal) : undefined;
      return { done: 'failed', failure, ...(replaced ? { replaced } : {}) };
    }
  }

  /** The object is as Git has it: drift from here on is another one. */
  inSync({ id }: Desired): void {
    this.#reported.delete(id);
  }

  /** What the API server would say, without writing anything. */
  async dryRun(task: Task, signal: AbortSignal): Promise<Failure | undefined> {
    const { desired } = task;
    try {
      await this.#context.client.apply(await this.#toSend(task, signal), { dryRun: true, signal });
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return located(failureOf(error, `apply ${displayName(desired.reference)}`), desired, error);
    }
  }

  /**
   * What people's tools own is ours from the first apply on: of an object that is adopted, that shows once it has our entry.
   * What they wrote in another apiVersion stands in for our entry then, and what that had and Git has no longer goes before.
   */
  async #apply(task: Task, signal: AbortSignal): Promise<Outcome> {
    const { live } = task;
    const additions = live?.ownership.additions;
    const later = live !== undefined && (live.ownership.fields === '' || additions?.apiVersion !== undefined);
    if (additions && !later) await this.#takeOver(task, signal);
    const first = await this.#send(task, signal);
    if (!later || !projected(first.answer).ownership.additions) return applied(first, task);
    await this.#takeOver(task, signal);
    return applied(await this.#send(task, signal), task);
  }

  async #correct(task: Task, verdict: Verdict & { do: 'restore' | 'correct' }, signal: AbortSignal): Promise<Outcome> {
    const { desired, mode, live } = task;
    const { fights, now } = this.#context;
    if (mode === 'off') return LEFT;
    if (verdict.do === 'correct' && verdict.replicas && (await this.#context.autoscalers.target(desired.reference))) return LEFT;
    if (mode === 'report') return this.#report(task, signal);
    const lost = live ? fights.lost(desired, stateOf(live), now()) : fights.mayNotRestore(desired, now());
    if (lost) throw lost;
    if (await this.#namespaceEnds(desired, signal)) return LEFT;
    return verdict.do === 'restore' ? this.#restore(task, signal) : this.#putBack(task, signal);
  }

  async #restore(task: Task, signal: AbortSignal): Promise<Outcome> {
    const { desired } = task;
    const { fights, now, onDrift } = this.#context;
    const sent = await this.#send(task, signal);
    fights.restored(desired, now());
    onDrift({ desired, text: `${displayName(desired.reference)} had been deleted`, corrected: true });
    return applied(sent, task);
  }

  async #putBack(task: Task, signal: AbortSignal): Promise<Outcome> {
    const { desired, live } = task;
    const { fights, now, onDrift } = this.#context;
    const before = await this.#takeOver(task, signal);
    const sent = await this.#send(task, signal);
    const differences = differencesOf(before ? changedFields(before, sent.answer) : [], await this.#additions(task));
    fights.record(desired, differences, stateOf(live), now());
    onDrift({ desired, text: correctionText(displayName(desired.reference), differences), corrected: true });
    return applied(sent, task);
  }

  /** Once for each state of the object; to know who has changed what, the API server is asked what an apply would change. */
  async #report(task: Task, signal: AbortSignal): Promise<Outcome> {
    const { desired, live } = task;
    const state = stateOf(live);
    if (this.#reported.get(desired.id) === state) return DRIFTED;
    const name = displayName(desired.reference);
    const text = live ? reportText(name, await this.#differences(task, signal)) : `${name} has been deleted`;
    this.#reported.set(desired.id, state);
    this.#context.onDrift({ desired, text, corrected: false });
    return DRIFTED;
  }

  async #differences(task: Task, signal: AbortSignal): Promise<Difference[]> {
    const { client } = this.#context;
    const before = await client.get(task.desired.reference, { signal });
    const answer = await client.apply(await this.#toSend(task, signal), { dryRun: true, signal });
    return differencesOf(before ? changedFields(before, answer) : [], await this.#additions(task));
  }

  /** What people's tools added, without replicas that are an autoscaler's matter. */
  async #additions({ desired, live }: Task): Promise<Addition | undefined> {
    const additions = live?.ownership.additions;
    const fields = additions?.fields.filter((path) => path !== 'spec.replicas') ?? [];
    if (!additions || fields.length === additions.fields.length) return additions;
    return (await this.#context.autoscalers.target(desired.reference)) ? { ...additions, fields } : additions;
  }

  /** Hands what people's tools own to us; resolves to the object as it was before. */
  async #takeOver({ desired }: Task, signal: AbortSignal): Promise<KubeObject | undefined> {
    const { client, autoscalers } = this.#context;
    const { reference, object } = desired;
    const before = await client.get(reference, { signal });
    const leavesReplicas = before !== undefined && othersHoldReplicas(before) && (await autoscalers.target(reference));
    const taken = before && takeOver(before, object, { leavesReplicas });
    if (!taken) return before;
    const { apiVersion, patch, removal } = taken;
    const write = (body: object): Promise<KubeObject> => client.mergePatch({ ...reference, apiVersion }, body, { signal });
    try {
      if (!removal) await write(patch);
      else await write({ ...patch, ...removal }).catch((error: unknown) => (isRefusal(error) ? write(patch) : Promise.reject(error)));
    } catch (error) {
      // It has changed meanwhile: the watch tells, and the next pass takes it over.
      if (!isConflict(error)) throw error;
    }
    return before;
  }

  /**
   * With the UID of the object that is known, the API server answers 409 where that is gone: an apply would make a new
   * one, which the inventory does not expect, or write into one that somebody else has made.
   */
  async #send(task: Task, signal: AbortSignal): Promise<Sent> {
    const object = await this.#toSend(task, signal);
    const uid = task.live?.metadata.uid;
    const sent = uid ? { ...object, metadata: { ...object.metadata, uid } } : object;
    return { object, answer: await this.#context.client.apply(sent, { signal }) };
  }

  /** What has come in the place of the object that was known; undefined where that is still there, or nobody can tell. */
  async #replaced({ desired, live }: Task, signal: AbortSignal): Promise<Replaced | undefined> {
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

  async #toSend(task: Task, signal: AbortSignal): Promise<KubeObject> {
    const { client, velaCore } = this.#context;
    return identified(await this.#forAutoscaler(task), velaCore, { client, signal });
  }

  /** Without replicas that an autoscaler sets. */
  async #forAutoscaler({ desired, live }: Task): Promise<KubeObject> {
    const { object, reference } = desired;
    const adjusted = live ? forAutoscaler(object, live) : object;
    return adjusted !== object && (await this.#context.autoscalers.target(reference)) ? adjusted : object;
  }

  /** Everything in a namespace that is being deleted goes away: that is no drift. */
  async #namespaceEnds({ reference }: Desired, signal: AbortSignal): Promise<boolean> {
    const name = reference.namespace ?? '';
    const namespace = await this.#context.client.get({ apiVersion: 'v1', kind: 'Namespace', name }, { signal });
    return namespace === undefined || namespace.metadata.deletionTimestamp !== undefined;
  }
}

/** 404: it went between being read and being written. */
function isConflict(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 409 || error.status === 404);
}

/** The words of the API server for an object of that name with another UID. */
function isOtherUid(error: unknown): boolean {
  return error instanceof ApiError && error.causes.some(({ field }) => field === 'metadata.uid');
}

/** 422, 400: not as it stands. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 422 || error.status === 400);
}

function applied({ object, answer }: Sent, { desired, live }: Task): Outcome {
  const changed = answer.metadata.resourceVersion !== live?.metadata.resourceVersion;
  return { done: 'applied', changed, answer: asRecorded(projected(answer), object, desired) };
}

function made(desired: Desired): Failure {
  const name = displayName(desired.reference);
  return located(new Failure('ApplyFailed', `apply ${name}: somebody makes it at the same time`), desired, undefined);
}

/** The failure with the file and line of the object that it speaks of. */
function located(failure: Failure, { reference, origin }: Desired, error: unknown): Failure {
  const { reason, message, kind, remedy, retryAfterMs } = failure;
  const { file, line } = origin;
  const cause: Cause = { path: displayName(reference), code: reason, message, file, ...(line ? { line } : {}) };
  return new Failure(reason, message, {
    kind,
    causes: [remedy ? { ...cause, remedy } : cause],
    cause: error,
    ...(remedy ? { remedy } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
