import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { bundledAgent } from '#dev/faults/agent.ts';
import type { ApiFault, ApiProxy, ApiRequest } from '#dev/faults/api-proxy.ts';
import { Story } from '#dev/faults/story.ts';
import { writeName } from '#dev/faults/traffic.ts';
import type { Wanted } from '#dev/faults/wanted.ts';
import { type Companion, openWorld, type World } from '#dev/faults/world.ts';

/** Two agents in one namespace by mistake: which of them has written what is told by the proxy that each has to itself. */

const TIMEOUT_MS = 120_000;
const LEASE = { 'lease-duration': '2s' };

let folder: string;
let command: readonly string[];
let world: World;
let second: Companion;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  command = await bundledAgent(join(folder, 'agent'));
}, TIMEOUT_MS);

beforeEach(async () => {
  world = await openWorld(inject('plane'), command, { ...LEASE, identity: 'first' });
  second = await world.anotherAgent({ ...LEASE, identity: 'second' });
}, TIMEOUT_MS);

afterEach(async () => {
  world.agent.thaw();
  await second?.close();
  await world?.close();
}, TIMEOUT_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

const many = (value: string): Wanted => ({
  components: { a: 'x' },
  folders: { x: Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`ConfigMap/many-${index}`, value])) },
});

/** Every write that comes through, in order; `fault` may do something to requests. */
function record(proxy: ApiProxy, into: string[], fault: (request: ApiRequest) => ApiFault | undefined = () => undefined): void {
  proxy.hooks = {
    before(request) {
      if (request.write) into.push(writeName(request));
      return fault(request);
    },
  };
}

const isLease = ({ method, path }: ApiRequest): boolean => method !== 'GET' && path.includes('/leases');

it(
  'the one that was stopped in the middle of a run beyond its lease writes nothing more when it goes on',
  async () => {
    const story = new Story(world, 'many');
    await story.want(many('one'));
    await story.converged();

    const writes: string[] = [];
    record(world.proxy, writes, (request) => {
      // Sixteen are on the wire, the others wait for their turn.
      if (/configmaps\/many-\d+$/.test(writeName(request)) && writes.length === 3) world.agent.freeze();
      return undefined;
    });
    const taken: string[] = [];
    record(second.proxy, taken);
    await story.want(many('two'));
    await expect.poll(() => taken.length, { timeout: 60_000 }).toBeGreaterThan(0);
    await story.converged();
    await sleep(500);

    const before = writes.length;
    expect(before).toBeLessThan(60);
    world.agent.thaw();
    await sleep(4_000);
    expect(writes.slice(before)).toEqual([]);
    expect(await world.shown()).toContain('the Lease');
    await story.want(many('three'));
    await story.converged();
    expect(writes.slice(before)).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  'the one that cannot renew its lease starts no write once another may act, not even one that it was asked to repeat later',
  async () => {
    const story = new Story(world, 'many');
    await story.want(many('one'));
    await story.converged();

    const order: string[] = [];
    let asked = 0;
    world.proxy.hooks = {
      before(request) {
        // From the moment at which one write waits.
        if (isLease(request) && asked > 0) return { status: 500 };
        if (!request.write) return undefined;
        order.push(`first ${writeName(request)}`);
        if (!writeName(request).endsWith('/many-7') || asked++ > 0) return undefined;
        return { status: 429, retryAfterSeconds: 5 };
      },
    };
    second.proxy.hooks = {
      before(request) {
        if (request.write) order.push(`second ${writeName(request)}`);
        return undefined;
      },
    };
    await story.want(many('two'));
    await story.converged();
    await sleep(6_000);
    expect(asked).toBe(1);
    const last = order.findLastIndex((line) => line.startsWith('first'));
    const next = order.findIndex((line) => line.startsWith('second'));
    expect(last).toBeGreaterThanOrEqual(0);
    expect(next).toBeGreaterThan(last);
  },
  TIMEOUT_MS,
);
