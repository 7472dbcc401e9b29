import type { Connection } from './connection.ts';
import { orAborted } from './deadline.ts';
import { openSession, type Session } from './http2-session.ts';
import { type Exchange, NotProcessedError, UnreachableError, type Wire } from './wire.ts';

export function openHttp2(connection: Connection): Wire {
  return new Http2Wire(connection);
}

/**
 * One HTTP/2 session for everything while it has room: a server allows so many streams over a connection (a kube-apiserver
 * 100 or 250), and a stream beyond them would wait until another one ends, which a watch does not do. A further one where
 * none has room, and a new one where the old one was closed (GOAWAY, cut, no answer to a ping).
 */
class Http2Wire implements Wire {
  readonly #connection: Connection;
  /** Those that still finish what was under way at a GOAWAY, too. Oldest first: what is spare empties. */
  readonly #sessions = new Set<Session>();
  readonly #closing = new AbortController();
  #opening: Promise<Session> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async exchange(exchange: Exchange): Promise<void> {
    for (;;) {
      this.#closing.signal.throwIfAborted();
      exchange.signal.throwIfAborted();
      const session = this.#withRoom(exchange.isWatch);
      if (session) return session.send(exchange);
      const opened = await orAborted(this.#opening ?? this.#open(), exchange.signal);
      // Not again and again: a server that closes each connection at once is left in peace for a while.
      if (!opened.open) throw new NotProcessedError('the API server closed the connection');
    }
  }

  close(): void {
    this.#closing.abort(new UnreachableError('the connection to the API server was closed'));
    for (const session of this.#sessions) session.destroy();
  }

  #withRoom(isWatch: boolean): Session | undefined {
    return [...this.#sessions].find((session) => session.hasRoom(isWatch));
  }

  /** One at a time: whoever finds no room meanwhile looks again when it is there. */
  #open(): Promise<Session> {
    this.#opening = this.#openOne().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openOne(): Promise<Session> {
    const isSpare = (session: Session): boolean => [...this.#sessions].find(({ open }) => open) !== session;
    const session = await openSession(this.#connection, this.#closing.signal, isSpare);
    if (session.open) this.#sessions.add(session);
    session.onClose(() => this.#sessions.delete(session));
    return session;
  }
}
