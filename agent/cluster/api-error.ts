import { secretAnswer } from './secret-answer.ts';

/** One problem that the API server names in an answer (`Status.details.causes`). */
export interface ApiCause {
  field?: string;
  message?: string;
  reason?: string;
}

/** What was asked of the API server, for messages. */
export interface Asked {
  verb: string;
  resource: string;
  group: string;
  namespace?: string | undefined;
  name?: string | undefined;
}

/** A refusal may quote an object of a megabyte: what is wrong is said before it and behind it. */
const END_LETTERS = 16 * 1024;

/** The API server answered, and the answer was no. Of an answer about a Secret nothing is kept that may quote it. */
export class ApiError extends Error {
  readonly status: number;
  /** `Status.reason`, such as `Forbidden`, `NotFound`, `Conflict`. */
  readonly reason: string;
  readonly causes: readonly ApiCause[];
  readonly retryAfterMs: number | undefined;
  readonly asked: Asked;

  constructor(status: number, body: unknown, asked: Asked, retryAfterMs?: number) {
    const answer = (typeof body === 'object' && body !== null ? body : {}) as {
      message?: string;
      reason?: string;
      details?: { causes?: ApiCause[]; retryAfterSeconds?: number };
    };
    const words =
      answer.message ?? (typeof body === 'string' && body.trim() !== '' ? body.trim().slice(0, 1024) : `the API server answered ${status}`);
    const named = answer.details?.causes ?? [];
    const shown = withoutMiddle(words);
    const { message, causes } = isSecret(asked) ? secretAnswer(shown, named) : { message: shown, causes: named };
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = answer.reason ?? '';
    this.causes = causes;
    const seconds = answer.details?.retryAfterSeconds;
    this.retryAfterMs = retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1_000);
    this.asked = asked;
  }
}

function withoutMiddle(text: string): string {
  return text.length <= 2 * END_LETTERS ? text : `${text.slice(0, END_LETTERS)}…${text.slice(-END_LETTERS)}`;
}

function isSecret({ resource, group }: Asked): boolean {
  return group === '' && resource.split('/')[0] === 'secrets';
}
