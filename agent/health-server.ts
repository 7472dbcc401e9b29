import { createServer, type Server } from 'node:http';

export interface Probes {
  /** Undefined: well. A sentence: not well, and why. */
  live: () => string | undefined;
  ready: () => string | undefined;
}

/** /healthz and /readyz on bare node:http. Resolves when it listens; throws where the port is taken. */
export async function startHealthServer(address: { host: string | undefined; port: number }, probes: Probes): Promise<Server> {
  const server = createServer((request, response) => {
    const probe = { '/healthz': probes.live, '/readyz': probes.ready }[request.url ?? ''];
    const problem = probe ? probe() : `no such page: ${request.url}; there are /healthz and /readyz`;
    response.writeHead(probe ? (problem ? 503 : 200) : 404, { 'content-type': 'text/plain' });
    response.end(`${problem ?? 'ok'}\n`);
  });
  server.requestTimeout = 5_000;
  server.headersTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  return server;
}
