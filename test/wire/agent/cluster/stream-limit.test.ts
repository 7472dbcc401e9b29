import { getEventListeners, once } from 'node:events';
import { createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { openHttp2 } from '#agent/cluster/http2.ts';
import { createTransport, type Transport } from '#agent/cluster/transport.ts';
import { silentLog } from '#core/log.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';

afterEach(() => void vi.useRealTimers());

const LIMIT = 5;

interface LimitedServer {
  url: string;
  ca: string;
  /** Connections that are open. */
  sessions: Set<ServerHttp2Session>;
  accepted(): number;
  /** The most streams that one connection has had at a time. */
  most(): number;
}

/** Watches (`/watch…`) begin and never end; the rest is answered after a moment. */
async function startLimitedServer(maxConcurrentStreams = LIMIT): Promise<LimitedServer> {
  const { cert, key } = selfSignedCertificate();
  const server = createSecureServer({ cert, key, settings: { maxConcurrentStreams } });
  const sessions = new Set<ServerHttp2Session>();
  let accepted = 0;
  let most = 0;
  server.on('session', (session) => {
    accepted++;
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    let open = 0;
    session.on('stream', (stream: ServerHttp2Stream, headers) => {
      most = Math.max(most, ++open);
      stream.on('error', () => undefined);
      stream.on('close', () => open--);
      stream.respond({ ':status': 200 });
      if (headers[':path']?.startsWith('/watch')) stream.write('{"type":"BOOKMARK"}\n');
      else setTimeout(() => stream.end('{}'), 10);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}`, ca: cert, sessions, accepted: () => accepted, most: () => most };
}

function transportTo({ url, ca }: LimitedServer): Transport {
  const connection = { server: url, ca, token: () => Promise.resolve(undefined) };
  const transport = createTransport(connection, { log: silentLog, userAgent: 'lateen-test' });
  onTestFinished(() => transport.close());
  return transport;
}

/** Resolves when the server has begun them all. */
async function watch(transport: Transport, count: number): Promise<void> {
  const begun = Array.from({ length: count }, async (_, index) => {
    const lines = transport.stream({ method: 'GET', path: `/watch/${index}` });
    onTestFinished(() => void lines.return().catch(() => undefined));
    return lines.next();
  });
  await Promise.all(begun);
}

const get = { method: 'GET', path: '/x', timeoutMs: 5_000 };

it('answers any number of requests beside any number of watches, whatever the server allows over one connection', async () => {
  const server = await startLimitedServer();
  const transport = transportTo(server);
  await watch(transport, 40);
  const answers = await Promise.all(Array.from({ length: 100 }, () => transport.request(get)));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  await expect(transport.request({ ...get, urgent: true })).resolves.toMatchObject({ status: 200 });
  expect(server.most()).toBeLessThanOrEqual(LIMIT);
});

it('keeps room for requests beside the watches, and uses one connection while there is room', async () => {
  const server = await startLimitedServer(20);
  const transport = transportTo(server);
  await watch(transport, 10);
  await Promise.all(Array.from({ length: 10 }, () => transport.request(get)));
  expect(server.accepted()).toBe(1);
  await watch(transport, 1);
  expect(server.accepted()).toBe(2);
});

it('gives up at the deadline also where the request still waits for its turn, and goes on when there is room', async () => {
  const server = await startLimitedServer(0);
  const transport = transportTo(server);
  await expect(transport.request({ ...get, timeoutMs: 100 })).rejects.toThrow('within 0.1 s');
  for (const session of server.sessions) session.settings({ maxConcurrentStreams: 1 });
  await expect(transport.request(get)).resolves.toMatchObject({ status: 200 });
});

it('leaves no listener on a signal', async () => {
  const server = await startLimitedServer();
  const wire = openHttp2({ server: server.url, ca: server.ca, token: () => Promise.resolve(undefined) });
  onTestFinished(() => wire.close());
  const { signal } = new AbortController();
  const sink = { beforeSend: () => undefined, onHeaders: () => undefined, onData: () => undefined };
  for (let i = 0; i < 3; i++)
    await wire.exchange({ method: 'GET', target: '/x', headers: {}, body: undefined, signal, isWatch: false, ...sink });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

it('closes a connection that it needs no longer', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const server = await startLimitedServer();
  const transport = transportTo(server);
  await Promise.all(Array.from({ length: 20 }, () => transport.request(get)));
  const opened = server.accepted();
  expect(opened).toBeGreaterThan(1);
  const [first] = server.sessions;
  vi.advanceTimersByTime(30_000);
  await transport.request(get);
  expect(server.sessions.size).toBe(opened);
  vi.advanceTimersByTime(30_000);
  await expect.poll(() => [...server.sessions]).toEqual([first]);
  await transport.request(get);
  vi.advanceTimersByTime(120_000);
  await transport.request(get);
  expect(server.accepted()).toBe(opened);
});
