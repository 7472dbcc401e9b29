import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { createTransport } from '#agent/cluster/transport.ts';
import { silentLog } from '#core/log.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';

afterEach(() => void vi.useRealTimers());

it('speaks HTTP/2 again with a server that did not once', async () => {
  const { cert, key } = selfSignedCertificate();
  let protocol = 'http/1.1';
  const seen: string[] = [];
  const server = createSecureServer({ cert, key, allowHTTP1: true, ALPNCallback: () => protocol });
  server.on('request', (request, response) => {
    seen.push(request.httpVersion);
    response.end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const connection = { server: `https://127.0.0.1:${port}`, ca: cert, token: () => Promise.resolve(undefined) };
  const transport = createTransport(connection, { log: silentLog, userAgent: 'lateen-test' });
  onTestFinished(() => transport.close());
  vi.useFakeTimers({ toFake: ['performance'] });

  await transport.request({ method: 'GET', path: '/x' });
  protocol = 'h2';
  vi.advanceTimersByTime(9 * 60_000);
  await transport.request({ method: 'GET', path: '/x' });
  vi.advanceTimersByTime(2 * 60_000);
  await transport.request({ method: 'GET', path: '/x' });

  expect(seen).toEqual(['1.1', '1.1', '2.0']);
});
