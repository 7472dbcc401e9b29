import { createServer, type Server } from 'node:http';
import { METRICS_TYPE } from '#core/metrics.ts';

export interface Probes {
  /** Undefined: well. A sentence: not well, and why. */
  live: () => string | undefined;
  ready: () => string | undefined;
  /** The page for Prometheus. */
  metrics: () => string;
}

/** /healthz, /readyz and /metrics on bare node:http. Resolves when it listens; throws where the port is taken. */
export async function startHealthServer(address: { host: string | undefined; port: number }, probes: Probes): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/metrics') {
      response.writeHead(200, { 'content-type': METRICS_TYPE });
      response.end(probes.metrics());
      return;
    }
    const probe = { '/healthz': probes.live, '/readyz': probes.ready }[request.url ?? ''];
    const problem = probe ? probe() : `no such page: ${request.url}; there are /healthz, /readyz and /metrics`;
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
