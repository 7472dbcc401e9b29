import type { Application, ApplicationStatus } from '#api/application.ts';
import type { Cause } from '#api/failure.ts';
import type { Clock } from '#core/clock.ts';
import { oneLine, sentences } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import type { Redactor } from '#core/redact.ts';
import { ApiError, type Client } from '../cluster/client.ts';
import type { EventRecorder } from '../cluster/events.ts';
import { referenceTo } from './application-facts.ts';
import type { Note } from './note.ts';
import { regarding } from './regarding.ts';
import { shown } from './shown.ts';
import { refusedStatus, statusPatch } from './status.ts';

export interface StatusContext {
  client: Client;
  events: EventRecorder;
  log: Log;
  clock: Clock;
  redactor: Pick<Redactor, 'scrub'>;
}

/** Writes how one Application stands, only what has changed of it, and tells of it in Events. */
export class StatusWriter {
  readonly #context: StatusContext;
  readonly #onAnswer: (answer: unknown) => void;
  #written: ApplicationStatus | undefined;

  constructor(context: StatusContext, onAnswer: (answer: unknown) => void) {
    this.#context = context;
    this.#onAnswer = onAnswer;
  }

  /** The status as this agent wrote it last. */
  get written(): ApplicationStatus | undefined {
    return this.#written;
  }

  /** The status without anything that nobody may see. */
  shown(status: ApplicationStatus): ApplicationStatus {
    return shown(status, this.#context.redactor.scrub);
  }

  /** False: somebody has written meanwhile, into the workflow perhaps, which a person suspends, resumes and terminates there. */
  async write(application: Application, status: ApplicationStatus, signal: AbortSignal): Promise<boolean> {
    const patch = statusPatch(application.status, status);
    if (!patch) return true;
    const { resourceVersion } = application.metadata;
    const body = 'workflow' in patch.status ? { ...patch, metadata: { resourceVersion } } : patch;
    const before = this.#written;
    // Now: the watch may tell of it before the answer comes.
    this.#written = status;
    try {
      const answer = await this.#context.client.mergePatch(referenceTo(application), body, { subresource: 'status', signal });
      // What comes back is the newest Application there is; the watch will bring it again and change nothing.
      this.#onAnswer(answer);
      return true;
    } catch (error) {
      this.#written = before;
      if (error instanceof ApiError && error.status === 409) return false;
      throw error;
    }
  }

  /** The rules do not let it run, or it cannot. False as with `write`. */
  async refuse(application: Application, causes: Cause[], signal: AbortSignal): Promise<boolean> {
    const { events, log, clock } = this.#context;
    const status = this.shown(refusedStatus(application, causes, clock.now()));
    if (!statusPatch(application.status, status)) return true;
    if (!(await this.write(application, status, signal))) return false;
    const message = oneLine(sentences(causes.map((cause) => cause.message)));
    log.info('not admitted', { causes: causes.length, message });
    events.record({ regarding: regarding(application), type: 'Warning', reason: causes[0]?.code ?? 'NotAdmitted', message });
    return true;
  }

  /** Why what the spec says does not run, told once. */
  announce(application: Application, note: Note | undefined): void {
    const told = application.status?.conditions?.some(({ reason, message }) => reason === note?.reason && message === note?.message);
    if (!note || told) return;
    this.#context.log.info('another state than the spec runs', { reason: note.reason, message: note.message });
    this.#context.events.record({ regarding: regarding(application), type: note.serious ? 'Warning' : 'Normal', ...note });
  }
}
