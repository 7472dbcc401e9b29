import { beforeEach, expect, inject, it, onTestFinished } from 'vitest';
import type { Client } from '#agent/cluster/client.ts';
import { type LiveObject, projected } from '#agent/cluster/projection.ts';
import { PodTroubles } from '#agent/sync/pod-troubles.ts';
import type { ApiFault } from '#dev/faults/api-proxy.ts';
import { proxyOf } from '#dev/faults/world.ts';
import { adminConnection, testClient } from '#test/support/api-client.ts';
import { createNamespace, kubectlApply } from '#test/support/namespace.ts';

/** When the pods of workloads that come no further are listed, where the API server does not answer that. */

const GRACE_MS = 15_000;

let namespace: string;
let workloads: LiveObject[];
let troubles: PodTroubles;
let nowMs: number;
let listings: number;
let fault: ApiFault;

beforeEach(async () => {
  namespace = await createNamespace();
  const proxy = await proxyOf(inject('plane'));
  onTestFinished(() => proxy.close());
  proxy.hooks = { before: ({ path }) => (path.includes('/pods') ? fault : undefined) };
  const real = testClient({ ...(await adminConnection()), server: proxy.url });
  [nowMs, listings, fault] = [Date.now(), 0, {}];
  workloads = await Promise.all(['one', 'two', 'three'].map((name) => stuck(real, name)));
  troubles = new PodTroubles({ client: watched(real), namespace });
  // From here on they are waited for.
  await ask(0);
});

/** A Deployment whose image is in no registry, as soon as its pod says so. */
async function stuck(client: Client, name: string): Promise<LiveObject> {
  const labels = { app: name };
  const containers = [{ name: 'main', image: 'web:xxx' }];
  const spec = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } };
  const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name };
  await kubectlApply([{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec }]);
  const kind = (await client.kinds.find('v1', 'Pod'))!;
  const pods = async (): Promise<string> => JSON.stringify(await client.list(kind, { namespace, labelSelector: `app=${name}` }));
  await expect.poll(pods, { timeout: 20_000 }).toContain('ImagePullBackOff');
  return projected((await client.get(reference))!);
}

/** The time is ours, and every listing of pods is counted. */
function watched(real: Client): Client {
  const transport: Client['transport'] = {
    ...real.transport,
    serverNow: () => nowMs,
    request(request) {
      if (request.path.endsWith('/pods')) listings++;
      return real.transport.request(request);
    },
  };
  return { ...real, transport };
}

/** After that time. */
function ask(laterMs: number): ReturnType<PodTroubles['of']> {
  nowMs += laterMs;
  return troubles.of(workloads, new AbortController().signal);
}

it.each([
  ['cuts the connection', { cut: 'before' }],
  ['answers with an error', { status: 500 }],
] as const)('an API server that %s is asked for one workload, and not for the others too', async (_, given) => {
  fault = given;
  expect(await ask(GRACE_MS)).toEqual({ nextMs: nowMs + 2 * GRACE_MS });
  expect(listings).toBe(1);
});

it('a workload whose pods could not be listed is asked for ever more seldom, until there is an answer', async () => {
  workloads.splice(1);
  fault = { status: 500 };
  for (const pauseMs of [GRACE_MS, 2 * GRACE_MS, 4 * GRACE_MS]) {
    const before = listings;
    await ask(pauseMs - 1_000);
    expect(listings).toBe(before);
    expect(await ask(1_000)).toEqual({ nextMs: nowMs + 2 * pauseMs });
    expect(listings).toBe(before + 1);
  }
  fault = {};
  expect(await ask(8 * GRACE_MS)).toMatchObject({ trouble: { state: 'Failed', message: expect.stringContaining('ImagePullBackOff') } });
});

it('what is known of the pods stays while they cannot be listed', async () => {
  workloads.splice(1);
  const { trouble } = await ask(GRACE_MS);
  expect(trouble).toMatchObject({ state: 'Failed', message: expect.stringContaining('ImagePullBackOff') });
  fault = { cut: 'before' };
  expect((await ask(2 * GRACE_MS)).trouble).toEqual(trouble);
  expect(listings).toBe(2);
});
