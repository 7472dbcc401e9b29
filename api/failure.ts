import type { Reason } from './reasons.ts';

/** Where a mistake stands: a field path of an object, or a file and line of a repository, or both. */
export interface Cause {
  /** Field path such as `spec.components[0].properties.url`, or '' for the whole. */
  path: string;
  code: Reason;
  /** One sentence: what is wrong. Never holds a secret. */
  message: string;
  /** What was received, as shown to the user (shortened). */
  value?: string;
  /** What to do, as an imperative without the final stop. */
  remedy?: string;
  file?: string;
  line?: number;
}

/**
 * How a failure is treated, decided in one place (agent/application/component-loop.ts):
 * `stalled` needs a person and is retried only when an input changes (and at the periodic pass);
 * `transient` is retried with backoff.
 */
export type FailureKind = 'stalled' | 'transient';

/** An error that a user may read: a reason of the catalogue, one sentence, and what to do. */
export class Failure extends Error {
  readonly reason: Reason;
  readonly kind: FailureKind;
  readonly remedy: string | undefined;
  readonly causes: readonly Cause[];
  /** Not before this many milliseconds (Retry-After of a server). */
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: Reason,
    message: string,
    options: { kind?: FailureKind; remedy?: string; causes?: readonly Cause[]; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.reason = reason;
    this.kind = options.kind ?? 'transient';
    this.remedy = options.remedy;
    this.causes = options.causes ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Message and remedy as one sentence: `what is wrong: what to do`. */
  get sentence(): string {
    return this.remedy ? `${this.message}; ${this.remedy}` : this.message;
  }
}
