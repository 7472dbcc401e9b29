import { Agent, request } from 'node:https';
import type { Connection } from './connection.ts';
import { tlsOptions } from './tls.ts';
import { type Exchange, UnreachableError, type Wire } from './wire.ts';

/** HTTP/1.1 over kept connections: for a proxy or load balancer in front of the API server that does not speak HTTP/2. */
export function openHttps(connection: Connection): Wire {
  // No bound on sockets: requests are bounded by the gate, and a watch must not wait for another one.
  const agent = new Agent({ keepAlive: true, ...tlsOptions(connection) });
  const closing = new AbortController();
  return {
    async exchange(exchange) {
      closing.signal.throwIfAborted();
      exchange.beforeSend();
      await send(new URL(connection.server).origin, agent, exchange);
    },
    close() {
      closing.abort(new UnreachableError('the connection to the API server was closed'));
      agent.destroy();
    },
  };
}

function send(origin: string, agent: Agent, exchange: Exchange): Promise<void> {
  return new Promise((resolve, reject) => {
    const { method, target, headers, body, signal } = exchange;
    const fail = (error: unknown): void => reject((signal.aborted ? signal.reason : error) as Error);
    const outgoing = request(`${origin}${target}`, { agent, method, headers, signal }, (response) => {
      const received = Object.entries(response.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
      exchange.onHeaders(response.statusCode ?? 0, Object.fromEntries(received));
      response.on('data', (chunk: Buffer) => {
        try {
          exchange.onData(chunk);
        } catch (error) {
          fail(error);
          outgoing.destroy();
        }
      });
      response.on('error', fail);
      response.on('end', resolve);
      response.on('close', () => fail(new UnreachableError('the connection to the API server was cut')));
    });
    outgoing.on('error', fail);
    outgoing.end(body);
  });
}
