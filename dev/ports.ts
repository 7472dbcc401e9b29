import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/** Ports are taken from here where it lies below the ephemeral range, from which any outgoing connection may take one. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const MAX_TRIES = 200;

async function lastPort(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '');
  const ephemeral = Number.parseInt(range, 10);
  return ephemeral > FIRST_PORT + 1_000 ? Math.min(LAST_PORT, ephemeral - 1) : LAST_PORT;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** `count` different ports of 127.0.0.1 that are free now. Another process may still take one first: then try again. */
export async function freePorts(count: number): Promise<number[]> {
  const last = await lastPort();
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count && tries < MAX_TRIES; tries += 1) {
    const port = randomInt(FIRST_PORT, last);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  if (ports.size < count) throw new Error(`no ${count} free ports between ${FIRST_PORT} and ${last} on 127.0.0.1`);
  return [...ports];
}
