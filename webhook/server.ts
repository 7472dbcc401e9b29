import { once } from 'node:events';
import type { RequestListener, ServerOptions as HttpOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

/** PEM texts. */
export interface TlsPair {
  cert: string;
  key: string;
}

export interface TlsServer {
  port: number;
  /** New connections get this certificate; open ones go on. */
  reload(pair: TlsPair): void;
  /** From now on each answer ends its connection: whoever called goes on elsewhere before this server is gone. */
  drain(): void;
  /** Takes no new connection, answers what is under way, and ends. */
  close(): Promise<void>;
}

export interface ServerOptions {
  host: string | undefined;
  /** 0: any free one. */
  port: number;
  pair: TlsPair;
  listener: RequestListener;
  /** What requests and responses are made of; see message-classes.ts. */
  classes?: Pick<HttpOptions, 'IncomingMessage' | 'ServerResponse'>;
}

/** The API server keeps an idle connection for 90 s: ours must not be the side that ends it under a request. */
const KEEP_ALIVE_MS = 120_000;
const HEADERS_MS = 5_000;
/** The whole request; the API server itself waits for 3 s. */
const REQUEST_MS = 10_000;
const CLOSE_MS = 10_000;
const IDLE_LOOK_MS = 50;
const MAX_CONNECTIONS = 2_000;

/** Resolves when it listens; rejects where the port is taken. */
export async function startTlsServer({ host, port, pair, listener, classes = {} }: ServerOptions): Promise<TlsServer> {
  let draining = false;
  const server = createServer(
    { ...pair, ...classes, minVersion: 'TLSv1.2', keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS },
    (request, response) => {
      if (draining) response.setHeader('connection', 'close');
      listener(request, response);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  // A handshake that fails (a port scan, a probe without TLS) is not ours to report.
  server.on('tlsClientError', () => undefined);
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    reload: ({ cert, key }) => server.setSecureContext({ cert, key, minVersion: 'TLSv1.2' }),
    drain: () => {
      draining = true;
    },
    close: () => close(server),
  };
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  const forced = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(forced);
}
