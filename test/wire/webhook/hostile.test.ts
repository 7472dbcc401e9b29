import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import fc from 'fast-check';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '#core/log.ts';
import type { Operation } from '#test/support/json-patch.ts';
import { patched } from '#test/support/json-patch.ts';
import { admissionReview } from '#test/support/reviews.ts';
import { anyApplication } from '#test/unit/api/arbitrary-applications.ts';
import { createApp } from '#webhook/app.ts';
import { WebhookMetrics } from '#webhook/metrics.ts';

/** `make test-webhook-reviews` sets ten thousand. */
const RUNS = Number(process.env['LATEEN_REVIEWS'] ?? 250);
/** timeoutSeconds of the configurations. */
const DEADLINE_MS = 3_000;

let server: Server;
const metrics = new WebhookMetrics();

beforeAll(async () => {
  const namespace = (name: string): { labels: Record<string, string>; annotations: Record<string, string> } => ({
    labels: { 'lateen.dev/applications': name },
    annotations: { 'lateen.dev/publish-version': 'auto' },
  });
  server = createServer(createApp({ log: silentLog, metrics, minIntervalMs: 10_000, namespace, ready: () => undefined }));
  await once(server.listen(0, '127.0.0.1'), 'listening');
});

afterAll(() => server.close());

interface Answer {
  status: number;
  ms: number;
  response: { uid: string; allowed: boolean; patch?: string };
}

async function post(path: string, body: string): Promise<Answer> {
  // Processor time: what else runs on this machine must not decide.
  const begun = process.cpuUsage();
  const answer = await supertest(server).post(path).set('content-type', 'application/json').send(body);
  const { user, system } = process.cpuUsage(begun);
  return { status: answer.status, ms: (user + system) / 1000, response: (answer.body as { response: Answer['response'] }).response };
}

/** One bit of a text turned, or a piece of it gone: mostly no JSON any more, sometimes other JSON. */
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  length: fc.integer({ min: 0, max: 40 }),
  text: fc.string({ maxLength: 6 }),
});

describe('generated reviews', () => {
  it('all get an answer in time; what is patched needs no second patch', async () => {
    const namespaces = fc.constantFrom('all', 'gitops', '');
    await fc.assert(
      fc.asyncProperty(anyApplication, fc.option(anyApplication, { nil: null }), namespaces, async (object, oldObject, namespace) => {
        const review = admissionReview({ object, oldObject, namespace });
        const answers = [await post('/mutate', JSON.stringify(review)), await post('/validate', JSON.stringify(review))];
        for (const { status, ms, response } of answers) {
          expect([status, response.uid]).toEqual([200, review.request.uid]);
          expect(ms).toBeLessThan(DEADLINE_MS);
        }
        const { patch } = answers[0]!.response;
        if (patch === undefined) return;
        const operations = JSON.parse(Buffer.from(patch, 'base64').toString()) as Operation[];
        const again = admissionReview({ object: patched(object, operations), oldObject, namespace });
        expect((await post('/mutate', JSON.stringify(again))).response.patch).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it('that were damaged get an answer or a 400, never a 500', async () => {
    await fc.assert(
      fc.asyncProperty(anyApplication, damage, async (object, { at, length, text }) => {
        const whole = JSON.stringify(admissionReview({ object }));
        const cut = Math.floor(at * whole.length);
        const body = whole.slice(0, cut) + text + whole.slice(cut + length);
        for (const path of ['/mutate', '/validate']) expect([200, 400]).toContain((await post(path, body)).status);
      }),
      { numRuns: RUNS },
    );
    expect(metrics.text()).not.toContain('status="500"');
  });
});

describe('what is built to blow up', () => {
  const component = (images: Record<string, unknown>, index = 0): unknown => ({
    name: `c${index}`,
    type: 'kustomize',
    properties: {
      url: 'https://h/x',
      path: `p${index}`,
      imageRepository: { image: 'a/b', policy: { numerical: { order: 'asc' } }, ...images },
    },
  });
  const application = (components: unknown[]): unknown => ({ metadata: { name: 'app' }, spec: { components } });
  const withPattern = (pattern: string, extract = '$1'): unknown => application([component({ filterTags: { pattern, extract } })]);
  const many = (count: number, images: Record<string, unknown>): unknown =>
    application(Array.from({ length: count }, (_, index) => component(images, index)));

  it.each<[string, unknown]>([
    ['nested repeats', withPattern('^(a+)+$')],
    ['alternatives that overlap', withPattern('^(a|a|aa)+$')],
    ['nested counts', withPattern('((a{30}){30}){30}')],
    ['the largest counts', withPattern('(x{1000})'.repeat(100))],
    ['counts of classes', withPattern(String.raw`[\pL\pN]{1000}`.repeat(60))],
    ['groups without end', withPattern(`${'('.repeat(500)}a${')'.repeat(500)}`)],
    ['a thousand groups and references', withPattern('(a)'.repeat(340), '$1'.repeat(50_000))],
    ['a hundred components with large patterns', many(100, { filterTags: { pattern: '(x{1000})'.repeat(100), extract: '$1' } })],
    ['a thousand components with patterns', many(1000, { filterTags: { pattern: '^main-(?P<n>[0-9]+)-[a-f0-9]{7,40}$', extract: '$n' } })],
    [
      'a template that loops in a loop',
      application([component({ commitMessage: '{{range .Updated.Images}}'.repeat(600) + '{{end}}'.repeat(600) })]),
    ],
    ['five hundred such templates', many(500, { commitMessage: '{{range .Updated.Images}}{{println .}}{{end}}'.repeat(20) })],
    ['a range of many alternatives', application([component({ policy: { semver: { range: '>=1.0.0 || '.repeat(40_000) } } })])],
    ['hyphens and spaces', application([component({ policy: { semver: { range: `1.0.0${' '.repeat(50_000)}- x` } } })])],
    [
      'a long url',
      application([{ name: 'a', type: 'kustomize', properties: { url: `https://${'a.'.repeat(500_000)}`, path: 'x/'.repeat(500_000) } }]),
    ],
    [
      'ten thousand misspelt names',
      application(
        Array.from({ length: 10_000 }, (_, index) => ({ name: `c${index}`, type: 'kustomize', dependsOn: [`d${index}`], propertis: {} })),
      ),
    ],
    [
      'a map of fifty thousand misspelt names',
      application([
        {
          name: 'a',
          type: 'kustomize',
          properties: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`imageRepositor${i}`, 1])),
        },
      ]),
    ],
  ])('%s is answered in time', async (_, object) => {
    const body = JSON.stringify(admissionReview({ object }));
    for (const path of ['/mutate', '/validate']) {
      const { status, ms } = await post(path, body);
      expect(status).toBe(200);
      expect(ms).toBeLessThan(DEADLINE_MS);
    }
  });
});
