import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export class TooManyBytes extends Error {
  constructor(limit: number) {
    super(`the answer has more than ${limit} bytes`);
    this.name = 'TooManyBytes';
  }
}

export interface HttpRequest {
  url: URL;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  /** Longer answers end the request. */
  maxBytes: number;
  /** Ends it; absent: the signal of all. */
  signal?: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Requests that share connections. Redirects are not followed. */
export interface Http {
  /** Rejects with what the socket said, TooManyBytes, or the reason of the signal. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

export interface HttpOptions {
  userAgent: string;
  /** PEM of the authorities that are trusted; absent: those of Node. */
  ca?: string[];
  /** Of all requests: their deadline. */
  signal?: AbortSignal;
  /** Side by side to one host (default: 2). */
  maxSockets?: number;
}

/** Without a byte for so long a server counts as hanging. */
const SILENCE_MS = 30_000;

export function openHttp({ signal: signalOfAll, userAgent, ca, maxSockets = 2 }: HttpOptions): Http {
  // The timeout is that of connections which wait for the next request.
  const options = { keepAlive: true, maxSockets, timeout: SILENCE_MS };
  const plain = new HttpAgent(options);
  const secure = new HttpsAgent({ ...options, ...(ca ? { ca } : {}) });
  return {
    send(request) {
      const { url, method = 'GET', headers = {}, signal = signalOfAll } = request;
      const shared: RequestOptions = {
        method,
        timeout: SILENCE_MS,
        headers: { 'user-agent': userAgent, ...headers },
        ...(signal ? { signal } : {}),
      };
      return exchange(request, (onAnswer) =>
        url.protocol === 'https:'
          ? httpsRequest(url, { ...shared, agent: secure }, onAnswer)
          : httpRequest(url, { ...shared, agent: plain }, onAnswer),
      );
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

type Open = (onAnswer: (answer: IncomingMessage) => void) => ReturnType<typeof httpRequest>;

function exchange({ body, maxBytes }: HttpRequest, open: Open): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = open((answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('error', reject);
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= maxBytes) chunks.push(chunk);
        else sent.destroy(new TooManyBytes(maxBytes));
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }));
      answer.on(
        'close',
        () => answer.complete || reject(sent.errored ?? new Error('the connection was closed in the middle of an answer')),
      );
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer for ${SILENCE_MS / 1000} s`)));
    sent.on('error', reject);
    sent.end(body);
  });
}
