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
/** Flow control windows: 64 KiB, the default, makes a list of many objects wait for the round trips. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const SESSION_WINDOW_BYTES = 4 * 1024 * 1024;

/** One HTTP/2 session for everything; a new one where the old one was closed (GOAWAY, cut, no answer to a ping). */
export function openHttp2(connection: Connection): Wire {
  // Those that still finish what was under way at a GOAWAY, too.
  const sessions = new Set<ClientHttp2Session>();
  const closing = new AbortController();
  let current: Promise<ClientHttp2Session> | undefined;

  async function open(): Promise<ClientHttp2Session> {
    const socket = await dial(connection, closing.signal);
    const session = connect(connection.server, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    });
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('connect', () => session.destroyed || session.setLocalWindowSize(SESSION_WINDOW_BYTES));
    keepAlive(session);
    return session;
  }

  function start(): Promise<ClientHttp2Session> {
    const started = open();
    const drop = (): void => {
      if (current === started) current = undefined;
    };
    started.then((session) => {
      session.once('goaway', drop);
      session.once('close', () => {
        sessions.delete(session);
        drop();
      });
    }, drop);
    current = started;
    return started;
  }

  return {
    async exchange(exchange) {
      closing.signal.throwIfAborted();
      const session = await orAborted(current ?? start(), exchange.signal);
      exchange.beforeSend();
      await send(session, exchange);
    },
    close() {
      closing.abort(new UnreachableError('the connection to the API server was closed'));
      for (const session of sessions) session.destroy();
    },
  };
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

/** Pings while the session lives, and ends it when no answer comes. */
function keepAlive(session: ClientHttp2Session): void {
  const timer = setInterval(() => {
    // Its `close` comes a moment after its end; a process that was stopped in between comes here first.
    if (session.destroyed) return;
    const onLate = (): void => session.destroy(new UnreachableError('the API server does not answer a ping'));
    const late = setTimeout(onLate, PING_DEADLINE_MS);
    late.unref();
    session.ping(() => clearTimeout(late));
  }, PING_INTERVAL_MS);
  timer.unref();
  session.once('close', () => clearInterval(timer));
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
