import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bundle, makeBundle } from '#test/support/bundle.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

let bundle: Bundle;
let repositories: Repositories;
let tenant: Tenant;

beforeAll(async () => {
  bundle = await makeBundle();
  repositories = await startRepositories();
  // The command line of bin/lateen-agent.
  tenant = await startTenant({ program: [process.execPath, '--max-semi-space-size=1', join(bundle.folder, 'lateen-agent.mjs')] });
});

afterAll(async () => {
  await tenant?.close();
  await repositories?.close();
  await bundle?.remove();
});

async function privateMb(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Private_Dirty:\s+(\d+) kB/m.exec(text)?.[1]) / 1024;
}

it('does the main job as it is shipped, and stays small', async () => {
  const { url, push } = await repositories.create('shipped', {
    'plain/map.yaml': configMapYaml('plain'),
    'built/kustomization.yaml': 'resources: [map.yaml]\nnamePrefix: my-\n',
    'built/map.yaml': configMapYaml('built'),
  });
  await tenant.apply('shipped', [kustomize('all', url)]);
  await tenant.untilRunning('shipped');
  for (const name of ['plain', 'my-built']) expect(await tenant.get('ConfigMap', name)).toMatchObject({ data: { key: 'one' } });
  await push({ 'plain/map.yaml': configMapYaml('plain', 'two') });
  await tenant.eventually('the push is in the cluster', async () => {
    const map = await tenant.get('ConfigMap', 'plain');
    return (map?.['data'] as { key?: string } | undefined)?.key === 'two';
  });
  const used = await privateMb(tenant.agent.pid);
  // Measured: 27, with a kubeconfig. From its sources it uses twice as much, since types are stripped at run time.
  expect(used).toBeLessThan(60);
});
