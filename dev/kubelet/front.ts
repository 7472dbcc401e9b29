import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Target {
  host: string;
  port: number;
}

export interface FrontOptions {
  /** Of 127.0.0.1; 0: any free one. */
  port: number;
  /** Whom connections are passed on to now. */
  targets: () => Target[];
}

export interface Front {
  port: number;
  close(): Promise<void>;
}

/** As a Service does: passes each connection on to the next target, and to the one after where nobody listens. Connections that are open stay. */
export async function openFront({ port, targets }: FrontOptions): Promise<Front> {
  const open = new Set<Socket>();
  let turn = 0;

  function attach(client: Socket, tries: number): void {
    const ready = targets();
    const target = ready[(turn += 1) % ready.length];
    if (target === undefined) return void client.destroy();
    const upstream = connect(target.port, target.host);
    const refused = (): void => (tries > 1 ? attach(client, tries - 1) : void client.destroy());
    upstream.once('error', refused);
    upstream.once('connect', () => {
      upstream.off('error', refused);
      upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.on('close', () => upstream.destroy());
      client.pipe(upstream).pipe(client);
    });
  }

  const server = createServer((client) => {
    open.add(client);
    client.on('close', () => open.delete(client)).on('error', () => undefined);
    attach(client, targets().length);
  });
  server.listen(port, '127.0.0.1');
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
