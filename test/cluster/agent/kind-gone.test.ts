import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createClient } from '#agent/cluster/client.ts';
import { kubeconfigConnection } from '#agent/cluster/connection.ts';
import { silentLog } from '#core/log.ts';
import { installCrds } from '#dev/agent-access.ts';
import { type ControlPlane, startControlPlane } from '#dev/control-plane.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

const run = promisify(execFile);
const CRD = 'customresourcedefinition/applications.core.oam.dev';

/** One of our own: the kind is taken away under everybody who uses the control plane. */
let plane: ControlPlane;
let folder: string;
let tenant: Tenant;
let repositories: Repositories;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  const { programs } = inject('plane');
  plane = await startControlPlane({ directory: join(folder, 'plane'), programs, kwok: false });
  await installCrds(plane);
  const client = createClient(await kubeconfigConnection({ path: plane.kubeconfig }), { log: silentLog, userAgent: 'lateen-test' });
  const elsewhere = { namespace: 'default', client, plane: { ...plane, programs } };
  [repositories, tenant] = await Promise.all([startRepositories(), startTenant({ elsewhere })]);
});

afterAll(async () => {
  await tenant?.close();
  await repositories?.close();
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

function kubectl(...args: string[]): Promise<unknown> {
  return run(plane.programs.kubectl, ['--kubeconfig', plane.kubeconfig, ...args], { timeout: 30_000 });
}

it('removes nothing when the kind Application is deleted, and goes on with the same objects when it is back', async () => {
  const { url } = await repositories.create('survivor', { 'a.yaml': configMapYaml('survivor') });
  const components = [kustomize('a', url)];
  await tenant.apply('survivor', components);
  await tenant.untilRunning('survivor');
  const before = await tenant.get('ConfigMap', 'survivor');

  // While a finalizer holds one object back, the definition is terminating and still there (403); then it is gone (404).
  await tenant.apply('holder', [], { finalizers: ['test.example/hold'] });
  await kubectl('delete', CRD, '--wait=false');
  await tenant.eventually('gone', async () => tenant.application('survivor') === undefined);
  await tenant.eventually('said', async () =>
    (await tenant.agent.log()).includes('the kind Application was taken away: nothing is removed'),
  );
  expect(await tenant.get('ConfigMap', 'survivor')).toEqual(before);

  await kubectl('patch', 'application', 'holder', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
  await kubectl('wait', '--for=delete', CRD, '--timeout=20s');
  expect(await tenant.get('ConfigMap', 'survivor')).toEqual(before);

  await installCrds(plane);
  const { metadata } = await tenant.apply('survivor', components);
  await tenant.until('survivor', 'running again', (one) => one.metadata.uid === metadata.uid && one.status?.status === 'running');
  expect((await tenant.get('ConfigMap', 'survivor'))?.metadata.uid).toBe(before?.metadata.uid);
  expect(await tenant.get('ConfigMap', 'lateen-survivor')).toBeDefined();

  // And a deletion that is meant is carried out as ever.
  await tenant.delete('Application', 'survivor');
  await tenant.eventually('removed', async () => (await tenant.get('ConfigMap', 'survivor')) === undefined);
});

it('nor when the kind is gone at once, nor by an agent that starts while it is away or after it has come back', async () => {
  const { url } = await repositories.create('stranded', { 'a.yaml': configMapYaml('stranded') });
  await tenant.apply('stranded', [kustomize('a', url)]);
  await tenant.untilRunning('stranded');
  await tenant.apply('unseen', [kustomize('a', (await repositories.create('unseen', { 'a.yaml': configMapYaml('unseen') })).url)]);
  await tenant.untilRunning('unseen');
  await kubectl('delete', CRD);
  const inventory = async (name: string): Promise<string> => JSON.stringify((await tenant.get('ConfigMap', `lateen-${name}`))?.['data']);
  await tenant.eventually('marked', async () => (await inventory('stranded')).includes('stranded\\":true'));

  await tenant.agent.kill();
  const starting = tenant.startAgent();
  await tenant.eventually('waiting', async () => /does not know Application/.test(await tenant.agent.log()));
  await installCrds(plane);
  await starting;
  await tenant.eventually('told', async () => /nothing is removed until it is applied again.*unseen/.test(await tenant.agent.log()));
  for (const name of ['stranded', 'unseen']) expect(await tenant.get('ConfigMap', name)).toBeDefined();

  // Its word counts again once it is applied again, for an agent that is away when it goes too.
  await tenant.apply('stranded', [kustomize('a', url)]);
  await tenant.untilRunning('stranded');
  await tenant.eventually('unmarked', async () => !(await inventory('stranded')).includes('stranded\\":true'));
  await tenant.agent.kill();
  await tenant.delete('Application', 'stranded');
  await tenant.startAgent();
  await tenant.eventually('removed', async () => (await tenant.get('ConfigMap', 'stranded')) === undefined);
  expect(await tenant.get('ConfigMap', 'unseen')).toBeDefined();
});

it('an Application whose policy is of a kind that is not there yet goes on once both are', async () => {
  await kubectl('delete', 'customresourcedefinition/policies.core.oam.dev');
  const { url } = await repositories.create('named', { 'a.yaml': configMapYaml('named') });
  const steps = [{ name: 'deploy', type: 'deploy', properties: { policies: ['here'] } }];
  await tenant.apply('named', { components: [kustomize('a', url)], workflow: { steps } });
  const reason = () => tenant.application('named')?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
  await tenant.until('named', 'refused', () => reason() === 'PolicyNotFound');
  await installCrds(plane);
  const metadata = { name: 'here', namespace: 'default' };
  const policy = { apiVersion: 'core.oam.dev/v1alpha1', kind: 'Policy', metadata, type: 'override', properties: { components: [] } };
  await tenant.eventually('made', () => tenant.client.create(policy).then(Boolean, () => false));
  await tenant.untilRunning('named');
});
