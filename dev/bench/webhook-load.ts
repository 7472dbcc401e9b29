import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';

/** A load generator that costs little itself: the same bytes over kept-alive TLS connections, answers only counted. */

export interface Target {
  port: number;
  ca: string;
}

export interface Load {
  connections: number;
  durationMs: number;
  /** Requests a second over all connections; absent: as fast as they are answered. */
  rate?: number;
  /** Whole requests with headers, sent in turn. */
  requests: readonly Buffer[];
}

export interface Measured {
  requests: number;
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  /** Answers other than 200. */
  failures: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** A POST with a JSON body. */
export function postOf(path: string, body: string): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nhost: lateen\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.from(head + body);
}

export async function runLoad({ port, ca }: Target, load: Load): Promise<Measured> {
  const sockets = await Promise.all(
    Array.from({ length: load.connections }, async () => {
      const socket = connect({ host: '127.0.0.1', port, ca });
      await once(socket, 'secureConnect');
      return socket.setNoDelay(true);
    }),
  );
  const times: number[] = [];
  let failures = 0;
  const begun = performance.now();
  const until = begun + load.durationMs;
  const gapMs = load.rate === undefined ? 0 : (1000 * load.connections) / load.rate;
  await Promise.all(
    sockets.map(async (socket, index) => {
      // The time a request was due counts, not the time it was sent: a server that stalls does not thin out its own load.
      let dueMs = begun + (gapMs * index) / load.connections;
      for (let turn = index; performance.now() < until; turn++) {
        if (gapMs > 0) await untilTime(dueMs);
        else dueMs = performance.now();
        if (!(await exchange(socket, load.requests[turn % load.requests.length]!))) failures++;
        times.push(performance.now() - dueMs);
        dueMs += gapMs;
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  for (const socket of sockets) socket.destroy();
  times.sort((left, right) => left - right);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  return { requests: times.length, perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99), failures };
}

async function untilTime(timeMs: number): Promise<void> {
  const waitMs = timeMs - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
}

/** Sends a request and reads its answer by Content-Length. Resolves to whether it was a 200. */
function exchange(socket: TLSSocket, request: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const head = received.indexOf(HEAD_END);
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(received.toString('latin1', 0, head))?.[1] ?? 0);
      if (received.length < head + 4 + length) return;
      socket.off('data', onData).off('error', reject);
      resolve(received.toString('latin1', 9, 12) === '200');
    };
    socket.on('data', onData).once('error', reject);
    socket.write(request);
  });
}
