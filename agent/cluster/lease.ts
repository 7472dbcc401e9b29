import { AGENT_NAME } from '#api/names.ts';
import { Failure } from '#api/failure.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import { ApiError } from './api-error.ts';
import { toFailure } from './failure.ts';
import type { Transport } from './transport.ts';

/** coordination.k8s.io/v1 Lease, as the other tools of Kubernetes read it. */
export interface Lease {
  metadata: { name: string; namespace: string; resourceVersion?: string };
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface LeaderOptions {
  namespace: string;
  /** Of this process, or of the Pod, which a restarted container shares. */
  identity: string;
  /** After so long without a renewal somebody else may take over. */
  durationMs: number;
  clock: Clock;
  /** Monotonic milliseconds. */
  monotonicNow: () => number;
  log: Log;
  /** Called when somebody else holds it. */
  onStandby: () => void;
}

/** The time during which this process acts. */
export interface Term {
  /** Aborts when the lease is lost. */
  lost: AbortSignal;
  /** Gives the lease back, so that another can take over at once. */
  release(): Promise<void>;
}

/** Three renewals in the life of a lease. */
const RENEWALS = 3;
/** Writes end before the lease does: what is on the wire then has this share of its life to arrive. */
const WRITE_SHARE = 5 / 6;
/** The server's clock is known to the second. */
const CLOCK_GRAIN_MS = 1_000;
const REQUEST_MS = 5_000;
/** A lease that is neither renewed nor lost for so many times its life is held by a process that does not get on. */
const STUCK_AFTER_LIVES = 2;
/** What the requests of one try may take, with retries, however short the lease. */
const STUCK_AFTER_MS = 30_000;

/** One agent of a namespace acts: the one that holds the Lease `lateen-agent`. */
export class Leader {
  readonly #transport: Transport;
  readonly #options: LeaderOptions;
  readonly #path: string;
  #lease: Lease | undefined;
  /** Until when this process may write, on the monotonic clock. */
  #mayWriteUntilMs = Number.NEGATIVE_INFINITY;
  /** When it renewed or lost the lease, or learnt that it cannot have it, on the monotonic clock; undefined while it does not try. */
  #gotOnAtMs: number | undefined;

  constructor(transport: Transport, options: LeaderOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(options.namespace)}/leases`;
  }

  /** Called before each write. Throws where the lease may be somebody else's by now. */
  assertMayWrite(): void {
    if (this.#options.monotonicNow() < this.#mayWriteUntilMs) return;
    throw new Failure('NotLeader', 'this agent does not hold the Lease any more: it writes nothing', {
      remedy: 'nothing is to be done: another replica acts, or this one takes the Lease again',
    });
  }

  /** Undefined: well. Else why this process should be started anew. */
  stuck(): string | undefined {
    const { durationMs, monotonicNow } = this.#options;
    const standsMs = this.#gotOnAtMs === undefined ? 0 : monotonicNow() - this.#gotOnAtMs;
    if (standsMs <= Math.max(STUCK_AFTER_LIVES * durationMs, STUCK_AFTER_MS)) return undefined;
    return `the Lease was neither renewed nor given up for ${Math.round(standsMs / 1_000)} s`;
  }

  /** Waits until this process holds the lease. Rejects with the signal's reason. */
  async acquire(signal: AbortSignal): Promise<Term> {
    const { clock, log, durationMs, onStandby } = this.#options;
    let said = '';
    for (;;) {
      this.#getsOn();
      const holder = await this.#asked(signal);
      if (holder === undefined) break;
      if (holder !== said) log.info('standing by', { why: holder });
      said = holder;
      onStandby();
      await clock.sleep(Math.min(2_000, durationMs / RENEWALS), signal);
    }
    log.info('leading', { identity: this.#options.identity });
    return this.#term();
  }

  /** Undefined: it is ours. Else why not. */
  async #asked(signal: AbortSignal): Promise<string | undefined> {
    try {
      const holder = await this.#try(signal);
      return holder === undefined ? undefined : `${holder} holds the Lease`;
    } catch (error) {
      signal.throwIfAborted();
      return toFailure(error, 'take the Lease').sentence;
    }
  }

  #getsOn(): void {
    this.#gotOnAtMs = this.#options.monotonicNow();
  }

  #term(): Term {
    this.#getsOn();
    const over = new AbortController();
    const ended = new AbortController();
    const renewing = this.#keep(ended.signal).then(
      () => undefined,
      (error: unknown) => {
        this.#getsOn();
        over.abort(error);
      },
    );
    return {
      lost: over.signal,
      release: async () => {
        ended.abort(new Error('released'));
        await renewing;
        if (!over.signal.aborted)
          await this.#giveBack().catch((error: unknown) => this.#options.log.debug('lease not released', { error: messageOf(error) }));
        this.#mayWriteUntilMs = Number.NEGATIVE_INFINITY;
        this.#gotOnAtMs = undefined;
      },
    };
  }

  /** Renews until it is ended; rejects when the lease is lost. */
  async #keep(ended: AbortSignal): Promise<void> {
    const { clock, durationMs, log, monotonicNow } = this.#options;
    let waitMs = durationMs / RENEWALS;
    for (;;) {
      await clock.sleep(waitMs, ended).catch(() => undefined);
      if (ended.aborted) return;
      try {
        const holder = await this.#try(ended);
        if (holder !== undefined) throw new Failure('NotLeader', `the Lease was taken over by ${holder}`);
        this.#getsOn();
        waitMs = durationMs / RENEWALS;
      } catch (error) {
        if (ended.aborted) return;
        if (error instanceof Failure && error.reason === 'NotLeader') throw error;
        log.warn('lease not renewed', { error: messageOf(error) });
        if (monotonicNow() >= this.#mayWriteUntilMs) throw new Failure('NotLeader', `the Lease could not be renewed: ${messageOf(error)}`);
        waitMs = durationMs / (RENEWALS * 4);
      }
    }
  }

  /** Takes or renews the lease. Resolves to undefined where it is ours now, else to its holder. */
  async #try(signal: AbortSignal): Promise<string | undefined> {
    const { identity, durationMs, monotonicNow } = this.#options;
    const begunMs = monotonicNow();
    if (this.#lease?.spec?.holderIdentity !== identity) {
      this.#lease = await this.#read(signal);
      const holder = this.#lease?.spec?.holderIdentity;
      if (holder && holder !== identity && !isLeaseOver(this.#lease, this.#transport.serverNow())) return holder;
    }
    const written = await this.#write(this.#wanted(this.#lease), signal);
    if (!written) {
      this.#lease = undefined;
      return this.#try(signal);
    }
    this.#lease = written;
    // From when the request was sent: the server may have begun to count then.
    this.#mayWriteUntilMs = begunMs + durationMs * WRITE_SHARE;
    return undefined;
  }

  #wanted(before: Lease | undefined): Lease {
    const { identity, namespace, durationMs } = this.#options;
    const now = microTime(this.#transport.serverNow());
    const again = before?.spec?.holderIdentity === identity;
    const transitions = before?.spec?.leaseTransitions ?? 0;
    return {
      metadata: { name: AGENT_NAME, namespace, ...before?.metadata },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(durationMs / 1_000),
        acquireTime: (again && before?.spec?.acquireTime) || now,
        renewTime: now,
        leaseTransitions: before && !again ? transitions + 1 : transitions,
      },
    };
  }

  async #giveBack(): Promise<void> {
    const signal = AbortSignal.timeout(REQUEST_MS);
    let lease = this.#lease ?? (await this.#read(signal));
    this.#lease = undefined;
    while (lease?.spec?.holderIdentity === this.#options.identity) {
      const spec = { ...this.#wanted(lease).spec, holderIdentity: '' };
      if (await this.#write({ ...lease, spec }, signal)) return;
      // The renewal that was under way has come through all the same.
      lease = await this.#read(signal);
    }
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { status, body } = await this.#transport.request({
      method: 'GET',
      path: `${this.#path}/${AGENT_NAME}`,
      timeoutMs: REQUEST_MS,
      urgent: true,
      signal,
    });
    if (status === 404) return undefined;
    if (status >= 300) throw this.#refusal('get', status, body);
    return body as Lease;
  }

  /** Undefined where somebody else has written meanwhile. */
  async #write(lease: Lease, signal: AbortSignal): Promise<Lease | undefined> {
    const isNew = lease.metadata.resourceVersion === undefined;
    const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease };
    const target = isNew ? { method: 'POST', path: this.#path } : { method: 'PUT', path: `${this.#path}/${AGENT_NAME}` };
    const { status, body } = await this.#transport.request({ ...target, body: object, timeoutMs: REQUEST_MS, urgent: true, signal });
    if (status === 409 || (status === 404 && !isNew)) return undefined;
    if (status >= 300) throw this.#refusal(isNew ? 'create' : 'update', status, body);
    return body as Lease;
  }

  #refusal(verb: string, status: number, body: unknown): ApiError {
    const { namespace } = this.#options;
    return new ApiError(status, body, { verb, resource: 'leases', group: 'coordination.k8s.io', namespace, name: AGENT_NAME });
  }
}

/** Whether its holder has not renewed it in time, by the clock of the API server. */
export function isLeaseOver(lease: Lease | undefined, serverNowMs: number): boolean {
  const { renewTime = '', leaseDurationSeconds = 0 } = lease?.spec ?? {};
  const endMs = Date.parse(renewTime) + leaseDurationSeconds * 1_000 + CLOCK_GRAIN_MS;
  return Number.isNaN(endMs) || serverNowMs > endMs;
}

/** RFC 3339 with microseconds, as the type MicroTime of Kubernetes wants it. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
