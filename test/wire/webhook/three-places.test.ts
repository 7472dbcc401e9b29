import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applicationsOf, type FiledApplication } from '#cli/applications-file.ts';
import { causeSentence, checkApplication } from '#api/check.ts';
import type { Cause } from '#api/failure.ts';
import { silentLog } from '#core/log.ts';
import { lateen } from '#test/support/lateen.ts';
import { admissionReview } from '#test/support/reviews.ts';
import { createApp } from '#webhook/app.ts';
import { WebhookMetrics } from '#webhook/metrics.ts';

const FOLDER = fileURLToPath(new URL('../../fixtures/applications', import.meta.url));
const NAMESPACE = 'team-a';

const corpus: FiledApplication[] = readdirSync(FOLDER).flatMap(
  (file) => applicationsOf(readFileSync(`${FOLDER}/${file}`, 'utf8'), file).applications,
);

let server: Server;
let checked: { denials: Cause[]; warnings: Cause[] };

beforeAll(async () => {
  const all = { labels: { 'lateen.dev/applications': 'all' }, annotations: {} };
  server = createServer(
    createApp({ log: silentLog, metrics: new WebhookMetrics(), minIntervalMs: 10_000, namespace: () => all, ready: () => undefined }),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { stdout } = await lateen(['check', FOLDER, '-o', 'json', '-n', NAMESPACE]);
  checked = JSON.parse(stdout) as typeof checked;
});

afterAll(() => server.close());

const nameOf = ({ value }: FiledApplication): string => (value['metadata'] as { name: string }).name;

/** What lateen check says of one Application, found by the lines of its document. */
function ofCheck(filed: FiledApplication, causes: readonly Cause[]): string[] {
  const following = corpus[corpus.indexOf(filed) + 1];
  const [from, to] = [filed.lineOf(''), following?.file === filed.file ? following.lineOf('') : Number.POSITIVE_INFINITY];
  return causes.filter(({ line = 0 }) => line >= from && line < to).map(causeSentence);
}

describe('webhook, agent and lateen check say the same of', () => {
  it.each(corpus.map((filed) => [nameOf(filed), filed] as const))('%s', async (_, filed) => {
    const review = admissionReview({ object: filed.value, namespace: NAMESPACE });
    const { body } = await supertest(server).post('/validate').send(review);
    const { allowed, status, warnings = [] } = body.response as { allowed: boolean; status?: { message: string }; warnings?: string[] };
    const denied =
      status?.message
        .split('\n')
        .slice(1)
        .map((line) => line.slice(2)) ?? [];
    const agent = checkApplication(filed.value, { minIntervalMs: 10_000, namespace: NAMESPACE });

    expect(denied).toEqual(agent.causes.map(causeSentence));
    expect(denied.toSorted()).toEqual(ofCheck(filed, checked.denials).toSorted());
    expect(allowed).toBe(agent.causes.length === 0);
    expect(warnings.toSorted()).toEqual(ofCheck(filed, checked.warnings).toSorted());
    // What the agent refuses beyond that is a warning in its own words.
    for (const cause of agent.unsupported) expect(warnings).toContain(causeSentence(cause));
  });

  it('a corpus that has right ones, wrong ones and suspicious ones, and shows no secret', () => {
    const verdicts = corpus.map((filed) =>
      [ofCheck(filed, checked.denials).length > 0, ofCheck(filed, checked.warnings).length > 0].join(),
    );
    expect(new Set(verdicts)).toEqual(new Set(['false,false', 'true,false', 'false,true', 'true,true']));
    expect(JSON.stringify(checked)).not.toContain('PLANTED');
  });
});
