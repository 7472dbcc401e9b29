import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import { TooManyBytes } from './registry-error.ts';

export interface HttpRequest {
  url: URL;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  /** Longer answers end the request. */
  maxBytes: number;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A few requests that share connections and one deadline. Redirects are not followed. */
export interface Http {
  /** Rejects with what the socket said, TooManyBytes, or the reason of the signal. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

export interface HttpOptions {
  signal: AbortSignal;
  userAgent: string;
  /** PEM of authorities that are trusted besides those of the machine. */
  ca?: string;
}

/** Without a byte for so long a server counts as hanging. */
const SILENCE_MS = 30_000;

export function openHttp({ signal, userAgent, ca }: HttpOptions): Http {
  const options = { keepAlive: true, maxSockets: 2 };
  const plain = new HttpAgent(options);
  const secure = new HttpsAgent({ ...options, ...(ca ? { ca: [...rootCertificates, ca] } : {}) });
  return {
    send(request) {
      const { url, method = 'GET', headers = {} } = request;
      const shared: RequestOptions = { method, signal, timeout: SILENCE_MS, headers: { 'user-agent': userAgent, ...headers } };
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
