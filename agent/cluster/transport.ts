import { Failure } from '#api/failure.ts';
import type { Log } from '#core/log.ts';
import type { Connection } from './connection.ts';
import { type Deadline, orAborted, startDeadline } from './deadline.ts';
import { createExchanger, type Exchanger, type TransportRequest } from './exchanger.ts';
import { createGate } from './gate.ts';
import { parseJson } from './json-lines.ts';
import { streamLines } from './line-stream.ts';
import { retryAfterMs } from './retry-after.ts';
import { noAnswer, NotProcessedError, UnreachableError } from './wire.ts';

export type { TransportRequest } from './exchanger.ts';

export interface TransportResponse {
  status: number;
  headers: Record<string, string>;
  /** Parsed JSON; text where it is none. */
  body: unknown;
}

/** Requests to one API server. Both throw UnreachableError where no whole answer came, and the signal's reason. */
export interface Transport {
  request(request: TransportRequest): Promise<TransportResponse>;
  /** The JSON lines of a watch, until the server ends it; a StreamRefusal where it does not begin one. */
  stream(request: TransportRequest): AsyncGenerator<unknown, void, undefined>;
  /** The API server's clock, as its last answer told it (RFC 9110 §6.6.1), to the second; ours before the first. */
  serverNow(): number;
  /** Whether requests wait for others to be answered: what can be left out is better left out. */
  queues(): boolean;
  /** The same, or they did so a moment ago: a crowd has moments in which nothing waits. */
  crowded(): boolean;
  /** Ends what is under way; nothing can be sent afterwards, and nothing keeps the process. */
  close(): void;
}

/** One answer, for metrics. */
export interface Answered {
  method: string;
  status: number;
}

export interface TransportOptions {
  log: Log;
  userAgent: string;
  /** Requests in flight; watches do not count. */
  maxInFlight?: number;
  /** Called for each answer. */
  onAnswer?: (answered: Answered) => void;
}

/** Default deadline of a request. */
const DEADLINE_MS = 30_000;
/** A page of 500 objects stays far below. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_TRIES = 5;
/** A crowd in which nothing waits for so long is over. */
const CROWD_MS = 2_000;

export function createTransport(connection: Connection, { log, userAgent, maxInFlight = 32, onAnswer }: TransportOptions): Transport {
  const gate = createGate(maxInFlight);
  const handle = createExchanger(connection, userAgent, log);
  // On the monotonic clock, so that a jump of ours changes nothing.
  let aheadMs = Date.now() - performance.now();
  const exchange: Exchanger = (request, signal, sink) =>
    handle.exchange(request, signal, {
      ...sink,
      onHeaders(status, headers) {
        const serverMs = Date.parse(headers['date'] ?? '');
        if (!Number.isNaN(serverMs)) aheadMs = serverMs - performance.now();
        onAnswer?.({ method: request.method, status });
        sink.onHeaders(status, headers);
      },
    });
  return {
    async request(request) {
      const leave = request.urgent ? (): void => {} : await gate.enter(request.signal, request.hasTime);
      const { timeoutMs = DEADLINE_MS, signal } = request;
      const deadline = startDeadline(timeoutMs, () => noAnswer(connection.server, timeoutMs), signal);
      try {
        return await withRetries(request, deadline, exchange);
      } finally {
        deadline.clear();
        leave();
      }
    },
    stream: (request) => streamLines({ ...request, isWatch: true }, exchange, connection.server),
    serverNow: () => performance.now() + aheadMs,
    queues: () => gate.crowded(),
    crowded: () => gate.crowded(CROWD_MS),
    close: handle.close,
  };
}

async function once(request: TransportRequest, signal: AbortSignal, exchange: Exchanger): Promise<TransportResponse> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let head: Omit<TransportResponse, 'body'> = { status: 0, headers: {} };
  await exchange(request, signal, {
    onHeaders: (status, headers) => {
      head = { status, headers };
    },
    onData: (chunk) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) throw new Failure('TooLarge', `the API server sent over ${MAX_BODY_BYTES} bytes for ${request.path}`);
      chunks.push(chunk);
    },
  });
  return { ...head, body: parseJson(Buffer.concat(chunks).toString('utf8')) };
}

/** Again: with a new token after a 401; after what the server asks for; where nothing was processed or nothing changed. */
async function withRetries(request: TransportRequest, deadline: Deadline, exchange: Exchanger): Promise<TransportResponse> {
  const { signal } = deadline;
  let refused = false;
  let cut = false;
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await once(request, signal, exchange);
      const waitMs = response.status === 401 && !refused ? 0 : retryAfterMs(response);
      refused ||= response.status === 401;
      if (waitMs === undefined || attempt >= MAX_TRIES || waitMs >= deadline.leftMs()) return response;
      await pause(waitMs, signal);
    } catch (error) {
      const safe = error instanceof NotProcessedError || (error instanceof UnreachableError && request.method === 'GET');
      if (!safe || cut || signal.aborted) throw error;
      cut = true;
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  try {
    await orAborted(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}
