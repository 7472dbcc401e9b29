import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { issueAuthority, issueServing, type KeyPair } from '#certs/issue.ts';
import { checkSelf } from '#webhook/self-check.ts';
import { startTlsServer, type TlsServer } from '#webhook/server.ts';

const HOSTS = ['lateen-webhook.lateen-system.svc', '127.0.0.1'];
const LIFE = { nowMs: Date.now(), lifeMs: 3_600_000 };

async function pairs(): Promise<{ authority: KeyPair; serving: KeyPair }> {
  const authority = await issueAuthority(LIFE);
  return { authority, serving: await issueServing(authority, HOSTS, LIFE) };
}

let running: TlsServer | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function start(pair: KeyPair, answerMs = 0): Promise<TlsServer> {
  running = await startTlsServer({
    host: '127.0.0.1',
    port: 0,
    pair,
    listener: (_, response) => void sleep(answerMs).then(() => response.end('ok')),
  });
  return running;
}

/** Resolves to the status, over a connection of the agent. */
function get(port: number, ca: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, ca, agent, path: '/', timeout: 5_000 }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function serialOf(port: number, ca: string): Promise<string> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca, servername: HOSTS[0]! });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

describe('the TLS server', () => {
  it('reloads its certificate under load without a dropped connection or a failed request', async () => {
    const [first, second] = [await pairs(), await pairs()];
    const { port, reload } = await start(first.serving, 2);
    const bundle = first.authority.cert + second.authority.cert;
    const kept = new Agent({ keepAlive: true, maxSockets: 4 });
    const fresh = new Agent({ keepAlive: false });
    const statuses: (number | undefined)[] = [];
    const before = await serialOf(port, first.authority.cert);
    let over = false;
    const load = [kept, kept, kept, kept, fresh, fresh].map(async (agent) => {
      while (!over) statuses.push(await get(port, bundle, agent));
    });
    await sleep(200);
    reload(second.serving);
    const after = await serialOf(port, second.authority.cert);
    await sleep(200);
    reload(first.serving);
    await sleep(100);
    over = true;
    await Promise.all(load);
    kept.destroy();
    expect(after).not.toBe(before);
    expect(statuses.length).toBeGreaterThan(20);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('answers what is under way when it closes, and takes no more', async () => {
    const { authority, serving } = await pairs();
    const server = await start(serving, 300);
    const agent = new Agent({ keepAlive: true });
    const slow = get(server.port, authority.cert, agent);
    await sleep(100);
    const closed = server.close();
    running = undefined;
    expect(await slow).toBe(200);
    await closed;
    await expect(get(server.port, authority.cert, new Agent())).rejects.toThrow(/ECONNREFUSED/);
    agent.destroy();
  });

  it('sends its callers elsewhere while it drains', async () => {
    const { authority, serving } = await pairs();
    const server = await start(serving);
    const agent = new Agent({ keepAlive: true });
    expect(await get(server.port, authority.cert, agent)).toBe(200);
    expect(Object.keys(agent.freeSockets)).toHaveLength(1);
    server.drain();
    expect(await get(server.port, authority.cert, agent)).toBe(200);
    await sleep(50);
    expect(Object.keys(agent.freeSockets)).toHaveLength(0);
    agent.destroy();
  });

  it('outlives a client that speaks no TLS', async () => {
    const { authority, serving } = await pairs();
    const { port } = await start(serving);
    const socket = connectTcp(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await once(socket, 'close');
    const agent = new Agent();
    expect(await get(port, authority.cert, agent)).toBe(200);
  });
});

describe('the check of itself', () => {
  it('is content with the bundle that its certificate belongs to, and says what is wrong with another', async () => {
    const [own, other] = [await pairs(), await pairs()];
    const { port } = await start(own.serving);
    const self = { port, host: undefined, serverName: HOSTS[0]! };
    const name = 'it does not reach itself as lateen-webhook.lateen-system.svc with the bundle of the webhook configuration:';
    expect(await checkSelf({ ...self, bundle: own.authority.cert })).toBeUndefined();
    expect(await checkSelf({ ...self, bundle: other.authority.cert + own.authority.cert })).toBeUndefined();
    expect(await checkSelf({ ...self, bundle: other.authority.cert })).toMatch(new RegExp(`^${name} .*(certificate|signature)`));
    expect(await checkSelf({ ...self, bundle: '' })).toBe('a webhook configuration holds no caBundle');
    expect(await checkSelf({ ...self, bundle: own.authority.cert, serverName: 'other.svc' })).toContain(
      "does not match certificate's altnames",
    );
  });

  it('says so where nothing listens', async () => {
    const { authority, serving } = await pairs();
    const server = await start(serving);
    await server.close();
    running = undefined;
    const problem = await checkSelf({ port: server.port, host: '0.0.0.0', serverName: HOSTS[0]!, bundle: authority.cert });
    expect(problem).toMatch(/ECONNREFUSED/);
  });
});
