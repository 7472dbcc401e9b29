import { request } from 'node:https';

/** One way to the API server, for the few requests that the workbench makes itself. */
export interface ApiServer {
  /** `https://127.0.0.1:PORT`. */
  server: string;
  /** PEM text. */
  ca: string;
  token: string;
}

export interface Answer {
  status: number;
  body: string;
}

export interface Call {
  method?: string;
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal;
}

const CALL_DEADLINE_MS = 10_000;
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Sends one request. Resolves with any status; rejects when the server cannot be reached or is silent for 10 s. */
export function callApi(api: ApiServer, path: string, call: Call = {}): Promise<Answer> {
  const { method = 'GET', body, contentType = 'application/json', signal } = call;
  const deadline = AbortSignal.timeout(CALL_DEADLINE_MS);
  const options = {
    method,
    ca: api.ca,
    agent: false as const,
    headers: { authorization: `Bearer ${api.token}`, accept: 'application/json', 'content-type': contentType },
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${api.server}${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_BODY_BYTES) response.destroy(new Error(`${path}: answer is over ${MAX_BODY_BYTES} bytes`));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
