import { startDeadline } from './deadline.ts';
import type { Exchanger, TransportRequest } from './exchanger.ts';
import { createLineCutter, parseJson } from './json-lines.ts';
import { retryAfterMs } from './retry-after.ts';
import { noAnswer } from './wire.ts';

/** What a stream yields in place of its first line where the server refused it. */
export interface StreamRefusal {
  type: 'ERROR';
  object: unknown;
  status: number;
  retryAfterMs?: number;
}

/** The API server writes the head of a watch's answer at once. */
const HEAD_DEADLINE_MS = 30_000;
/** A Status is a few kilobytes. */
const MAX_REFUSAL_LENGTH = 64 * 1024;

interface Refused {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** What has arrived and is not taken yet. */
interface Inbox {
  lines: string[];
  refused?: Refused;
  ended: boolean;
  /** Resolves when there is something new. */
  news: PromiseWithResolvers<void>;
}

/**
 * The lines of an answer as they come, parsed. Throws where the connection is cut. The consumer is to take them at
 * once: they wait without a bound.
 */
export async function* streamLines(
  request: TransportRequest,
  exchange: Exchanger,
  server: string,
): AsyncGenerator<unknown, void, undefined> {
  const stop = new AbortController();
  const head = startDeadline(HEAD_DEADLINE_MS, () => noAnswer(server, HEAD_DEADLINE_MS));
  head.signal.addEventListener('abort', () => stop.abort(head.signal.reason), { once: true });
  const onAbort = (): void => stop.abort(request.signal?.reason);
  if (request.signal?.aborted) onAbort();
  request.signal?.addEventListener('abort', onAbort, { once: true });
  const inbox: Inbox = { lines: [], ended: false, news: Promise.withResolvers() };
  const done = receive(inbox, (sink) => exchange(request, stop.signal, sink), head.clear);
  done.catch(() => undefined);
  try {
    while (!inbox.ended || inbox.lines.length > 0) {
      await inbox.news.promise;
      if (!inbox.ended) inbox.news = Promise.withResolvers();
      const { lines } = inbox;
      inbox.lines = [];
      for (const line of lines) yield parseJson(line);
    }
    await done;
    if (inbox.refused) yield refusalOf(inbox.refused);
  } finally {
    head.clear();
    request.signal?.removeEventListener('abort', onAbort);
    stop.abort(new Error('the stream was left'));
  }
}

async function receive(inbox: Inbox, send: (sink: Parameters<Exchanger>[2]) => Promise<void>, onHead: () => void): Promise<void> {
  const cutter = createLineCutter();
  try {
    await send({
      onHeaders: (status, headers) => {
        onHead();
        if (status !== 200) inbox.refused = { status, headers, text: '' };
      },
      onData: (chunk) => {
        const { refused } = inbox;
        if (refused) refused.text = (refused.text + chunk.toString('utf8')).slice(0, MAX_REFUSAL_LENGTH);
        else inbox.lines.push(...cutter.push(chunk));
        inbox.news.resolve();
      },
    });
  } finally {
    inbox.ended = true;
    inbox.news.resolve();
  }
}

function refusalOf({ status, headers, text }: Refused): StreamRefusal {
  const waitMs = retryAfterMs({ status, headers });
  return { type: 'ERROR', object: parseJson(text), status, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
}
