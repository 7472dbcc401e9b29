import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { API_VERSION } from '#api/names.ts';
import type { ApiFault, ApiRequest } from '#dev/faults/api-proxy.ts';
import { GIT_SECRET } from '#dev/faults/world.ts';
import { commitFiles } from '#dev/git-repository.ts';
import { faultWorld } from '#test/support/fault-world.ts';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';

/** Writes that the API server refuses for good, as a policy or a quota does, and what goes on all the same. */

const world = faultWorld();

const TIMEOUT_MS = 60_000;
/** For what is not to happen. */
const WITNESS_MS = 2_000;

const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: world.namespace, name });
const application = (name: string) => ({ ...configMap(name), apiVersion: API_VERSION, kind: 'Application' });

/** Resolves to how often it was refused by now. */
function refuse(method: string, name: string): () => number {
  let times = 0;
  const before = (request: ApiRequest): ApiFault | undefined => {
    if (request.method !== method || !request.path.includes(`configmaps/${name}`)) return undefined;
    times++;
    return { status: 403 };
  };
  world.proxy.hooks = { before };
  return () => times;
}

/** One component that follows a repository with one ConfigMap, NAME-a. */
async function apply(name: string): Promise<void> {
  await commitFiles(await world.git.createRepository(name), 'main', { 'a.yaml': configMapYaml(`${name}-a`) }, { message: 'Begin' });
  const components = [kustomize('a', `${world.git.url}/${name}`, { secretRef: GIT_SECRET })];
  const { apiVersion, kind, namespace } = application(name);
  await world.client.apply({ apiVersion, kind, metadata: { name, namespace }, spec: { components } }, { fieldManager: 'person' });
}

async function untilMade(name: string): Promise<void> {
  await expect.poll(() => world.client.get(configMap(`${name}-a`)), { timeout: 30_000 }).toBeDefined();
}

it('of an inventory is a failure of the component and not of each pass', { timeout: TIMEOUT_MS }, async () => {
  const refused = refuse('PATCH', 'lateen-unwritten');
  await apply('unwritten');
  await expect.poll(refused, { timeout: 20_000 }).toBeGreaterThan(0);
  await sleep(WITNESS_MS);
  const log = await world.agentLog();
  expect(log).toContain('component failed');
  expect(log).not.toContain('pass failed');
  world.proxy.hooks = {};
  await untilMade('unwritten');
});

it('of a placeholder leaves it where it is', { timeout: TIMEOUT_MS }, async () => {
  const { apiVersion, kind, namespace, name } = configMap('waiting-for-lateen.kept');
  const refused = refuse('DELETE', name);
  await world.agent.kill();
  await apply('kept');
  await world.client.create({ apiVersion, kind, metadata: { name, namespace, labels: { 'app.oam.dev/name': 'kept' } } });
  const appliedResources = [{ apiVersion, kind, namespace, name }];
  await world.client.mergePatch(application('kept'), { status: { appliedResources } }, { subresource: 'status' });
  await world.startAgent();
  await untilMade('kept');
  expect(refused()).toBeGreaterThan(0);
  expect(await world.client.get(configMap(name))).toBeDefined();
  world.proxy.hooks = {};
});
