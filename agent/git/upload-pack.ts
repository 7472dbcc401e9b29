import { type Http, openHttp } from '#core/http.ts';
import { createLanes, type Lanes } from '#core/lanes.ts';
import { startDeadline } from './deadline.ts';
import { authorization } from './environment.ts';
import { SLOW_MS, SLOW_SHARE } from './runner.ts';
import type { Repository } from './types.ts';

/** So long a repository whose server did not answer the quick way is asked by git alone. */
const BY_GIT_MS = 10 * 60_000;
/** Longer answers are left to git, which waits for as long as the caller does. */
const PATIENCE_MS = 10_000;
/** Sets of authorities with connections of their own. */
const MAX_AUTHORITIES = 16;
/** Repositories that are left to git: each credential makes one. */
const MAX_KNOWN = 2_000;

/** Media types of smart HTTP (gitprotocol-http). */
const HEADERS = {
  'content-type': 'application/x-git-upload-pack-request',
  accept: 'application/x-git-upload-pack-result',
  'git-protocol': 'version=2',
} as const;

export interface UploadPackOptions {
  userAgent: string;
  /** Requests side by side while servers answer quickly. */
  maxConcurrent: number;
}

export interface Question<Answer> {
  /** Tells repositories and their credentials apart. */
  key: string;
  repository: Repository;
  /** What is asked for. A server whose refs are left to git is asked for no pack either. */
  what: 'refs' | 'pack';
  body: string;
  maxBytes: number;
  /** Undefined where the answer is not understood. */
  read(body: Buffer): Answer | undefined;
}

/**
 * Asks servers by one POST of our own: a process of git takes two or three requests and tens of milliseconds of the processor for
 * the same. Whatever is unusual is left to git, which has the words for it: a repository that it has once been asked for
 * stays with it for a while.
 */
export class UploadPack {
  readonly #userAgent: string;
  readonly #lanes: Lanes;
  /** When the quick way may be tried again, in milliseconds of performance.now(). */
  readonly #notBefore = new Map<string, number>();
  /** By the authorities that are trusted; '' is those of Node. */
  readonly #https = new Map<string, Http>();

  constructor({ userAgent, maxConcurrent }: UploadPackOptions) {
    // Some servers give Git's protocol to what calls itself git and to nobody else.
    this.#userAgent = `git/2 (${userAgent})`;
    this.#lanes = createLanes({ quick: maxConcurrent, slowAfterMs: SLOW_MS, most: maxConcurrent * SLOW_SHARE });
  }

  /** Undefined where git has to be asked. Rejects with the reason of the signal. */
  async ask<Answer>(question: Question<Answer>, signal: AbortSignal): Promise<Answer | undefined> {
    const { key, what, read } = question;
    if (this.#leaves('refs', key) || this.#leaves(what, key)) return undefined;
    const answer = await this.#post(question, signal);
    const understood = answer && read(answer);
    if (understood === undefined) this.leave(question);
    return understood;
  }

  /** Git is asked from now on, for a while. */
  leave({ key, what }: Pick<Question<unknown>, 'key' | 'what'>): void {
    if (this.#notBefore.size >= MAX_KNOWN) this.#notBefore.clear();
    this.#notBefore.set(`${what} ${key}`, performance.now() + BY_GIT_MS);
  }

  close(): void {
    for (const http of this.#https.values()) http.close();
    this.#https.clear();
  }

  #leaves(what: string, key: string): boolean {
    return performance.now() < (this.#notBefore.get(`${what} ${key}`) ?? 0);
  }

  async #post(question: Question<unknown>, signal: AbortSignal): Promise<Buffer | undefined> {
    try {
      return await this.#lanes.run(signal, () => this.#patiently(question, signal));
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  /** The wait for a place is not the server's. */
  async #patiently(question: Question<unknown>, signal: AbortSignal): Promise<Buffer | undefined> {
    const deadline = startDeadline(PATIENCE_MS, [signal]);
    try {
      return await this.#send(question, deadline.signal);
    } finally {
      deadline.release();
    }
  }

  async #send({ repository, body, maxBytes }: Question<unknown>, signal: AbortSignal): Promise<Buffer | undefined> {
    const { url, credentials } = repository;
    const header = authorization(credentials);
    const answer = await this.#http(credentials?.caCert).send({
      url: new URL(`${url.replace(/\/+$/, '')}/git-upload-pack`),
      method: 'POST',
      headers: { ...HEADERS, ...(header ? { authorization: header } : {}) },
      body,
      maxBytes,
      signal,
    });
    return answer.status === 200 && answer.headers['content-type'] === HEADERS.accept ? answer.body : undefined;
  }

  #http(ca = ''): Http {
    const there = this.#https.get(ca);
    if (there) return there;
    if (this.#https.size >= MAX_AUTHORITIES) this.close();
    const http = openHttp({ userAgent: this.#userAgent, maxSockets: Infinity, ...(ca ? { ca: [ca] } : {}) });
    this.#https.set(ca, http);
    return http;
  }
}
