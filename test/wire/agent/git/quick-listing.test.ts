import { createServer, request } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Repository } from '#agent/git/git.ts';
import { commitFiles } from '#dev/git-repository.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';
import { type GitBench, type GitBenchOptions, startGitBench } from '#test/support/git.ts';

const OPTIONS = { timeoutMs: 15_000 };

let bench: GitBench;
let directory: string;

afterEach(() => bench.close());

async function serve(options: GitBenchOptions = {}): Promise<Repository> {
  bench = await startGitBench(options);
  directory = await bench.server.createRepository('app');
  await commit('first');
  return { url: bench.server.cloneUrl('app') };
}

const commit = (message: string, branch = 'main') => commitFiles(directory, branch, { a: message }, { message });

/** What a call asks the server for. */
async function asking(call: () => Promise<unknown>): Promise<string[]> {
  const before = bench.server.requests().length;
  await call();
  return bench.server
    .requests()
    .slice(before)
    .map(({ method, path, status }) => `${method} ${path.replace('/app', '')} ${status}`);
}

const BY_GIT = ['GET /info/refs 200', 'POST /git-upload-pack 200'];
const QUICKLY = ['POST /git-upload-pack 200'];

it('takes one request', async () => {
  const repository = await serve();
  const resolve = (branch?: string) => bench.git.resolve(repository, branch, OPTIONS);
  expect(await asking(() => resolve('main'))).toEqual(QUICKLY);
  const second = await commit('second');
  expect(await asking(async () => expect(await resolve('main')).toEqual({ branch: 'main', commit: second }))).toEqual(QUICKLY);
  await commit('beside', 'main-2');
  expect(await asking(async () => expect(await resolve()).toEqual({ branch: 'main', commit: second }))).toEqual(QUICKLY);
});

it('leaves a branch that is not there, and a server that fails, to git and its words', async () => {
  const repository = await serve();
  await bench.git.resolve(repository, 'main', OPTIONS);
  await expect(bench.git.resolve(repository, 'mian', OPTIONS)).rejects.toMatchObject({
    reason: 'RefNotFound',
    message: expect.stringContaining('has no branch mian; it has main') as string,
  });
  bench.server.setFault('app', { status: 503 });
  await expect(bench.git.resolve(repository, 'main', OPTIONS)).rejects.toMatchObject({ reason: 'Unreachable' });
  bench.server.setFault('app', undefined);
  // For some minutes: a server that has just failed is not asked twice.
  expect(await asking(() => bench.git.resolve(repository, 'main', OPTIONS))).toEqual(BY_GIT);
});

it('ends with the deadline and with the client while a server hangs', async () => {
  const repository = await serve();
  await bench.git.resolve(repository, 'main', OPTIONS);
  bench.server.setFault('app', { hang: true });
  await expect(bench.git.resolve(repository, 'main', { timeoutMs: 300 })).rejects.toMatchObject({ reason: 'TimedOut' });
  const closed = expect(bench.git.resolve(repository, 'main', OPTIONS)).rejects.toThrow('closed');
  await expect.poll(() => bench.server.requestCount('app')).toBe(3);
  await bench.git.close();
  await closed;
});

it('sends the credentials, and tells those that are refused', async () => {
  const users = [{ name: 'reader', password: 'reads-only', write: false }];
  const repository = { ...(await serve({ users })), credentials: { username: 'reader', password: 'reads-only' } };
  await bench.git.resolve(repository, 'main', OPTIONS);
  expect(await asking(() => bench.git.resolve(repository, 'main', OPTIONS))).toEqual(QUICKLY);
  users[0]!.password = 'other';
  await expect(bench.git.resolve(repository, 'main', OPTIONS)).rejects.toMatchObject({ reason: 'AuthFailed' });
});

it('trusts a server by the authority of the credentials alone', async () => {
  const tls = selfSignedCertificate();
  const repository = { ...(await serve({ tls })), credentials: { caCert: tls.cert } };
  await bench.git.resolve(repository, 'main', OPTIONS);
  expect(await asking(() => bench.git.resolve(repository, 'main', OPTIONS))).toEqual(QUICKLY);
});

describe('a server that does not know protocol version 2', () => {
  it('is asked by git alone', async () => {
    const { url } = await serve();
    const proxy = createServer((incoming, answer) => {
      const { 'git-protocol': _version, ...headers } = incoming.headers;
      const target = new URL(incoming.url ?? '', url);
      const onward = request(target, { method: incoming.method, headers }, (back) => {
        answer.writeHead(back.statusCode ?? 0, back.headers);
        back.pipe(answer);
      });
      onward.on('error', () => answer.destroy());
      incoming.pipe(onward);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const repository = { url: url.replace(/:\d+/, `:${(proxy.address() as AddressInfo).port}`) };
      const resolve = () => bench.git.resolve(repository, 'main', OPTIONS);
      const advertised = ['GET /info/refs 200'];
      expect(await asking(resolve)).toEqual([expect.stringMatching(/^POST \/git-upload-pack/), ...advertised]);
      expect(await asking(resolve)).toEqual(advertised);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
