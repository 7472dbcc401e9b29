import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { API_VERSION } from '#api/names.ts';
import type { ApiFault, ApiRequest } from '#dev/faults/api-proxy.ts';
import { GIT_SECRET } from '#dev/faults/world.ts';
import { commitFiles } from '#dev/git-repository.ts';
import { faultWorld } from '#test/support/fault-world.ts';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';

const world = faultWorld();

/** For what is not to happen. */
const WITNESS_MS = 2_000;

it('an inventory that the API server refuses is a failure of the component and not of each pass', { timeout: 60_000 }, async () => {
  let tries = 0;
  const before = ({ method, path }: ApiRequest): ApiFault | undefined => {
    if (method !== 'PATCH' || !path.includes('configmaps/lateen-refused')) return undefined;
    tries++;
    return { status: 403 };
  };
  world.proxy.hooks = { before };
  await commitFiles(await world.git.createRepository('refused'), 'main', { 'a.yaml': configMapYaml('refused-a') }, { message: 'Begin' });
  const components = [kustomize('a', `${world.git.url}/refused`, { secretRef: GIT_SECRET })];
  const metadata = { name: 'refused', namespace: world.namespace };
  await world.client.apply({ apiVersion: API_VERSION, kind: 'Application', metadata, spec: { components } }, { fieldManager: 'person' });
  await expect.poll(() => tries, { timeout: 20_000 }).toBeGreaterThan(0);
  await sleep(WITNESS_MS);
  const log = await world.agentLog();
  expect(log).toContain('component failed');
  expect(log).not.toContain('pass failed');
  world.proxy.hooks = {};
  const made = { apiVersion: 'v1', kind: 'ConfigMap', namespace: world.namespace, name: 'refused-a' };
  await expect.poll(() => world.client.get(made), { timeout: 30_000 }).toBeDefined();
});
