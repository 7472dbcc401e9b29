import { createServer } from 'node:https';
import type { NamespaceFacts } from '#api/review.ts';
import { createLog } from '#core/log.ts';
import { createRedactor } from '#core/redact.ts';
import { createApp } from '#webhook/app.ts';
import { messageClasses } from '#webhook/message-classes.ts';
import { WebhookMetrics } from '#webhook/metrics.ts';
import { startTlsServer } from '#webhook/server.ts';

/** One of the two servers of the benchmark, as a process of its own: `bare` or `ours`. Gets its certificate, tells its port and answers with its
 * memory and processor time over IPC. */

const HOST = '127.0.0.1';

interface Pair {
  cert: string;
  key: string;
}

/** What nobody can be faster than: TLS, the body, JSON both ways, and no rule. */
async function startBare({ cert, key }: Pair): Promise<number> {
  const server = createServer({ cert, key, keepAliveTimeout: 120_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { request: asked } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { request: { uid: string } };
      const body = JSON.stringify({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: asked.uid, allowed: true },
      });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  return (server.address() as { port: number }).port;
}

/** The whole app: every rule, one log line for each decision. */
async function startOurs({ cert, key }: Pair): Promise<number> {
  const log = createLog({ level: 'info', redactor: createRedactor(), write: (line) => process.stdout.write(line) });
  const facts: NamespaceFacts = { labels: { 'lateen.dev/applications': 'all' }, annotations: {} };
  const app = createApp({ log, metrics: new WebhookMetrics(), minIntervalMs: 10_000, namespace: () => facts, ready: () => undefined });
  const { port } = await startTlsServer({ host: HOST, port: 0, pair: { cert, key }, listener: app, classes: messageClasses(app) });
  return port;
}

process.on('SIGINT', () => process.exit(0));
// The certificate is made elsewhere: what that needs in memory is no part of serving.
process.once('message', (pair: Pair) => {
  void (process.argv[2] === 'bare' ? startBare(pair) : startOurs(pair)).then((port) => process.send?.({ port }));
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ rss: process.memoryUsage().rss, cpuMs: (user + system) / 1000 });
  });
});
