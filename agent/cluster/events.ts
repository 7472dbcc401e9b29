import { randomBytes } from 'node:crypto';
import type { KubeObject, ObjectMeta } from '#api/kubernetes.ts';
import type { Reason } from '#api/reasons.ts';
import { type Clock, rfc3339 } from '#core/clock.ts';
import { messageOf, oneLine } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import type { Redactor } from '#core/redact.ts';
import { ApiError } from './api-error.ts';
import type { Client } from './client.ts';

export interface EventRecord {
  regarding: { apiVersion: string; kind: string; metadata: ObjectMeta };
  type: 'Normal' | 'Warning';
  reason: Reason;
  message: string;
}

export interface EventRecorder {
  /** One Event, in the background; never throws and never waits. */
  record(event: EventRecord): void;
  /** Resolves when all that was recorded has been sent, or after a while: the Lease is given back after it. */
  drain(): Promise<void>;
}

/** The same event again within this time is not sent. */
const REPEAT_MS = 600_000;
const MAX_QUEUE = 100;
const MAX_REMEMBERED = 1_000;
const DEADLINE_MS = 5_000;
const DRAIN_MS = 3_000;
const DRAINED = new Error('drained');
const MAX_NAME_START = 200;

/** A name of its own that begins with the object's, as kubectl users know it (at most 253 characters). */
function eventName(name: string): string {
  const start = name.slice(0, MAX_NAME_START).replace(/[^a-z0-9]+$/, '');
  return `${start}.${randomBytes(8).toString('hex')}`;
}

function eventObject({ regarding, type, reason, message }: EventRecord, namespace: string, nowMs: number): KubeObject {
  const time = rfc3339(nowMs);
  const { name = '', uid } = regarding.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: eventName(name), namespace },
    involvedObject: { apiVersion: regarding.apiVersion, kind: regarding.kind, namespace, name, ...(uid ? { uid } : {}) },
    type,
    reason,
    message,
    source: { component: 'lateen-agent' },
    reportingComponent: 'lateen-agent',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}

/** Says whether a key was seen within REPEAT_MS, and remembers it. */
function createMemory(clock: Clock): (key: string) => boolean {
  const seen = new Map<string, number>();
  return (key) => {
    const now = clock.now();
    const last = seen.get(key);
    if (last !== undefined && now - last < REPEAT_MS) return true;
    seen.delete(key);
    seen.set(key, now);
    const oldest = seen.keys().next();
    if (seen.size > MAX_REMEMBERED && !oldest.done) seen.delete(oldest.value);
    return false;
  };
}

export interface RecorderOptions {
  namespace: string;
  redactor: Redactor;
  log: Log;
  clock: Clock;
}

export function createEventRecorder(client: Client, options: RecorderOptions): EventRecorder {
  const { namespace, redactor, log, clock } = options;
  const queue: EventRecord[] = [];
  const isRepeat = createMemory(clock);
  let sending: Promise<void> | undefined;
  let refused = false;
  let draining = false;

  async function sendAll(): Promise<void> {
    for (let event = queue.shift(); event; event = queue.shift()) {
      try {
        await client.create(eventObject(event, namespace, clock.now()), { timeoutMs: DEADLINE_MS, hasTime: true });
      } catch (error) {
        const forbidden = error instanceof ApiError && error.status === 403;
        if (!forbidden || !refused) log.warn('event not written', { reason: event.reason, error: messageOf(error) });
        refused ||= forbidden;
        // The process is about to end: one failure is enough to know that the rest would not be written either.
        if (draining) queue.length = 0;
      }
    }
  }

  return {
    record(event) {
      const message = oneLine(redactor.scrub(event.message));
      const { regarding, reason } = event;
      const { name, uid } = regarding.metadata;
      if (queue.length >= MAX_QUEUE || isRepeat(`${regarding.kind}/${name}/${uid}/${reason}/${message}`)) return;
      queue.push({ ...event, message });
      sending = (sending ?? Promise.resolve()).then(sendAll);
    },
    async drain() {
      draining = true;
      const over = new AbortController();
      await Promise.race([sending, clock.sleep(DRAIN_MS, over.signal).catch(() => undefined)]);
      over.abort(DRAINED);
      queue.length = 0;
    },
  };
}
