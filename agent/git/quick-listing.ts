import { type Http, openHttp } from '#core/http.ts';
import { createLanes, type Lanes } from '#core/lanes.ts';
import { startDeadline } from './deadline.ts';
import { authorization } from './environment.ts';
import type { Listing } from './listing.ts';
import { LS_REFS_HEADERS, lsRefsRequest, parseLsRefs } from './ls-refs.ts';
import { SLOW_MS, SLOW_SHARE } from './runner.ts';
import type { Repository } from './types.ts';

/** Refs that begin with the name of one: a longer answer is read by git. */
const MAX_BYTES = 256 * 1024;
/** So long a repository whose server did not answer the quick way is listed by git alone. */
const BY_GIT_MS = 10 * 60_000;
/** Longer answers are left to git, which waits for as long as the caller does. */
const PATIENCE_MS = 10_000;
/** Sets of authorities with connections of their own. */
const MAX_AUTHORITIES = 16;
/** Repositories that are listed by git: each credential makes one. */
const MAX_KNOWN = 2_000;

export interface QuickListingOptions {
  userAgent: string;
  /** Requests side by side while servers answer quickly. */
  maxConcurrent: number;
}

export interface Question {
  /** Tells repositories and their credentials apart. */
  key: string;
  repository: Repository;
  /** Full name of a ref. */
  ref: string;
}

/**
 * Asks a server for one ref by one POST of our own: a process of git takes two requests and 45 ms of the processor for it.
 * Whatever is unusual is left to git, which has the words for it: a repository that it has once been asked for stays with it for a while.
 */
export class QuickListing {
  readonly #userAgent: string;
  readonly #lanes: Lanes;
  /** When the quick way may be tried again, in milliseconds of performance.now(). */
  readonly #notBefore = new Map<string, number>();
  /** By the authorities that are trusted; '' is those of Node. */
  readonly #https = new Map<string, Http>();

  constructor({ userAgent, maxConcurrent }: QuickListingOptions) {
    // Some servers give Git's protocol to what calls itself git and to nobody else.
    this.#userAgent = `git/2 (${userAgent})`;
    this.#lanes = createLanes({ quick: maxConcurrent, slowAfterMs: SLOW_MS, most: maxConcurrent * SLOW_SHARE });
  }

  /** Refs that begin with the one asked for. Rejects with what `byGit` throws, or the reason of the signal. */
  async list(question: Question, signal: AbortSignal, byGit: () => Promise<Listing>): Promise<Listing> {
    if (performance.now() >= (this.#notBefore.get(question.key) ?? 0)) {
      const listing = await this.#ask(question, signal);
      if (listing) return listing;
      if (this.#notBefore.size >= MAX_KNOWN) this.#notBefore.clear();
      this.#notBefore.set(question.key, performance.now() + BY_GIT_MS);
    }
    return byGit();
  }

  close(): void {
    for (const http of this.#https.values()) http.close();
    this.#https.clear();
  }

  /** Undefined where git has to be asked. */
  async #ask(question: Question, signal: AbortSignal): Promise<Listing | undefined> {
    try {
      return await this.#lanes.run(signal, () => this.#patiently(question, signal));
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  /** The wait for a place is not the server's. */
  async #patiently(question: Question, signal: AbortSignal): Promise<Listing | undefined> {
    const deadline = startDeadline(PATIENCE_MS, [signal]);
    try {
      return await this.#post(question, deadline.signal);
    } finally {
      deadline.release();
    }
  }

  async #post({ repository, ref }: Question, signal: AbortSignal): Promise<Listing | undefined> {
    const { url, credentials } = repository;
    const header = authorization(credentials);
    const { status, headers, body } = await this.#http(credentials?.caCert).send({
      url: new URL(`${url.replace(/\/+$/, '')}/git-upload-pack`),
      method: 'POST',
      headers: { ...LS_REFS_HEADERS, ...(header ? { authorization: header } : {}) },
      body: lsRefsRequest(ref),
      maxBytes: MAX_BYTES,
      signal,
    });
    return status === 200 && headers['content-type'] === LS_REFS_HEADERS.accept ? parseLsRefs(body) : undefined;
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
