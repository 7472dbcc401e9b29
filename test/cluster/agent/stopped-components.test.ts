import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { annotation } from '#api/names.ts';
import { programs } from '#dev/programs.ts';
import { type Registry, startRegistry } from '#dev/registry.ts';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

/** A component that is stopped in the middle of a run. */

const { repositories, tenant } = tenancy();

let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-registry-'));
  registry = await startRegistry({ crane: (await programs(['crane'])).crane, folder });
  await registry.push('org/web', ['v1']);
});

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function scans(): Promise<number> {
  const page = await (await fetch(`${tenant.agent.healthUrl}/metrics`)).text();
  return [...page.matchAll(/^lateen_agent_image_scans_total\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

it('a component that is stopped while it waits for a pull follows no images afterwards', async () => {
  const repository = await repositories.create('waits', { 'a.yaml': configMapYaml('waits') });
  const imageRepository = { image: `${registry.host}/org/web`, interval: '1s', policy: { alphabetical: { order: 'asc' } } };
  const components = [kustomize('a', repository.url, { imageRepository })];
  await tenant.apply('waits', components);
  await tenant.untilRunning('waits');
  const before = await scans();
  await tenant.eventually('scanned again', async () => (await scans()) > before);
  repositories.server.setFault('waits', { hang: true });
  await tenant.apply('waits', components, { annotations: { [annotation.reconcileAt]: 'now' } });
  await sleep(1_500);
  await tenant.delete('Application', 'waits');
  await tenant.eventually('gone', async () => (await tenant.get('ConfigMap', 'waits')) === undefined);
  // A scan may be under way.
  await sleep(1_000);
  const last = await scans();
  await sleep(3_000);
  expect(await scans()).toBe(last);
});
