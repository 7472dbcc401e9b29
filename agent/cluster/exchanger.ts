import { Failure } from '#api/failure.ts';
import type { Log } from '#core/log.ts';
import type { Connection } from './connection.ts';
import { orAborted } from './deadline.ts';
import { openHttp2 } from './http2.ts';
import { openHttps } from './https.ts';
import { type Exchange, NoHttp2Error, unreachable, type Wire } from './wire.ts';

export interface TransportRequest {
  method: string;
  /** With a leading slash, without the query. */
  path: string;
  query?: Record<string, string | undefined>;
  body?: unknown;
  contentType?: string;
  accept?: string;
  /** From when the request gets its turn. Default 30 s. Not for `stream`. */
  timeoutMs?: number;
  /** Goes out at once, whatever waits: the Lease must be renewed however much there is to do. */
  urgent?: boolean;
  /** Gives way to what brings the cluster to the state of Git: status, Events, the record of what was applied. */
  hasTime?: boolean;
  /** Its answer goes on for minutes. */
  isWatch?: boolean;
  signal?: AbortSignal;
  /** Called when the request, and each repetition of it, is about to go out: throws where that is not allowed (any more). */
  beforeSend?: () => void;
}

export type Sink = Pick<Exchange, 'onHeaders' | 'onData'>;
/** One try. Throws UnreachableError, a Failure of the sink, or the signal's reason. */
export type Exchanger = (request: TransportRequest, signal: AbortSignal, sink: Sink) => Promise<void>;

export interface ExchangerHandle {
  exchange: Exchanger;
  close(): void;
}

/** Then HTTP/2 is tried again. */
const HTTPS_MS = 10 * 60_000;
/** A credential plugin that has not answered by then is asked again: all requests wait for it. */
const RENEWAL_MS = 30_000;

export function createExchanger(connection: Connection, userAgent: string, log: Log): ExchangerHandle {
  const wire = createWire(connection, log);
  // Such as that of a proxy in front of several clusters.
  const prefix = new URL(connection.server).pathname.replace(/\/+$/, '');
  /** The last token that was sent, and the last that the server did not take. */
  let [sent, refused]: (string | undefined)[] = [];
  let renewing: Promise<string | undefined> | undefined;

  /** Another one than was refused, where there is one: for all that were under way with that. */
  async function tokenNow(): Promise<string | undefined> {
    const isRefused = sent !== undefined && sent === refused;
    if (isRefused) renewing ??= orAborted(connection.token(true), AbortSignal.timeout(RENEWAL_MS)).finally(() => (renewing = undefined));
    sent = await (isRefused ? renewing : connection.token(false));
    return sent;
  }

  function headersOf(request: TransportRequest, token: string | undefined): Record<string, string> {
    return {
      accept: request.accept ?? 'application/json',
      'user-agent': userAgent,
      ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    };
  }

  async function exchange(request: TransportRequest, signal: AbortSignal, { onHeaders, onData }: Sink): Promise<void> {
    let token: string | undefined;
    const heard: Exchange['onHeaders'] = (status, received) => {
      if (status === 401) refused = token;
      else if (token === refused) refused = undefined;
      onHeaders(status, received);
    };
    try {
      token = await orAborted(tokenNow(), signal);
      const headers = headersOf(request, token);
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const { method, isWatch = false, beforeSend = () => undefined } = request;
      const target = prefix + targetOf(request);
      await wire.exchange({ method, target, headers, body, signal, isWatch, beforeSend, onHeaders: heard, onData });
    } catch (error) {
      if (signal.aborted || error instanceof Failure) throw error;
      throw unreachable(connection.server, error);
    }
  }

  return { exchange, close: () => wire.close() };
}

/** HTTP/2, and HTTPS for a while where the server turned out not to speak it: a proxy, or one of several servers, may be new. */
function createWire(connection: Connection, log: Log): Wire {
  const http2 = openHttp2(connection);
  const https = openHttps(connection);
  let httpsUntilMs = Number.NEGATIVE_INFINITY;

  return {
    async exchange(exchange) {
      if (performance.now() < httpsUntilMs) return https.exchange(exchange);
      try {
        await http2.exchange(exchange);
      } catch (error) {
        if (!(error instanceof NoHttp2Error)) throw error;
        if (httpsUntilMs < 0) log.info('the API server speaks no HTTP/2: using HTTPS');
        httpsUntilMs = performance.now() + HTTPS_MS;
        return https.exchange(exchange);
      }
    },
    close() {
      http2.close();
      https.close();
    },
  };
}

function targetOf({ path, query = {} }: TransportRequest): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(key)}=${encodeURIComponent(value)}`],
  );
  return pairs.length > 0 ? `${path}?${pairs.join('&')}` : path;
}
