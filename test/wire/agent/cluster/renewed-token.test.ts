import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Connection, tokenFile } from '#agent/cluster/connection.ts';
import { createTransport, type Transport } from '#agent/cluster/transport.ts';
import { silentLog } from '#core/log.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';

const request = { method: 'GET', path: '/x' };

/** To a server that takes one token only. */
async function transportWith(token: Connection['token']): Promise<{ transport: Transport; accept: (token: string) => void }> {
  const { cert, key } = selfSignedCertificate();
  let valid = 'old';
  const server = createSecureServer({ cert, key });
  server.on('request', ({ headers }, response) => response.writeHead(headers.authorization === `Bearer ${valid}` ? 200 : 401).end('{}'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const transport = createTransport({ server: `https://127.0.0.1:${port}`, ca: cert, token }, { log: silentLog, userAgent: 'lateen-test' });
  onTestFinished(() => transport.close());
  return { transport, accept: (now) => (valid = now) };
}

it('every request that was under way with a token that ended is sent again with the new one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'token');
  await writeFile(file, 'old');
  const { transport, accept } = await transportWith(tokenFile(file));
  expect((await transport.request(request)).status).toBe(200);
  await writeFile(file, 'new');
  accept('new');
  const answers = await Promise.all(Array.from({ length: 20 }, () => transport.request(request)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

it('a credential plugin that never answers is asked again', async () => {
  const late = new AbortController();
  vi.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(late.signal);
  const asked = Promise.withResolvers<void>();
  let times = 0;
  const renewed = async (): Promise<string> => {
    asked.resolve();
    return ++times === 1 ? new Promise(() => undefined) : 'new';
  };
  const { transport, accept } = await transportWith(async (fresh) => (fresh ? renewed() : 'old'));
  expect((await transport.request(request)).status).toBe(200);
  accept('new');
  const answer = transport.request({ ...request, timeoutMs: 3_000 });
  await asked.promise;
  late.abort(new Error('too late'));
  expect((await answer).status).toBe(200);
  expect(times).toBe(2);
});
