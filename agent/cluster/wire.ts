/** One way to the server: HTTP/2, or HTTPS with kept connections where the server does not speak it. */
export interface Wire {
  /** `onHeaders` is called once; `onData` for every piece of the body. Resolves at the end of the whole body. */
  exchange(exchange: Exchange): Promise<void>;
  /** Ends everything, what is under way too. Nothing can be sent afterwards. */
  close(): void;
}

export interface Exchange {
  method: string;
  target: string;
  headers: Record<string, string>;
  body: string | undefined;
  signal: AbortSignal;
  /** Lasts for minutes: it must not take the room that others need. */
  isWatch: boolean;
  /** Called when there is a connection, right before the request goes out; throws a Failure where it may not. */
  beforeSend: () => void;
  onHeaders: (status: number, headers: Record<string, string>) => void;
  onData: (chunk: Buffer) => void;
}

/** No whole answer came: connection refused or cut, TLS failed, deadline passed. */
export class UnreachableError extends Error {
  override readonly name: string = 'UnreachableError';
}

/** The server did not process the request: it is safe to send it again, whatever it is. */
export class NotProcessedError extends UnreachableError {
  override readonly name = 'NotProcessedError';
}

/** The server speaks HTTP/1.1 only. */
export class NoHttp2Error extends Error {}

/** What was thrown below, as an UnreachableError that names the server. */
export function unreachable(server: string, error: unknown): UnreachableError {
  if (error instanceof UnreachableError) return error;
  // An AggregateError (all addresses of a name were tried) has a code and no message.
  const { message, code = 'unknown error' } = error as Error & { code?: string };
  const cause = message === '' ? Object.assign(new Error(code), { code }) : error;
  return new UnreachableError(`no answer from the API server ${server}`, { cause });
}

/** The deadline passed. */
export function noAnswer(server: string, ms: number): UnreachableError {
  return new UnreachableError(`no answer from the API server ${server} within ${ms / 1000} s`);
}
