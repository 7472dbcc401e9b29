import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface RegistryRequest {
  method: string;
  /** Path with the query. */
  path: string;
  authorization: string | undefined;
  body: string;
}

export interface FaultyRegistry {
  /** `127.0.0.1:PORT`. */
  host: string;
  requests: RegistryRequest[];
}

export type Answer = (request: RegistryRequest, response: ServerResponse) => void;

/** What a real registry does only when something is wrong with it, or with us. */
export async function startFaultyRegistry(answer: Answer, tls?: { key: string; cert: string }): Promise<FaultyRegistry> {
  const requests: RegistryRequest[] = [];
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => {
      const request = { method: incoming.method ?? '', path: incoming.url ?? '', authorization: incoming.headers.authorization, body };
      requests.push(request);
      answer(request, response);
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
