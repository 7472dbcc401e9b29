import { type FileHandle, open, stat } from 'node:fs/promises';

/** One request to the API server, from its audit log. */
export interface ApiRequest {
  /** `get`, `list`, `watch`, `create`, `patch`, `delete`. */
  verb: string;
  resource: string;
  subresource: string;
  name: string;
  /** HTTP status; 0 where the log has none. */
  code: number;
  /** When it was answered, milliseconds since the epoch. */
  atMs: number;
}

interface AuditEvent {
  stage: string;
  verb: string;
  user: { username: string };
  objectRef?: { resource?: string; subresource?: string; name?: string };
  responseStatus?: { code?: number };
  stageTimestamp: string;
}

const READS = new Set(['get', 'list', 'watch']);
const CHUNK_BYTES = 1024 * 1024;

export function isWrite({ verb }: ApiRequest): boolean {
  return !READS.has(verb);
}

/** Follows the audit log of an API server from its present end, over its rotation. */
export class AuditTail {
  readonly #path: string;
  #file: FileHandle;
  #offset: number;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(path: string, file: FileHandle, offset: number) {
    this.#path = path;
    this.#file = file;
    this.#offset = offset;
  }

  static async open(path: string): Promise<AuditTail> {
    const file = await open(path);
    const { size } = await file.stat();
    return new AuditTail(path, file, size);
  }

  /** The requests that were logged since the last call: of one user where named, and whose line holds a text. */
  async read(user?: string, text = user): Promise<ApiRequest[]> {
    const lines = await this.#lines();
    const [current, here] = await Promise.all([stat(this.#path).catch(() => undefined), this.#file.stat()]);
    if (current && current.ino !== here.ino) {
      lines.push(...(await this.#lines()));
      await this.#file.close();
      this.#file = await open(this.#path);
      [this.#offset, this.#rest] = [0, Buffer.alloc(0)];
      lines.push(...(await this.#lines()));
    }
    const wanted = text === undefined ? lines : lines.filter((line) => line.includes(text));
    return wanted.map((line) => JSON.parse(line) as AuditEvent).flatMap((event) => requestOf(event, user) ?? []);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #lines(): Promise<string[]> {
    const chunks = [this.#rest];
    for (;;) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, this.#offset);
      if (bytesRead === 0) break;
      this.#offset += bytesRead;
      chunks.push(buffer.subarray(0, bytesRead));
    }
    const all = Buffer.concat(chunks);
    const end = all.lastIndexOf(10) + 1;
    this.#rest = Buffer.from(all.subarray(end));
    return all.subarray(0, end).toString('utf8').split('\n').filter(Boolean);
  }
}

function requestOf(event: AuditEvent, user: string | undefined): ApiRequest | undefined {
  if (user !== undefined && event.user.username !== user) return undefined;
  // A watch is logged when it begins and when it ends: once is enough.
  if (event.stage !== (event.verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete')) return undefined;
  const { resource = '', subresource = '', name = '' } = event.objectRef ?? {};
  const { code = 0 } = event.responseStatus ?? {};
  return { verb: event.verb, resource, subresource, name, code, atMs: Date.parse(event.stageTimestamp) };
}

/** `patch applications/status`: how often, the most frequent first. */
export function countRequests(requests: readonly ApiRequest[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { verb, resource, subresource } of requests) {
    const key = `${verb} ${resource || 'discovery'}${subresource ? `/${subresource}` : ''}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
