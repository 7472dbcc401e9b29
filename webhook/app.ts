import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { NamespaceFacts } from '#api/review.ts';
import { messageOf, toError } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import { METRICS_TYPE } from '#core/metrics.ts';
import { type AdmissionRequest, readReview, writeReview } from './admission-review.ts';
import { BodyReader, BodyRefused } from './body.ts';
import { type Decision, type DecisionContext, decideMutation, decideValidation } from './decision.ts';
import type { WebhookMetrics } from './metrics.ts';
import { Turn } from './turn.ts';

export interface AppOptions {
  log: Log;
  metrics: WebhookMetrics;
  minIntervalMs: number;
  /** What is known of a namespace, without asking anybody. */
  namespace: (name: string) => NamespaceFacts | undefined;
  /** Undefined: ready. A sentence: not ready, and why. */
  ready: () => string | undefined;
  maxBytes?: number;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/** Object, old object and managedFields of the largest object that etcd takes. */
const MAX_BYTES = 8 * 1024 * 1024;

/** A larger one costs more than is saved by answering it together with others. */
const SMALL = 16 * 1024;

type Handler = (request: Request, response: Response) => Promise<void>;
type Decide = (request: AdmissionRequest, context: DecisionContext) => Decision;

/** What is told of a review, to whoever asked and in the log. */
interface Judged {
  text: string;
  /** The operation in the metrics. */
  label: string;
  uid: string;
  namespace: string;
  name: string;
  operation: string;
  user: string;
  dryRun: boolean;
  verdict: Decision['verdict'];
  codes: string[];
}

/** The paths of the webhook: /mutate, /validate, /healthz, /readyz, /metrics. */
export function createApp(options: AppOptions): Express {
  const { metrics, ready, maxBytes = MAX_BYTES } = options;
  const bodies = new BodyReader(maxBytes);
  const turn = new Turn();
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.post('/mutate', admission('mutate', decideMutation, { ...options, bodies, turn }));
  app.post('/validate', admission('validate', decideValidation, { ...options, bodies, turn }));
  app.get('/healthz', (_, response) => answer(response, 200, 'text/plain', 'ok\n'));
  app.get('/readyz', (_, response) => {
    const problem = ready();
    answer(response, problem === undefined ? 200 : 503, 'text/plain', `${problem ?? 'ok'}\n`);
  });
  app.get('/metrics', (_, response) => answer(response, 200, METRICS_TYPE, metrics.text()));
  app.use((request: Request, response: Response) => {
    const known = ['/mutate', '/validate'].includes(request.path);
    answer(
      response,
      known ? 405 : 404,
      'text/plain',
      known ? 'send a POST\n' : 'there are /mutate, /validate, /healthz, /readyz and /metrics\n',
    );
  });
  app.use(failed(options));
  return app;
}

function admission(webhook: string, decide: Decide, options: AppOptions & { bodies: BodyReader; turn: Turn }): Handler {
  const { log, metrics, minIntervalMs, bodies, turn, now = () => performance.now() } = options;
  // Of a review nothing else stays: its tree would grow old while it waits.
  const judge = (body: Buffer): Judged => {
    const asked = readReview(body);
    bodies.done(body);
    if (typeof asked === 'string') throw new BodyRefused(400, asked);
    const { response, verdict, codes } = decide(asked, { namespace: options.namespace(asked.namespace), minIntervalMs });
    const { uid, namespace, name, operation, user, dryRun } = asked;
    return { text: writeReview(response), label: operationOf(asked), uid, namespace, name, operation, user, dryRun, verdict, codes };
  };
  return async (request, response) => {
    const body = await bodies.read(request);
    const begun = now();
    const { text, label, uid, namespace, name, operation, user, verdict, codes, dryRun } = judge(body);
    if (body.length <= SMALL) await turn.end();
    answer(response, 200, 'application/json', text);
    const ms = now() - begun;
    metrics.requests.add({ webhook, operation: label, verdict });
    metrics.seconds.observe({ webhook }, ms / 1000);
    for (const code of codes) metrics.causes.add({ webhook, code });
    log.info('decided', {
      webhook,
      uid,
      namespace,
      name,
      operation,
      user,
      verdict,
      ms: Math.round(ms * 100) / 100,
      ...(codes.length > 0 ? { codes } : {}),
      ...(dryRun ? { dryRun } : {}),
    });
  };
}

/** A closed set, whatever is sent. */
function operationOf({ operation, concerned }: AdmissionRequest): string {
  return concerned ? operation : 'other';
}

function answer(response: Response, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/**
 * What is no AdmissionReview is refused as such. A defect of ours is an honest 500: neither a denial nor an approval, so that
 * the failurePolicy of the configuration decides.
 */
function failed({ log, metrics }: AppOptions): (error: unknown, request: Request, response: Response, next: NextFunction) => void {
  return (error, request, response, _next) => {
    const status = error instanceof BodyRefused ? error.status : 500;
    metrics.failures.add({ status: String(status) });
    if (status === 500) log.error('failed', { path: request.path, error: messageOf(error), stack: toError(error).stack });
    else log.info('refused', { path: request.path, status, why: messageOf(error) });
    if (response.headersSent) return void response.destroy();
    // The rest of a body that is too large is not read: the connection ends with the answer.
    if (status === 413) response.setHeader('connection', 'close');
    answer(response, status, 'text/plain', status === 500 ? 'a defect of the webhook; see its log\n' : `${messageOf(error)}\n`);
  };
}
