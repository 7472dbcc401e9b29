import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';

export interface Received {
  method: string;
  path: string;
  headers: Record<string, unknown>;
  /** Which TCP connection it came over, from 1. */
  connection: number;
}

/** Answers one request; `count` says the how manieth it is. */
export type Handler = (stream: ServerHttp2Stream, count: number, request: Received) => void;

export interface FaultServer {
  url: string;
  received: Received[];
}

async function keyPair(): Promise<{ cert: string; key: string }> {
  const folder = join(inject('plane').directory, 'certificates');
  const [cert, key] = await Promise.all(['apiserver.crt', 'apiserver.key'].map((name) => readFile(join(folder, name), 'utf8')));
  return { cert: cert ?? '', key: key ?? '' };
}

/** What a real API server does only under load or at its end: HTTP/2, with the certificate of the control plane. */
export async function startFaultServer(handler: Handler): Promise<FaultServer> {
  const server = createSecureServer({ ...(await keyPair()), ALPNProtocols: ['h2'] });
  const received: Received[] = [];
  let connections = 0;
  server.on('session', (session) => {
    const connection = ++connections;
    session.on('error', () => undefined);
    session.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      const request = { method: String(headers[':method']), path: String(headers[':path']), headers, connection };
      received.push(request);
      handler(stream, received.length, request);
    });
  });
  return { url: await listen(server), received };
}

/** The same for HTTP/1.1, which is all it speaks. */
export async function startHttp1Server(): Promise<FaultServer & { connections(): number }> {
  const received: Received[] = [];
  let connections = 0;
  const server = createServer(await keyPair(), (request, response) => {
    const path = request.url ?? '';
    received.push({ method: request.method ?? '', path, headers: request.headers, connection: connections });
    response.setHeader('content-type', 'application/json');
    if (!path.includes('watch=1')) return response.end(JSON.stringify({ path }));
    response.write('{"type":"ADDED","object":{"a":1}}\n{"type":"ADD');
    if (path.includes('cut=1')) return setTimeout(() => response.socket?.destroy(), 20);
    return response.end('ED","object":{"a":2}}\n');
  });
  server.on('secureConnection', () => connections++);
  return { url: await listen(server), received, connections: () => connections };
}

async function listen(server: Http2SecureServer | ReturnType<typeof createServer>): Promise<string> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('secureConnection', (socket: { destroy(): void; on(event: string, listener: () => void): void }) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A whole JSON answer. */
export function answer(stream: ServerHttp2Stream, status: number, body: unknown, headers: Record<string, string> = {}): void {
  stream.respond({ ':status': status, 'content-type': 'application/json', ...headers });
  stream.end(JSON.stringify(body));
}
