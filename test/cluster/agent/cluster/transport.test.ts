import { constants, type ServerHttp2Session } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { Connection } from '#agent/cluster/connection.ts';
import { UnreachableError } from '#agent/cluster/wire.ts';
import { createTransport, type Transport, type TransportOptions } from '#agent/cluster/transport.ts';
import { silentLog } from '#core/log.ts';
import { adminConnection, testClient } from '#test/support/api-client.ts';
import { answer, startFaultServer, startHttp1Server } from '#test/support/fault-server.ts';
import { startTcpProxy } from '#test/support/tcp-proxy.ts';

async function transportTo(server: string, options: Partial<TransportOptions> & { token?: Connection['token'] } = {}): Promise<Transport> {
  const { ca } = await adminConnection();
  const { token = () => Promise.resolve('secret'), ...rest } = options;
  const transport = createTransport({ server, ...(ca ? { ca } : {}), token }, { log: silentLog, userAgent: 'lateen-agent/1.2.3', ...rest });
  onTestFinished(() => transport.close());
  return transport;
}

async function collect(lines: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

const get = { method: 'GET', path: '/x' };
const patch = { method: 'PATCH', path: '/x', body: { a: 1 } };

it('sends what it is told, over one connection', async () => {
  const server = await startFaultServer((stream) => answer(stream, 200, { ok: true }));
  const transport = await transportTo(server.url);
  const answers = await Promise.all([
    transport.request(get),
    transport.request({ ...patch, query: { b: 'c d', e: undefined }, contentType: 'text/x' }),
  ]);
  expect(answers.map(({ status, body }) => [status, body])).toEqual([
    [200, { ok: true }],
    [200, { ok: true }],
  ]);
  expect(server.received.map(({ method, path, connection }) => [method, path, connection])).toEqual([
    ['GET', '/x', 1],
    ['PATCH', '/x?b=c%20d', 1],
  ]);
  expect(server.received[1]?.headers).toMatchObject({
    accept: 'application/json',
    authorization: 'Bearer secret',
    'content-type': 'text/x',
    'user-agent': 'lateen-agent/1.2.3',
  });
});

it('keeps the path of the server', async () => {
  const server = await startFaultServer((stream) => answer(stream, 200, {}));
  await (await transportTo(`${server.url}/clusters/one`)).request(get);
  expect(server.received.map(({ path }) => path)).toEqual(['/clusters/one/x']);
  const old = await startHttp1Server();
  await (await transportTo(`${old.url}/clusters/one`)).request(get);
  expect(old.received.map(({ path }) => path)).toEqual(['/clusters/one/x']);
});

it('waits as long as a 429 says, and gives up after five tries', async () => {
  const server = await startFaultServer((stream, count) => answer(stream, count < 3 ? 429 : 200, {}, { 'retry-after': '0' }));
  const transport = await transportTo(server.url);
  expect((await transport.request(patch)).status).toBe(200);
  expect(server.received.length).toBe(3);
  const always = await startFaultServer((stream) => answer(stream, 503, {}, { 'retry-after': '0' }));
  expect((await (await transportTo(always.url)).request(patch)).status).toBe(503);
  expect(always.received.length).toBe(5);
});

it('does not wait longer than the deadline', async () => {
  const server = await startFaultServer((stream) => answer(stream, 429, {}, { 'retry-after': '60' }));
  const { status, headers } = await (await transportTo(server.url)).request(get);
  expect([status, headers['retry-after'], server.received.length]).toEqual([429, '60', 1]);
});

it('repeats whatever was refused before it was processed', async () => {
  const server = await startFaultServer((stream, count) => {
    if (count === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else answer(stream, 200, {});
  });
  expect((await (await transportTo(server.url)).request(patch)).status).toBe(200);
  expect(server.received.length).toBe(2);
});

it('repeats a GET that was cut, once, and never a write', async () => {
  const server = await startFaultServer((stream) => stream.session?.destroy());
  const transport = await transportTo(server.url);
  await expect(transport.request(patch)).rejects.toMatchObject({ name: 'UnreachableError' });
  expect(server.received.length).toBe(1);
  await expect(transport.request(get)).rejects.toMatchObject({ name: 'UnreachableError' });
  expect(server.received.length).toBe(3);
});

it('moves to a new connection at a GOAWAY, and lets the old one finish', async () => {
  let old: ServerHttp2Session | undefined;
  let finish: () => void = () => {};
  const server = await startFaultServer((stream, count) => {
    if (count > 1) return answer(stream, 200, { count });
    old = stream.session as ServerHttp2Session;
    finish = () => answer(stream, 200, { count });
    old.goaway(constants.NGHTTP2_NO_ERROR, stream.id ?? 0);
  });
  const transport = await transportTo(server.url);
  const first = transport.request(patch);
  await expect.poll(() => server.received.length).toBe(1);
  await expect.poll(async () => (await transport.request(get)).status && server.received.at(-1)?.connection).toBe(2);
  finish();
  expect((await first).body).toEqual({ count: 1 });
  expect(server.received.filter(({ method }) => method === 'PATCH').length).toBe(1);
});

it('uses the newer connection further when the older one ends', async () => {
  const sessions: ServerHttp2Session[] = [];
  const server = await startFaultServer((stream, count) => {
    if (!sessions.includes(stream.session as ServerHttp2Session)) sessions.push(stream.session as ServerHttp2Session);
    answer(stream, 200, {});
    if (count === 1) stream.session?.goaway();
  });
  const transport = await transportTo(server.url);
  await transport.request(get);
  await expect.poll(async () => (await transport.request(get)).status && sessions.length).toBe(2);
  sessions[0]?.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await transport.request(get);
  expect(server.received.at(-1)?.connection).toBe(2);
});

it('takes no part of an answer for the whole', async () => {
  const cut = await startFaultServer((stream) => {
    stream.respond({ ':status': 200 });
    stream.write('{"a":1}');
    setTimeout(() => stream.session?.destroy(), 20);
  });
  await expect((await transportTo(cut.url)).request(patch)).rejects.toMatchObject({ message: 'the connection to the API server was cut' });
  const direct = await adminConnection();
  const proxy = await startTcpProxy(Number(new URL(direct.server).port));
  onTestFinished(() => proxy.close());
  const client = testClient({ ...direct, server: `https://127.0.0.1:${proxy.port}` });
  await client.transport.request({ method: 'GET', path: '/readyz' });
  proxy.cutAfter(20_000);
  const watching = client.transport.stream({ method: 'GET', path: '/openapi/v2' });
  await expect(collect(watching)).rejects.toMatchObject({ name: 'UnreachableError' });
});

it('gives up at the deadline, and when it is told to', async () => {
  const server = await startFaultServer(() => undefined);
  const transport = await transportTo(server.url);
  await expect(transport.request({ ...get, timeoutMs: 50 })).rejects.toThrow(`no answer from the API server ${server.url} within 0.05 s`);
  const stop = new AbortController();
  const reason = new Error('enough');
  setTimeout(() => stop.abort(reason), 20);
  await expect(transport.request({ ...get, signal: stop.signal })).rejects.toBe(reason);
});

it('leaves a connection that has fallen silent soon after a request got no answer, and with it what else waits there', async () => {
  const server = await startFaultServer((stream) => stream.respond({ ':status': 200 }, { endStream: true }));
  const proxy = await startTcpProxy(Number(new URL(server.url).port));
  onTestFinished(() => proxy.close());
  const transport = await transportTo(`https://127.0.0.1:${proxy.port}`);
  await transport.request(get);
  proxy.mute();
  const begun = performance.now();
  const other = expect(transport.request(patch)).rejects.toThrow(UnreachableError);
  await expect(transport.request({ ...get, timeoutMs: 100 })).rejects.toThrow('within 0.1 s');
  await other;
  expect(performance.now() - begun).toBeLessThan(8_000);
  await expect(transport.request(get)).resolves.toMatchObject({ status: 200 });
  expect(proxy.accepted).toBe(2);
});

it('stays with a connection whose server is slow', async () => {
  const server = await startFaultServer((stream, count) => {
    if (count > 1) stream.respond({ ':status': 200 }, { endStream: true });
  });
  const transport = await transportTo(server.url);
  await expect(transport.request({ ...get, timeoutMs: 100 })).rejects.toThrow('within 0.1 s');
  await sleep(3_500);
  await transport.request(get);
  expect(server.received.map(({ connection }) => connection)).toEqual([1, 1]);
});

it('lets a bounded number of requests through, in their order, watches apart', async () => {
  let open = 0;
  let most = 0;
  const server = await startFaultServer((stream) => {
    most = Math.max(most, ++open);
    setTimeout(() => {
      open--;
      answer(stream, 200, {});
    }, 5);
  });
  const transport = await transportTo(server.url, { maxInFlight: 4 });
  const paths = Array.from({ length: 40 }, (_, index) => `/${index}`);
  await Promise.all(paths.map((path) => transport.request({ method: 'GET', path })));
  expect(most).toBe(4);
  expect(server.received.map(({ path }) => path)).toEqual(paths);
});

it('streams lines as they come, and throws when they are cut', async () => {
  const server = await startFaultServer((stream, count) => {
    stream.respond({ ':status': 200 });
    stream.write('{"n":1}\n{"n"');
    if (count === 1) return stream.end(':2}\n\n{"n":3}\n');
    return void setTimeout(() => stream.session?.destroy(), 20);
  });
  const transport = await transportTo(server.url);
  expect(await collect(transport.stream(get))).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  const seen: unknown[] = [];
  const cut = async (): Promise<void> => {
    for await (const line of transport.stream(get)) seen.push(line);
  };
  await expect(cut()).rejects.toMatchObject({ name: 'UnreachableError' });
  expect(seen).toEqual([{ n: 1 }]);
});

it('yields a refused stream as one error with its status', async () => {
  const status = { kind: 'Status', message: 'too old', code: 410 };
  const server = await startFaultServer((stream, count) => {
    stream.respond({ ':status': count === 1 ? 410 : 429, 'retry-after': '7' });
    stream.end(`${JSON.stringify(status)}\n`);
  });
  const transport = await transportTo(server.url);
  expect(await collect(transport.stream(get))).toEqual([{ type: 'ERROR', object: status, status: 410 }]);
  expect(await collect(transport.stream(get))).toEqual([{ type: 'ERROR', object: status, status: 429, retryAfterMs: 7_000 }]);
});

it('asks for a new token after a stream was refused for the old one', async () => {
  const server = await startFaultServer((stream, count) => answer(stream, count === 1 ? 401 : 200, { count }));
  const asked: boolean[] = [];
  const transport = await transportTo(server.url, {
    token: async (fresh) => {
      asked.push(fresh);
      return 'secret';
    },
  });
  await collect(transport.stream(get));
  await transport.request(get);
  await transport.request(get);
  expect(asked).toEqual([false, true, false]);
});

it('speaks HTTP/1.1 over kept connections where the server has no HTTP/2', async () => {
  const server = await startHttp1Server();
  const transport = await transportTo(server.url);
  for (let i = 0; i < 5; i++) expect((await transport.request(get)).body).toEqual({ path: '/x' });
  // One to find out about HTTP/2, and one for all of them.
  expect(server.connections()).toBeLessThanOrEqual(2);
  expect(server.received[0]?.headers['authorization']).toBe('Bearer secret');
  const watch = { method: 'GET', path: '/w', query: { watch: '1' } };
  expect(await collect(transport.stream(watch))).toEqual([1, 2].map((a) => ({ type: 'ADDED', object: { a } })));
  await expect(collect(transport.stream({ ...watch, query: { watch: '1', cut: '1' } }))).rejects.toMatchObject({
    name: 'UnreachableError',
  });
});

it('sends nothing after it was closed', async () => {
  const server = await startFaultServer(() => undefined);
  const transport = await transportTo(server.url);
  const pending = transport.request(patch);
  await expect.poll(() => server.received.length).toBe(1);
  transport.close();
  await expect(pending).rejects.toMatchObject({ name: 'UnreachableError' });
  await expect(transport.request(patch)).rejects.toThrow('the connection to the API server was closed');
  expect(server.received.length).toBe(1);
});
