import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Connection } from './connection.ts';
import { orAborted } from './deadline.ts';
import { tlsOptions } from './tls.ts';
import { type Exchange, NoHttp2Error, NotProcessedError, UnreachableError, type Wire } from './wire.ts';

const CONNECT_DEADLINE_MS = 10_000;
/** A half-open connection is noticed within the sum of both: an idle watch says nothing by itself. */
const PING_INTERVAL_MS = 30_000;
const PING_DEADLINE_MS = 15_000;
/** The same, where a request got no answer in time: the Lease, renewed every 10 s, must find another connection before it is over. */
const PROBE_DEADLINE_MS = 3_000;
/** Flow control windows: 64 KiB, the default, makes a list of many objects wait for the round trips. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const SESSION_WINDOW_BYTES = 4 * 1024 * 1024;

export function openHttp2(connection: Connection): Wire {
  return new Http2Wire(connection);
}

/** One HTTP/2 session for everything; a new one where the old one was closed (GOAWAY, cut, no answer to a ping). */
class Http2Wire implements Wire {
  readonly #connection: Connection;
  /** Those that still finish what was under way at a GOAWAY, too. */
  readonly #sessions = new Set<ClientHttp2Session>();
  readonly #closing = new AbortController();
  #current: Promise<ClientHttp2Session> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async exchange(exchange: Exchange): Promise<void> {
    this.#closing.signal.throwIfAborted();
    const session = await this.#session(exchange.signal);
    exchange.beforeSend();
    try {
      await send(session, exchange);
    } catch (error) {
      if (exchange.signal.reason instanceof UnreachableError) ping(session, PROBE_DEADLINE_MS);
      throw error;
    }
  }

  close(): void {
    this.#closing.abort(new UnreachableError('the connection to the API server was closed'));
    for (const session of this.#sessions) session.destroy();
  }

  async #session(signal: AbortSignal): Promise<ClientHttp2Session> {
    const opening = this.#current ?? this.#start();
    const session = await orAborted(opening, signal);
    if (!session.destroyed) return session;
    // Its `close` is still to come.
    this.#drop(opening);
    return orAborted(this.#current ?? this.#start(), signal);
  }

  #start(): Promise<ClientHttp2Session> {
    const opening = this.#open();
    const drop = (): void => this.#drop(opening);
    opening.then((session) => {
      session.once('goaway', drop);
      session.once('close', () => {
        this.#sessions.delete(session);
        drop();
      });
    }, drop);
    this.#current = opening;
    return opening;
  }

  #drop(opening: Promise<ClientHttp2Session>): void {
    if (this.#current === opening) this.#current = undefined;
  }

  async #open(): Promise<ClientHttp2Session> {
    const { server } = this.#connection;
    const socket = await dial(this.#connection, this.#closing.signal);
    const session = connect(server, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    });
    this.#sessions.add(session);
    session.on('error', () => undefined);
    session.once('connect', () => session.destroyed || session.setLocalWindowSize(SESSION_WINDOW_BYTES));
    keepAlive(session);
    return session;
  }
}

/** A connection over which the server has agreed to speak HTTP/2. Throws NoHttp2Error where it does not. */
function dial(connection: Connection, signal: AbortSignal): Promise<TLSSocket> {
  const { hostname, port } = new URL(connection.server);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host,
      port: Number(port || 443),
      ...(isIP(host) ? {} : { servername: host }),
      ...tlsOptions(connection),
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    const giveUp = (error: Error): void => {
      done();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => giveUp(signal.reason as Error);
    const timer = setTimeout(() => giveUp(new Error(`no connection within ${CONNECT_DEADLINE_MS / 1000} s`)), CONNECT_DEADLINE_MS);
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', giveUp);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', giveUp);
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol !== 'h2') return giveUp(new NoHttp2Error('the server speaks HTTP/1.1 only'));
      done();
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** Pings while the session lives. */
function keepAlive(session: ClientHttp2Session): void {
  const timer = setInterval(() => ping(session, PING_DEADLINE_MS), PING_INTERVAL_MS);
  timer.unref();
  session.once('close', () => clearInterval(timer));
}

/** Ends the session where no answer comes: a server that is slow answers a ping all the same. */
function ping(session: ClientHttp2Session, deadlineMs: number): void {
  // Its `close` comes a moment after its end; a process that was stopped in between comes here first.
  if (session.destroyed) return;
  const onLate = (): void => session.destroy(new UnreachableError('the API server does not answer a ping'));
  const late = setTimeout(onLate, deadlineMs);
  late.unref();
  session.ping(() => clearTimeout(late));
}

function send(session: ClientHttp2Session, exchange: Exchange): Promise<void> {
  const { method, target, headers, body, signal } = exchange;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({ ':method': method, ':path': target, ...headers }, { endStream: body === undefined });
    } catch (error) {
      // The session was closed a moment ago.
      return reject(new NotProcessedError('the API server closed the connection', { cause: error }));
    }
    let answered = false;
    let givenUp: Error | undefined;
    let broken: Error | undefined;
    const fail = (error: Error): void => {
      givenUp ??= error;
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const onAbort = (): void => fail(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('response', (received) => {
      answered = true;
      exchange.onHeaders(Number(received[':status']), flat(received));
    });
    stream.on('data', (chunk: Buffer) => {
      try {
        exchange.onData(chunk);
      } catch (error) {
        fail(error as Error);
      }
    });
    stream.on('error', (error) => {
      broken = error;
    });
    stream.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      const error = givenUp ?? ending(stream, answered, broken);
      return error ? reject(error) : resolve();
    });
    if (body !== undefined) stream.end(body);
  });
}

/** What the end of a stream means. A stream that is reset ends like a whole one: only its code tells them apart. */
function ending({ rstCode, id }: ClientHttp2Stream, answered: boolean, broken: Error | undefined): Error | undefined {
  if (answered && broken === undefined && rstCode === constants.NGHTTP2_NO_ERROR) return undefined;
  const options = broken ? { cause: broken } : {};
  const notProcessed = !answered && (id === undefined || rstCode === constants.NGHTTP2_REFUSED_STREAM);
  if (notProcessed) return new NotProcessedError('the API server did not take the request', options);
  return new UnreachableError('the connection to the API server was cut', options);
}

function flat(headers: Record<string, string | string[] | number | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])));
}
