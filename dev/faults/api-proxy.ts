import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';

/** A request on its way to the API server. */
export interface ApiRequest {
  method: string;
  /** With the query. */
  path: string;
  body: string;
  /** It changes something. The Lease counts as neither read nor write: holding one is writing it. */
  write: boolean;
  watch: boolean;
}

/** What goes wrong with one request; several at once happen in this order. */
export interface ApiFault {
  delayMs?: number;
  /** Answered instead of asking the API server. */
  status?: number;
  retryAfterSeconds?: number;
  /** `before`: the API server never sees it. `after`: it has done it, and the answer is lost. The connection is cut. */
  cut?: 'before' | 'after';
}

export interface ApiHooks {
  /** Awaited before a request is passed on. */
  before(request: ApiRequest): ApiFault | undefined | Promise<ApiFault | undefined>;
  /** Awaited when the API server has answered and the client does not know it yet; true: the answer is lost. */
  after(request: ApiRequest, status: number): boolean | Promise<boolean>;
}

export interface ApiProxyOptions {
  /** Of the real API server: `https://127.0.0.1:PORT`. */
  server: string;
  /** PEM that the real one is trusted by. */
  ca: string;
  /** PEM of this server. */
  cert: string;
  key: string;
}

/** How a watch comes to its end: as the server ends one, by a reset, or by never saying a word again. */
export type WatchEnd = 'end' | 'reset' | 'silence';

const UPSTREAM_DEADLINE_MS = 60_000;
const REASONS: Record<number, string> = { 409: 'Conflict', 410: 'Expired', 429: 'TooManyRequests', 500: 'InternalError' };

/** Stands between one client and the API server, over HTTP/2, and does to requests what the hooks say. */
export async function startApiProxy(options: ApiProxyOptions): Promise<ApiProxy> {
  const proxy = new ApiProxy(options);
  await proxy.listen();
  return proxy;
}

export class ApiProxy {
  hooks: Partial<ApiHooks> = {};
  readonly #options: ApiProxyOptions;
  readonly #server: ReturnType<typeof createSecureServer>;
  readonly #sockets = new Set<TLSSocket>();
  readonly #watches = new Set<(end: WatchEnd) => void>();

  constructor(options: ApiProxyOptions) {
    const { cert, key } = options;
    this.#options = options;
    this.#server = createSecureServer({ cert, key, ALPNProtocols: ['h2'] });
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('session', (session) => this.#serve(session));
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Watches that are open. */
  get watches(): number {
    return this.#watches.size;
  }

  endWatches(end: WatchEnd): void {
    for (const one of this.#watches) one(end);
  }

  /** Ends every open connection without a word. New ones go through. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  /** Each connection of the client has one of its own to the API server: what is cut here ends there too. */
  #serve(session: ServerHttp2Session): void {
    const { server, ca } = this.#options;
    const upstream = connect(server, { ca });
    for (const one of [session, upstream]) one.on('error', () => undefined);
    session.once('close', () => upstream.destroy());
    upstream.once('close', () => session.destroy());
    session.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      this.#pass(stream, headers, upstream).catch(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    });
  }

  async #pass(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, upstream: ClientHttp2Session): Promise<void> {
    const body = await textOf(stream);
    const request = requestOf(headers, body);
    const fault = (await this.hooks.before?.(request)) ?? {};
    if (fault.delayMs) await sleep(fault.delayMs);
    if (fault.status) return answer(stream, fault.status, fault.retryAfterSeconds);
    if (fault.cut === 'before' || upstream.destroyed) return hangUp(stream);
    if (request.watch) return this.#watch(stream, headers, upstream);
    const answered = await ask(upstream, headers, body);
    const lost = await this.hooks.after?.(request, Number(answered.headers[':status']));
    if (lost || fault.cut === 'after') return hangUp(stream);
    if (stream.destroyed) return;
    stream.respond(withoutConnection(answered.headers));
    stream.end(answered.body);
  }

  #watch(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, upstream: ClientHttp2Session): void {
    const source = upstream.request(withoutConnection(headers), { endStream: true });
    const over = (end: WatchEnd): void => {
      source.unpipe(stream);
      if (end === 'end') stream.end();
      if (end === 'reset') stream.close(constants.NGHTTP2_CANCEL);
      source.close(constants.NGHTTP2_CANCEL);
      // One that is silent can still be ended.
      if (end !== 'silence') this.#watches.delete(over);
    };
    this.#watches.add(over);
    source.on('error', () => undefined);
    source.once('response', (received) => {
      if (stream.destroyed) return;
      stream.respond(withoutConnection(received));
      source.pipe(stream);
    });
    stream.once('close', () => {
      this.#watches.delete(over);
      source.close(constants.NGHTTP2_CANCEL);
    });
  }
}

function requestOf(headers: IncomingHttpHeaders, body: string): ApiRequest {
  const method = String(headers[':method']);
  const path = String(headers[':path']);
  const write = method !== 'GET' && !path.includes('/leases');
  return { method, path, body, write, watch: method === 'GET' && /[?&]watch=(1|true)(&|$)/.test(path) };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function ask(upstream: ClientHttp2Session, headers: IncomingHttpHeaders, body: string) {
  const stream = upstream.request(withoutConnection(headers), { endStream: body === '' });
  stream.setTimeout(UPSTREAM_DEADLINE_MS, () => stream.close(constants.NGHTTP2_CANCEL));
  const responded = once(stream, 'response') as Promise<[IncomingHttpHeaders]>;
  if (body !== '') stream.end(body);
  const [received] = await responded;
  return { headers: received, body: await textOf(stream) };
}

function answer(stream: ServerHttp2Stream, status: number, retryAfterSeconds: number | undefined): void {
  if (stream.destroyed) return;
  const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  const message = `injected fault ${status}`;
  stream.respond({ ':status': status, 'content-type': 'application/json', ...retry });
  stream.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason: REASONS[status] ?? '', message }));
}

/** Cuts the whole connection, and every other request on it. */
function hangUp(stream: ServerHttp2Stream): void {
  const { session } = stream;
  if (session && !session.destroyed) session.destroy();
}

/** The names that HTTP/2 itself writes stay with each connection. */
function withoutConnection(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const { ':authority': _authority, ':scheme': _scheme, connection: _connection, ...rest } = headers;
  return rest;
}
