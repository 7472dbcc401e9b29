import type { Application, Component } from '#api/application.ts';
import type { Failure } from '#api/failure.ts';
import type { ObjectReference } from '#api/kubernetes.ts';
import type { Reason } from '#api/reasons.ts';
import { oneLine } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import type { EventRecorder } from '../cluster/events.ts';
import type { Drift } from '../sync/applier.ts';
import type { Pruned } from '../sync/delivery.ts';
import { endingText } from '../sync/endings.ts';
import { failureFields } from '../sync/failures.ts';
import type { ComponentInput } from './component-loop.ts';
import { regarding } from './regarding.ts';

const MAX_NAMED = 10;
/** Whoever waits for another component looks again within five seconds (component-loop.ts). */
const CONFLICT_MS = 3_000;

/** Whose component, by its name. */
interface Subject {
  application: Application;
  component: Pick<Component, 'name'>;
}

/** What happened to one component, in the log and as Events of its Application. */
export class ComponentJournal {
  readonly #log: Log;
  readonly #events: EventRecorder;
  #heldAt: string | undefined;
  /** The last failure that was told. */
  #told: string | undefined;
  #conflictSinceMs: number | undefined;

  constructor(log: Log, events: EventRecorder) {
    this.#log = log;
    this.#events = events;
  }

  well(): void {
    this.#told = undefined;
    this.#conflictSinceMs = undefined;
  }

  /** Told once. An object that moves is a conflict until its former owner has seen the same commit: that is no news. */
  failed(input: ComponentInput, failure: Failure): void {
    const isConflict = failure.causes.length > 0 && failure.causes.every(({ code }) => code === 'OwnershipConflict');
    this.#conflictSinceMs = isConflict ? (this.#conflictSinceMs ?? performance.now()) : undefined;
    if (isConflict && performance.now() - (this.#conflictSinceMs ?? 0) < CONFLICT_MS) return;
    if (failure.message === this.#told) return;
    this.#told = failure.message;
    this.#log.warn('component failed', { component: input.component.name, ...failureFields(failure) });
    this.#record(input, 'Warning', failure.reason, failure.sentence);
  }

  drifted(input: ComponentInput, { desired, text, corrected }: Drift): void {
    const { file, line } = desired.origin;
    const fields = { component: input.component.name, what: text, file, ...(line ? { line } : {}) };
    this.#log.info(corrected ? 'drift corrected' : 'drift detected', fields);
    this.#record(
      input,
      corrected ? 'Normal' : 'Warning',
      corrected ? 'DriftCorrected' : 'DriftDetected',
      corrected ? `${text}; put back` : text,
    );
  }

  pruned(input: Subject, { removed, kept, left, held, begun }: Pruned): void {
    this.#objects(input, { reason: 'Pruned', text: 'removed', references: removed });
    if (begun.length > 0) {
      this.#log.info('being deleted', { component: input.component.name, objects: endingText(begun) });
      this.#record(input, 'Normal', 'Pruned', endingText(begun));
    }
    this.#objects(input, { reason: 'Kept', text: 'left in the cluster, since prune is false:', references: kept });
    for (const { entry, why } of left)
      this.#objects(input, { reason: 'NotOurs', text: `left in the cluster, since ${why}:`, references: [entry] });
    if (held && held.commit !== this.#heldAt) {
      this.#log.warn('prune held', { component: input.component.name, why: held.why, commit: held.commit, objects: held.objects.length });
      this.#record(input, 'Warning', 'PruneHeld', `a prune is held: ${held.why}`);
    }
    this.#heldAt = held?.commit;
  }

  #objects(input: Subject, part: { reason: Reason; text: string; references: readonly ObjectReference[] }): void {
    const { reason, text, references } = part;
    if (references.length === 0) return;
    const named = references.slice(0, MAX_NAMED).map(({ kind, name }) => `${kind}/${name}`);
    const more = references.length > MAX_NAMED ? ` and ${references.length - MAX_NAMED} more` : '';
    const objects = `${named.join(', ')}${more}`;
    this.#log.info(reason.toLowerCase(), { component: input.component.name, objects });
    this.#record(input, 'Normal', reason, `${text} ${objects}`);
  }

  #record(input: Subject, type: 'Normal' | 'Warning', reason: Reason, text: string): void {
    const message = oneLine(`component ${input.component.name}: ${text}`);
    this.#events.record({ regarding: regarding(input.application), type, reason, message });
  }
}
