import type { Cause } from '#api/failure.ts';
import { Failure } from '#api/failure.ts';
import { displayName } from '#api/kubernetes.ts';
import { ApiError } from '../cluster/client.ts';
import { changedFields } from '../cluster/managed-fields.ts';
import { type LiveObject, projected } from '../cluster/projection.ts';
import type { InventoryEntry } from '../manifest/inventory.ts';
import type { Desired } from './desired.ts';
import { type DriftFights, stateOf } from './drift-fights.ts';
import { DriftReports } from './drift-reports.ts';
import { correctionText } from './drift-text.ts';
import { failureOf } from './failures.ts';
import { isConflict, ObjectWriter, type Replaced, type WriterContext, type Written } from './object-writer.ts';
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

export interface ApplierContext extends WriterContext {
  fights: DriftFights;
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

const LEFT: Outcome = { done: 'left' };
const DRIFTED: Outcome = { done: 'left', drifted: true };

/** Brings one object to what Git has. A refusal comes back as a value, so that the others go on. */
export class Applier {
  readonly #context: ApplierContext;
  readonly #writer: ObjectWriter;
  readonly #reports: DriftReports;

  constructor(context: ApplierContext) {
    this.#context = context;
    this.#writer = new ObjectWriter(context);
    this.#reports = new DriftReports(this.#writer, context.autoscalers);
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
      const replaced = isConflict(error) || isOtherUid(error) ? await this.#writer.replaced(task, signal) : undefined;
      return { done: 'failed', failure, ...(replaced ? { replaced } : {}) };
    }
  }

  /** By identity, what Git has: nothing is remembered of others. */
  keep(ids: ReadonlySet<string>): void {
    this.#reports.keep(ids);
  }

  /** The object is as Git has it: drift from here on is another one. */
  inSync(desired: Desired): void {
    this.#reports.inSync(desired);
  }

  /** What the API server would say, without writing anything. */
  async dryRun(task: Task, signal: AbortSignal): Promise<Failure | undefined> {
    const { desired } = task;
    try {
      await this.#writer.dryRun(task, signal);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return located(failureOf(error, `apply ${displayName(desired.reference)}`), desired, error);
    }
  }

  /**
   * What people's tools own is ours from the first apply on. That shows afterwards of an object that is adopted, and of fields
   * which were ours as well and have left Git. What they wrote in another apiVersion stands in for our entry, and what that
   * had and Git has no longer goes before.
   */
  async #apply(task: Task, signal: AbortSignal): Promise<Outcome> {
    const { live } = task;
    const additions = live?.ownership.additions;
    const later = live !== undefined && (live.ownership.fields === '' || additions?.apiVersion !== undefined);
    if (additions && !later) await this.#writer.takeOver(task, signal);
    const first = await this.#writer.apply(task, signal);
    if (!live || !projected(first.answer).ownership.additions) return applied(first, task);
    const { took } = await this.#writer.takeOver(task, signal);
    return took ? applied(await this.#writer.apply(task, signal), task) : applied(first, task);
  }

  async #correct(task: Task, verdict: Verdict & { do: 'restore' | 'correct' }, signal: AbortSignal): Promise<Outcome> {
    const { desired, mode, live } = task;
    const { fights, now } = this.#context;
    if (mode === 'off') return LEFT;
    if (verdict.do === 'correct' && verdict.replicas && (await this.#context.autoscalers.target(desired.reference))) return LEFT;
    if (mode === 'report') return this.#report(task, signal);
    const lost = live ? fights.lost(desired, stateOf(live), now()) : fights.mayNotRestore(desired, now());
    if (lost) throw lost;
    if (await this.#writer.namespaceEnds(desired.reference, signal)) return LEFT;
    return verdict.do === 'restore' ? this.#restore(task, signal) : this.#putBack(task, signal);
  }

  async #restore(task: Task, signal: AbortSignal): Promise<Outcome> {
    const { desired } = task;
    const { fights, now, onDrift } = this.#context;
    const sent = await this.#writer.apply(task, signal);
    fights.restored(desired, now());
    onDrift({ desired, text: `${displayName(desired.reference)} had been deleted`, corrected: true });
    return applied(sent, task);
  }

  async #putBack(task: Task, signal: AbortSignal): Promise<Outcome> {
    const { desired, live } = task;
    const { fights, now, onDrift } = this.#context;
    const { before } = await this.#writer.takeOver(task, signal);
    const sent = await this.#writer.apply(task, signal);
    const differences = await this.#reports.differences(before ? changedFields(before, sent.answer) : [], task);
    fights.record(desired, differences, stateOf(live), now());
    onDrift({ desired, text: correctionText(displayName(desired.reference), differences), corrected: true });
    return applied(sent, task);
  }

  async #report(task: Task, signal: AbortSignal): Promise<Outcome> {
    const text = await this.#reports.news(task, signal);
    if (text !== undefined) this.#context.onDrift({ desired: task.desired, text, corrected: false });
    return DRIFTED;
  }
}

/** The words of the API server for an object of that name with another UID. */
function isOtherUid(error: unknown): boolean {
  return error instanceof ApiError && error.causes.some(({ field }) => field === 'metadata.uid');
}

function applied({ answer, recorded }: Written, { live }: Task): Outcome {
  return { done: 'applied', changed: answer.metadata.resourceVersion !== live?.metadata.resourceVersion, answer: recorded };
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
