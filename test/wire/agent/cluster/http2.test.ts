import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { openHttp2 } from '#agent/cluster/http2.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';

afterEach(() => void vi.useRealTimers());

it('does not ping a session that has ended a moment ago: that would end the process', async () => {
  const { cert, key } = selfSignedCertificate();
  const server = createSecureServer({ cert, key });
  server.on('stream', (stream) => stream.respond({ ':status': 200 }, { endStream: true }));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const wire = openHttp2({ server: `https://127.0.0.1:${port}`, ca: cert, token: () => Promise.resolve(undefined) });
  const seen: number[] = [];
  await wire.exchange({
    method: 'GET',
    target: '/',
    body: undefined,
    headers: {},
    signal: AbortSignal.timeout(5_000),
    isWatch: false,
    beforeSend: () => undefined,
    onHeaders: (status) => seen.push(status),
    onData: () => undefined,
  });
  expect([seen, vi.getTimerCount()]).toEqual([[200], 1]);
  // Its `close` has not come yet.
  wire.close();
  expect(() => vi.advanceTimersByTime(60_000)).not.toThrow();
  server.close();
});
