import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import supertest from 'supertest';
import { afterEach, describe, expect, it } from 'vitest';
import type { NamespaceFacts } from '#api/review.ts';
import { createLog, type Log } from '#core/log.ts';
import { createRedactor } from '#core/redact.ts';
import { type Operation, patched } from '#test/support/json-patch.ts';
import { admissionReview, type ReviewRequest } from '#test/support/reviews.ts';
import { createApp } from '#webhook/app.ts';
import { WebhookMetrics } from '#webhook/metrics.ts';

const PROPERTIES = { url: 'https://git.example.com/infra', path: './infrastructure' };
const labelled: NamespaceFacts = { labels: { 'lateen.dev/applications': 'gitops' }, annotations: {} };

function application(properties: Record<string, unknown> = {}, annotations?: Record<string, string>): Record<string, unknown> {
  const component = { name: 'infra', type: 'kustomize', properties: { ...PROPERTIES, ...properties } };
  return {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: 'infra-gitops', namespace: 'team-a', ...(annotations ? { annotations } : {}) },
    spec: { components: [component] },
  };
}

interface Bench {
  api: ReturnType<typeof supertest>;
  server: Server;
  lines: Record<string, unknown>[];
  metrics: WebhookMetrics;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function bench(options: { ready?: string; namespace?: (name: string) => NamespaceFacts | undefined } = {}): Promise<Bench> {
  const lines: Record<string, unknown>[] = [];
  const log: Log = createLog({
    level: 'info',
    redactor: createRedactor(),
    write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const metrics = new WebhookMetrics();
  const app = createApp({
    log,
    metrics,
    minIntervalMs: 10_000,
    namespace: options.namespace ?? (() => labelled),
    ready: () => options.ready,
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { api: supertest(server), server, lines, metrics };
}

type Response = {
  uid: string;
  allowed: boolean;
  patch?: string;
  patchType?: string;
  warnings?: string[];
  status?: Record<string, unknown>;
  auditAnnotations?: unknown;
};

async function ask({ api }: Bench, path: string, request: ReviewRequest): Promise<Response> {
  const review = admissionReview(request);
  const answer = await api.post(path).send(review).expect(200).expect('content-type', 'application/json');
  const body = answer.body as { apiVersion: string; kind: string; response: Response };
  expect([body.apiVersion, body.kind, body.response.uid]).toEqual(['admission.k8s.io/v1', 'AdmissionReview', review.request.uid]);
  return body.response;
}

function patchOf({ patch }: Response): Operation[] {
  return patch === undefined ? [] : (JSON.parse(Buffer.from(patch, 'base64').toString()) as Operation[]);
}

describe('/mutate', () => {
  it('answers with a minimal patch that only adds', async () => {
    const response = await ask(await bench(), '/mutate', { object: application() });
    expect([response.allowed, response.patchType]).toEqual([true, 'JSONPatch']);
    const at = '/spec/components/0/properties';
    expect(patchOf(response).toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      {
        op: 'add',
        path: '/metadata/annotations',
        value: { 'app.oam.dev/controller-version-require': 'lateen', 'lateen.dev/requested-by': 'alice' },
      },
      { op: 'add', path: `${at}/force`, value: false },
      { op: 'add', path: `${at}/prune`, value: true },
      { op: 'add', path: `${at}/pullInterval`, value: '5m' },
      { op: 'add', path: `${at}/repoType`, value: 'git' },
      { op: 'add', path: `${at}/suspend`, value: false },
    ]);
  });

  it('trims a publishVersion, and has nothing to do the second time', async () => {
    const one = await bench();
    const object = application({}, { 'app.oam.dev/publishVersion': ' v1 ' });
    const patch = patchOf(await ask(one, '/mutate', { object }));
    expect(patch).toContainEqual({ op: 'replace', path: '/metadata/annotations/app.oam.dev~1publishVersion', value: 'v1' });
    expect(await ask(one, '/mutate', { object: patched(object, patch) })).toEqual({ uid: expect.any(String), allowed: true });
  });

  it('gives a dry run the same answer', async () => {
    const one = await bench();
    const [real, dry] = [
      await ask(one, '/mutate', { object: application() }),
      await ask(one, '/mutate', { object: application(), dryRun: true }),
    ];
    expect(patchOf(dry)).toEqual(patchOf(real));
  });

  it.each<[string, ReviewRequest]>([
    ['a deletion', { object: null, oldObject: application(), operation: 'DELETE' }],
    ['another resource', { object: { spec: {} }, resource: { group: 'apps', version: 'v1', resource: 'deployments' } }],
    ['an update that changes nothing', { object: application(), oldObject: application() }],
  ])('lets %s pass', async (_, request) => {
    const one = await bench();
    expect(await ask(one, '/mutate', request)).toEqual({ uid: expect.any(String), allowed: true });
    expect(await ask(one, '/validate', request)).toEqual({ uid: expect.any(String), allowed: true });
  });
});

describe('/validate', () => {
  it('denies with every cause, for kubectl and for others', async () => {
    const response = await ask(await bench(), '/validate', { object: application({ urll: 'x', path: '/a' }) });
    const path = 'spec.components[0].properties.path';
    const urll = 'spec.components[0].properties.urll';
    expect(response).toEqual({
      uid: expect.any(String),
      allowed: false,
      auditAnnotations: { codes: 'INVALID_PATH,UNKNOWN_FIELD' },
      status: {
        status: 'Failure',
        code: 422,
        reason: 'Invalid',
        message: `Application "infra-gitops" has 2 mistakes:\n- ${path} must be relative to the root of the repository, received "/a"; write ./a\n- ${urll} is not a property of kustomize; did you mean "url"?`,
        details: {
          group: 'core.oam.dev',
          kind: 'Application',
          name: 'infra-gitops',
          causes: [
            { reason: 'INVALID_PATH', message: 'must be relative to the root of the repository, received "/a"; write ./a', field: path },
            { reason: 'UNKNOWN_FIELD', message: 'is not a property of kustomize; did you mean "url"?', field: urll },
          ],
        },
      },
    });
  });

  it('allows with warnings', async () => {
    const response = await ask(await bench(), '/validate', { object: application({ pullInterval: '48h', force: true }) });
    expect(response).toEqual({
      uid: expect.any(String),
      allowed: true,
      auditAnnotations: { codes: 'UNSUPPORTED,UNUSUAL_INTERVAL' },
      warnings: [
        'spec.components[0].properties.force is not implemented in this version; remove it',
        'spec.components[0].properties.pullInterval is over a day, received "48h"; write 24h or less, unless it is meant',
      ],
    });
  });

  it('bounds what it tells', async () => {
    const many = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`x${index}`, 1]));
    const { status, warnings } = await ask(await bench(), '/validate', { object: application(many) });
    const { details, message } = status as { details: { causes: unknown[] }; message: string };
    expect(details.causes).toHaveLength(51);
    expect(message).toContain('has 80 mistakes:');
    expect(message).toContain('- and 30 more; lateen check lists them all');
    expect(warnings).toBeUndefined();
  });

  it('speaks of the namespace that it knows', async () => {
    const one = await bench({ namespace: (name) => (name === 'team-b' ? { labels: {}, annotations: {} } : undefined) });
    const { warnings } = await ask(one, '/validate', { object: application(), namespace: 'team-b' });
    expect(warnings).toEqual(['metadata.namespace "team-b": no agent is announced for this namespace; see docs/install.md']);
    expect((await ask(one, '/validate', { object: application(), namespace: 'team-c' })).warnings).toBeUndefined();
  });

  it('calls an object that is nested without end a mistake, not a failure of its own', async () => {
    const one = await bench();
    const depth = 9_000;
    const text = JSON.stringify(admissionReview({ object: application({ deep: 'HERE' }) })).replace(
      '"HERE"',
      `${'['.repeat(depth)}${']'.repeat(depth)}`,
    );
    for (const path of ['/mutate', '/validate']) {
      const { body } = await one.api.post(path).set('content-type', 'application/json').send(text).expect(200);
      expect(body.response.allowed).toBe(path === '/mutate');
    }
  });
});

describe('what is no AdmissionReview', () => {
  it.each<[string, string | object, string]>([
    ['no JSON', '{', 'the body is not JSON\n'],
    ['another kind', { kind: 'Pod' }, 'the body is no AdmissionReview\n'],
    ['a list', '[]', 'the body is no AdmissionReview\n'],
    [
      'an older version',
      { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1beta1' },
      'apiVersion of the AdmissionReview must be admission.k8s.io/v1\n',
    ],
    ['no request', { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1' }, 'the AdmissionReview has no request\n'],
    ['no uid', { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request: {} }, 'the request has no uid\n'],
  ])('%s gets 400', async (_, body, text) => {
    const { api } = await bench();
    const answer = await api.post('/validate').set('content-type', 'application/json').send(body).expect(400);
    expect(answer.text).toBe(text);
  });

  it('too large a body gets 413, announced or not', async () => {
    const { server } = await bench();
    const { port } = server.address() as AddressInfo;
    const api = supertest(`http://127.0.0.1:${port}`);
    await api
      .post('/validate')
      .set('content-type', 'application/json')
      .send(`"${'x'.repeat(9 * 1024 * 1024)}"`)
      .expect(413);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('POST /validate HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    const chunk = Buffer.alloc(1024 * 1024, 120);
    for (let index = 0; index < 9; index++) socket.write(Buffer.concat([Buffer.from('100000\r\n'), chunk, Buffer.from('\r\n')]));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it('other paths and methods are named', async () => {
    const { api } = await bench();
    const [get, root] = [await api.get('/validate'), await api.get('/')];
    expect([get.status, get.text]).toEqual([405, 'send a POST\n']);
    expect([root.status, root.text]).toEqual([404, 'there are /mutate, /validate, /healthz, /readyz and /metrics\n']);
  });
});

describe('a defect of ours', () => {
  it('is an honest 500, so that failurePolicy decides, and an error in the log', async () => {
    const one = await bench({
      namespace: () => {
        throw new Error('planted');
      },
    });
    await one.api
      .post('/validate')
      .send(admissionReview({ object: application() }))
      .expect(500, 'a defect of the webhook; see its log\n');
    expect(one.lines).toEqual([expect.objectContaining({ level: 'error', message: 'failed', path: '/validate', error: 'planted' })]);
    expect(one.metrics.text()).toContain('lateen_webhook_failures_total{status="500"} 1\n');
  });
});

describe('what others see', () => {
  it('one line for each decision', async () => {
    const one = await bench();
    const { uid } = await ask(one, '/validate', { object: application({ urll: 1 }), user: 'bob', dryRun: true });
    expect(one.lines).toEqual([
      {
        time: expect.any(String),
        level: 'info',
        message: 'decided',
        webhook: 'validate',
        uid,
        namespace: 'team-a',
        name: 'infra-gitops',
        operation: 'CREATE',
        user: 'bob',
        verdict: 'denied',
        ms: expect.any(Number),
        codes: ['UNKNOWN_FIELD'],
        dryRun: true,
      },
    ]);
  });

  it('metrics, each with a line of help', async () => {
    const one = await bench();
    await ask(one, '/validate', { object: application({ urll: 1 }) });
    await ask(one, '/mutate', { object: application() });
    const { text } = await one.api.get('/metrics').expect(200);
    expect(text).toContain('lateen_webhook_requests_total{webhook="validate",operation="CREATE",verdict="denied"} 1\n');
    expect(text).toContain('lateen_webhook_requests_total{webhook="mutate",operation="CREATE",verdict="patched"} 1\n');
    expect(text).toContain('lateen_webhook_causes_total{webhook="validate",code="UNKNOWN_FIELD"} 1\n');
    expect(text).toMatch(/lateen_webhook_request_duration_seconds_bucket\{webhook="mutate",le="3"\} 1\n/);
    expect(text).not.toMatch(/^# HELP \S+ $/m);
  });

  it('health, and readiness with the reason', async () => {
    const said = async ({ api }: Bench, path: string): Promise<unknown> => {
      const { status, text } = await api.get(path);
      return [status, text];
    };
    expect(await said(await bench(), '/readyz')).toEqual([200, 'ok\n']);
    const unready = await bench({ ready: 'it has not reached itself yet' });
    expect(await said(unready, '/readyz')).toEqual([503, 'it has not reached itself yet\n']);
    expect(await said(unready, '/healthz')).toEqual([200, 'ok\n']);
  });

  it('nothing of express', async () => {
    const { headers } = await (await bench()).api.get('/healthz');
    expect(Object.keys(headers).filter((name) => ['x-powered-by', 'etag'].includes(name))).toEqual([]);
  });
});
