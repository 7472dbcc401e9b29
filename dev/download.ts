import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '#core/errors.ts';

/** Release files are under 120 MB. */
const MAX_FILE_BYTES = 512 * 1024 * 1024;
const MAX_TEXT_BYTES = 1024 * 1024;
/** GitHub sends a release file on to a storage host: one step. */
const MAX_REDIRECTS = 4;

export interface DownloadLimits {
  /** From the request until the connection stands. */
  connectMs: number;
  /** Longest time without a byte. */
  silenceMs: number;
}

export const DOWNLOAD_LIMITS: DownloadLimits = { connectMs: 3_000, silenceMs: 20_000 };

export interface Downloader {
  /** Why the host of that URL is not asked again, once it failed. */
  failure(url: string): string | undefined;
  /** The text of a small file. Rejects with one sentence that names the URL. */
  text(url: string, signal?: AbortSignal): Promise<string>;
  /** Saves the file and resolves to its SHA-256 in hex. Rejects with one sentence that names the URL. */
  file(url: string, destination: string, signal?: AbortSignal): Promise<string>;
}

/** What the host is to blame for (no connection, silence, a broken answer), so that it is not asked again. */
class HostError extends Error {}

interface Settings {
  limits: DownloadLimits;
  env: NodeJS.ProcessEnv;
}

function openStream(url: URL, { limits, env }: Settings, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  const secure = url.protocol === 'https:';
  // Node 22.21 and newer go through the proxy that HTTPS_PROXY and NO_PROXY name.
  const options = { keepAlive: false, proxyEnv: env };
  const agent = secure ? new HttpsAgent(options) : new HttpAgent(options);
  const send = secure ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const headers = { 'user-agent': 'lateen-dev', accept: '*/*' };
    const sent = send(url, { agent, headers, ...(signal ? { signal } : {}) });
    const seconds = limits.connectMs / 1000;
    const timer = setTimeout(() => sent.destroy(new HostError(`no connection within ${seconds} s`)), limits.connectMs);
    sent.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => clearTimeout(timer));
      else clearTimeout(timer);
    });
    sent.setTimeout(limits.silenceMs, () => sent.destroy(new HostError(`silent for ${limits.silenceMs / 1000} s`)));
    sent.on('error', (error) => {
      clearTimeout(timer);
      reject(signal?.aborted ? error : new HostError(messageOf(error)));
    });
    sent.on('response', resolve);
    sent.end();
  });
}

/** Passes at most `maxBytes` on. */
function capped(maxBytes: number, onChunk: (chunk: Buffer) => void): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      onChunk(chunk);
      done(bytes > maxBytes ? new Error(`larger than ${maxBytes} bytes`) : null, chunk);
    },
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  const meter = capped(MAX_TEXT_BYTES, (chunk) => chunks.push(chunk));
  await pipeline(response, meter, drain);
  return Buffer.concat(chunks).toString('utf8');
}

/** Resolves to the sha256 sum of what was written. */
async function writeBody(response: IncomingMessage, destination: string): Promise<string> {
  const hash = createHash('sha256');
  const meter = capped(MAX_FILE_BYTES, (chunk) => hash.update(chunk));
  await pipeline(response, meter, createWriteStream(destination, { mode: 0o600 }));
  return hash.digest('hex');
}

/** One run's downloads: a host that failed once is not asked again. `env` names the proxy, if any. */
export function createDownloader(limits: DownloadLimits, env: NodeJS.ProcessEnv): Downloader {
  const failedHosts = new Map<string, string>();

  function failure(url: string): string | undefined {
    const { host } = new URL(url);
    const failed = failedHosts.get(host);
    return failed === undefined ? undefined : `not asked, since ${host} failed before (${failed})`;
  }

  async function open(url: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    let at = new URL(url);
    for (let step = 0; step <= MAX_REDIRECTS; step += 1) {
      const failed = failure(at.href);
      if (failed !== undefined) throw new Error(`${url}: ${failed}`);
      const response = await attempt(at, url, () => openStream(at, { limits, env }, signal));
      const { statusCode = 0, headers } = response;
      if (statusCode === 200) return response;
      response.destroy();
      if (statusCode < 300 || statusCode >= 400 || headers.location === undefined) throw new Error(`${url}: answered ${statusCode}`);
      at = new URL(headers.location, at);
    }
    throw new Error(`${url}: redirected more than ${MAX_REDIRECTS} times`);
  }

  /** Remembers the host where the failure is the host's. */
  async function attempt<T>(at: URL, url: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof HostError) failedHosts.set(at.host, error.message);
      throw new Error(`${url}: ${messageOf(error)}`);
    }
  }

  async function text(url: string, signal?: AbortSignal): Promise<string> {
    const response = await open(url, signal);
    return attempt(new URL(url), url, () => readText(response).catch(blameHost(signal)));
  }

  async function file(url: string, destination: string, signal?: AbortSignal): Promise<string> {
    const response = await open(url, signal);
    return attempt(new URL(url), url, () => writeBody(response, destination).catch(blameHost(signal)));
  }
  return { failure, text, file };
}

async function drain(source: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of source) void chunk;
}

function blameHost(signal: AbortSignal | undefined): (error: unknown) => never {
  return (error) => {
    if (signal?.aborted) throw error;
    throw new HostError(messageOf(error));
  };
}

/** The sum of `fileName` in a sum file: either the bare sum, or lines of `SUM  NAME`. */
export function sumIn(text: string, fileName: string): string | undefined {
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{64})(?:\s+\*?(\S+))?\s*$/i.exec(line);
    if (match && (match[2] === undefined || match[2].split('/').at(-1) === fileName)) return match[1]?.toLowerCase();
  }
  return undefined;
}
