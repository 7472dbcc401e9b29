import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { tokenFile } from '#agent/cluster/connection.ts';
import { createTransport } from '#agent/cluster/transport.ts';
import { silentLog } from '#core/log.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';

it('every request that was under way with a token that ended is sent again with the new one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'token');
  await writeFile(file, 'old');
  const { cert, key } = selfSignedCertificate();
  let valid = 'old';
  const server = createSecureServer({ cert, key });
  server.on('request', ({ headers }, response) => response.writeHead(headers.authorization === `Bearer ${valid}` ? 200 : 401).end('{}'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const connection = { server: `https://127.0.0.1:${port}`, ca: cert, token: tokenFile(file) };
  const transport = createTransport(connection, { log: silentLog, userAgent: 'lateen-test' });
  onTestFinished(() => transport.close());

  const request = { method: 'GET', path: '/x' };
  expect((await transport.request(request)).status).toBe(200);
  await writeFile(file, 'new');
  valid = 'new';
  const answers = await Promise.all(Array.from({ length: 20 }, () => transport.request(request)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});
