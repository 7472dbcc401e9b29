import { displayName } from '#api/kubernetes.ts';
import { type Addition, type ChangedField, changedFields } from '../cluster/managed-fields.ts';
import type { Autoscalers } from './autoscalers.ts';
import type { Desired } from './desired.ts';
import { type Difference, differencesOf, reportText } from './drift-text.ts';
import { stateOf } from './drift-fights.ts';
import { keepOnly } from './keep-only.ts';
import type { ObjectWriter, Target } from './object-writer.ts';

/** What stands otherwise in the cluster than in Git, in words, and what of it has been said. */
export class DriftReports {
  readonly #writer: ObjectWriter;
  readonly #autoscalers: Autoscalers;
  /** State of the objects whose drift was reported, by identity. */
  readonly #reported = new Map<string, string>();

  constructor(writer: ObjectWriter, autoscalers: Autoscalers) {
    this.#writer = writer;
    this.#autoscalers = autoscalers;
  }

  /** By identity, what Git has: nothing is remembered of others. */
  keep(ids: ReadonlySet<string>): void {
    keepOnly(this.#reported, ids);
  }

  /** The object is as Git has it: drift from here on is another one. */
  inSync({ id }: Desired): void {
    this.#reported.delete(id);
  }

  /**
   * One sentence, once for each state of the object. To know who has changed what, the API server is asked what an apply
   * would change.
   */
  async news(target: Target, signal: AbortSignal): Promise<string | undefined> {
    const { desired, live } = target;
    const state = stateOf(live);
    if (this.#reported.get(desired.id) === state) return undefined;
    const name = displayName(desired.reference);
    const text = live ? reportText(name, await this.#ahead(target, signal)) : `${name} has been deleted`;
    this.#reported.set(desired.id, state);
    return text;
  }

  async #ahead(target: Target, signal: AbortSignal): Promise<Difference[]> {
    const before = await this.#writer.read(target, signal);
    const answer = await this.#writer.dryRun(target, signal);
    return this.differences(before ? changedFields(before, answer) : [], target);
  }

  /** With what people's tools added, but for replicas that are an autoscaler's matter. */
  async differences(changed: readonly ChangedField[], target: Target): Promise<Difference[]> {
    return differencesOf(changed, await this.#additions(target));
  }

  async #additions({ desired, live }: Target): Promise<Addition | undefined> {
    const additions = live?.ownership.additions;
    const fields = additions?.fields.filter((path) => path !== 'spec.replicas') ?? [];
    if (!additions || fields.length === additions.fields.length) return additions;
    return (await this.#autoscalers.target(desired.reference)) ? { ...additions, fields } : additions;
  }
}
