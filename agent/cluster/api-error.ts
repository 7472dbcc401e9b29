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

/** A Status, as a rule: what stands between us and the API server answers in JSON of its own. */
interface Answer {
  message?: unknown;
  reason?: string;
  details?: { causes?: ApiCause[]; retryAfterSeconds?: number };
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
    const answer = (typeof body === 'object' && body !== null ? body : {}) as Answer;
    const words = withoutMiddle(wordsOf(answer, body) ?? `the API server answered ${status}`);
    const { causes: told } = answer.details ?? {};
    const named = Array.isArray(told) ? told : [];
    const { message, causes } = isSecret(asked) ? secretAnswer(words, named) : { message: words, causes: named };
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

function wordsOf({ message }: Answer, body: unknown): string | undefined {
  if (typeof message === 'string') return message;
  if (message !== undefined && message !== null) return JSON.stringify(message);
  return typeof body === 'string' && body.trim() !== '' ? body.trim().slice(0, 1024) : undefined;
}

function withoutMiddle(text: string): string {
  return text.length <= 2 * END_LETTERS ? text : `${text.slice(0, END_LETTERS)}…${text.slice(-END_LETTERS)}`;
}

function isSecret({ resource, group }: Asked): boolean {
  return group === '' && resource.split('/')[0] === 'secrets';
}
