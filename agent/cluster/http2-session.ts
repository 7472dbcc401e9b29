import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Connection } from './connection.ts';
import { receive } from './http2-stream.ts';
import { tlsOptions } from './tls.ts';
import { type Exchange, NoHttp2Error, NotProcessedError, UnreachableError } from './wire.ts';

const CONNECT_DEADLINE_MS = 10_000;
/** A half-open connection is noticed within the sum of both: an idle watch says nothing by itself. */
const PING_INTERVAL_MS = 30_000;
const PING_DEADLINE_MS = 15_000;
/** The same, where a request got no answer in time: the Lease, renewed every 10 s, must find another connection before it is over. */
const PROBE_DEADLINE_MS = 3_000;
/** Flow control windows: 64 KiB, the default, makes a list of many objects wait for the round trips. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const SESSION_WINDOW_BYTES = 4 * 1024 * 1024;
/** Of the streams that the server allows over one connection, what watches may take: they stay for minutes, and requests need room. */
const WATCH_SHARE = 1 / 2;

/** Opens a connection, and waits for what the server allows over it. Throws NoHttp2Error where it speaks HTTP/1.1 only. */
export async function openSession(connection: Connection, closing: AbortSignal, isSpare: (session: Session) => boolean): Promise<Session> {
  const socket = await dial(connection, closing);
  const session = connect(connection.server, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
  });
  session.on('error', () => undefined);
  session.once('connect', () => session.destroyed || session.setLocalWindowSize(SESSION_WINDOW_BYTES));
  const opened = new Session(session, isSpare);
  await untilSettled(session, closing);
  return opened;
}

/** The settings are the first that a server says (RFC 9113 §3.4). */
function untilSettled(session: ClientHttp2Session, closing: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => session.destroy(closing.reason as Error);
    const onLate = (): void => session.destroy(new UnreachableError(`no settings within ${CONNECT_DEADLINE_MS / 1000} s`));
    const late = setTimeout(onLate, CONNECT_DEADLINE_MS);
    const done = (): void => {
      clearTimeout(late);
      closing.removeEventListener('abort', onAbort);
    };
    if (closing.aborted) onAbort();
    closing.addEventListener('abort', onAbort, { once: true });
    session.once('error', reject);
    session.once('remoteSettings', () => {
      done();
      resolve();
    });
    session.once('close', () => {
      done();
      reject(new UnreachableError('the API server closed the connection'));
    });
  });
}

/** One HTTP/2 session, and what it carries. */
export class Session {
  readonly #session: ClientHttp2Session;
  #streams = 0;
  #watches = 0;
  #leaving = false;
  /** Carried something since the last look. */
  #busy = true;

  constructor(session: ClientHttp2Session, isSpare: (session: Session) => boolean) {
    this.#session = session;
    session.once('goaway', () => {
      this.#leaving = true;
    });
    const look = (): void => {
      const rests = this.#streams === 0 && !this.#busy;
      this.#busy = this.#streams > 0;
      if (rests && isSpare(this)) session.close();
      else this.#ping(PING_DEADLINE_MS);
    };
    const timer = setInterval(look, PING_INTERVAL_MS);
    timer.unref();
    session.once('close', () => clearInterval(timer));
  }

  /** Whether it takes something new; what is under way may still go on. */
  get open(): boolean {
    return !this.#leaving && !this.#session.closed && !this.#session.destroyed;
  }

  /** Whether a stream more would be begun at once, and not wait until another one ends. */
  hasRoom(isWatch: boolean): boolean {
    // One always: a server that allows none for now is asked all the same, and the deadlines tell.
    const limit = Math.max(1, this.#session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY);
    return this.open && this.#streams < limit && (!isWatch || this.#watches < Math.ceil(limit * WATCH_SHARE));
  }

  /** Sends at once, so that nobody takes the room in between. */
  async send(exchange: Exchange): Promise<void> {
    const { signal, isWatch } = exchange;
    exchange.beforeSend();
    const stream = this.#begin(exchange);
    this.#count(isWatch, 1);
    stream.once('close', () => this.#count(isWatch, -1));
    try {
      await receive(stream, exchange);
    } catch (error) {
      if (signal.reason instanceof UnreachableError) this.#ping(PROBE_DEADLINE_MS);
      throw error;
    }
  }

  onClose(listener: () => void): void {
    this.#session.once('close', listener);
  }

  destroy(): void {
    this.#session.destroy();
  }

  #begin({ method, target, headers, body }: Exchange): ClientHttp2Stream {
    try {
      const stream = this.#session.request({ ':method': method, ':path': target, ...headers }, { endStream: body === undefined });
      if (body !== undefined) stream.end(body);
      return stream;
    } catch (error) {
      // The session was closed a moment ago.
      throw new NotProcessedError('the API server closed the connection', { cause: error });
    }
  }

  #count(isWatch: boolean, by: 1 | -1): void {
    this.#busy = true;
    this.#streams += by;
    if (isWatch) this.#watches += by;
  }

  /** Ends the session where no answer comes: a server that is slow answers a ping all the same. */
  #ping(deadlineMs: number): void {
    const session = this.#session;
    // Its `close` comes a moment after its end; a process that was stopped in between comes here first.
    if (session.destroyed) return;
    const onLate = (): void => session.destroy(new UnreachableError('the API server does not answer a ping'));
    const late = setTimeout(onLate, deadlineMs);
    late.unref();
    session.ping(() => clearTimeout(late));
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
