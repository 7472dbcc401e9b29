import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface FrontOptions {
  /** Of 127.0.0.1; 0: any free one. */
  port: number;
  /** The port of the Pods. */
  targetPort: number;
  /** Of the Pods that are ready now. */
  addresses: () => string[];
}

export interface Front {
  port: number;
  close(): Promise<void>;
}

/** Passes each connection on to the next address, and to the one after where nobody listens. Connections that are open stay. */
export async function openFront({ port, targetPort, addresses }: FrontOptions): Promise<Front> {
  const open = new Set<Socket>();
  let turn = 0;

  function attach(client: Socket, tries: number): void {
    const ready = addresses();
    const address = ready[(turn += 1) % ready.length];
    if (address === undefined) return void client.destroy();
    const upstream = connect(targetPort, address);
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
    attach(client, addresses().length);
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
