import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server on this machine, and breaks what goes through. */
export interface TcpProxy {
  port: number;
  /** How many connections have been made so far. */
  readonly accepted: number;
  /** Ends every open connection without a word (RST). New ones go through. */
  cut(): void;
  /** Passes nothing more over the connections that are open, which stay open. New ones go through. */
  mute(): void;
  /** Passes this many more bytes from the server to the client, then cuts the connection that carried them. */
  cutAfter(bytes: number): void;
  /** Takes no connection and cuts the open ones, until it is called with false. */
  refuse(on: boolean): void;
  close(): Promise<void>;
}

/** A proxy on a free loopback port, to a loopback port. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const open = new Set<Socket>();
  const muted = new WeakSet<Socket>();
  let accepted = 0;
  let refusing = false;
  let bytesLeft = Number.POSITIVE_INFINITY;

  const server = createServer((client) => {
    if (refusing) return void client.resetAndDestroy();
    accepted++;
    const upstream = connect(targetPort, '127.0.0.1');
    const end = (): void => {
      open.delete(client);
      client.resetAndDestroy();
      upstream.destroy();
    };
    open.add(client);
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.on('data', (chunk: Buffer) => void (muted.has(client) || upstream.write(chunk)));
    client.on('end', () => upstream.end());
    upstream.on('data', (chunk: Buffer) => {
      if (muted.has(client)) return;
      client.write(chunk.subarray(0, Math.min(chunk.length, bytesLeft)));
      bytesLeft -= chunk.length;
      if (bytesLeft > 0) return;
      bytesLeft = Number.POSITIVE_INFINITY;
      end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const cut = (): void => {
    for (const client of open) client.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    cut,
    mute() {
      for (const client of open) muted.add(client);
    },
    cutAfter(bytes) {
      bytesLeft = bytes;
    },
    refuse(on) {
      refusing = on;
      if (on) cut();
    },
    async close() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
