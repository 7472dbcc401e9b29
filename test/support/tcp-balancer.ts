import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpBalancer {
  port: number;
  close(): Promise<void>;
}

/** Hands each connection to the next of the loopback ports, and to the one after where nobody listens: as a Service does. */
export async function startTcpBalancer(ports: readonly number[]): Promise<TcpBalancer> {
  const open = new Set<Socket>();
  let turn = 0;
  const server = createServer((client) => {
    open.add(client);
    client.on('close', () => open.delete(client)).on('error', () => undefined);
    attach(client, ports.length);
  });

  function attach(client: Socket, tries: number): void {
    const upstream = connect(ports[turn++ % ports.length]!, '127.0.0.1');
    upstream.once('connect', () => {
      upstream.off('error', refused);
      upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.on('close', () => upstream.destroy());
      client.pipe(upstream).pipe(client);
    });
    const refused = (): void => (tries > 1 ? attach(client, tries - 1) : void client.destroy());
    upstream.once('error', refused);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      for (const client of open) client.destroy();
      await once(server, 'close');
    },
  };
}
