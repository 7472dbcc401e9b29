import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { kubectl } from '#test/support/namespace.ts';
import { startAudit } from '#test/support/audit.ts';
import { lateen } from '#test/support/lateen.ts';
import { kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

/** Jobs that Kubernetes deletes some time after their end. kwok's node ends the pods of Jobs at once. */

const { repositories, tenant } = tenancy();

const TEST_MS = 60_000;

function jobYaml(name: string, { ttl, step = 'one' }: { ttl?: number; step?: string }): string {
  const template = { metadata: { annotations: { step } }, spec: { containers: [{ name: 'main', image: 'web' }], restartPolicy: 'Never' } };
  const spec = { template, ...(ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }) };
  return JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec });
}

const job = (name: string, path = '{.metadata.uid}'): Promise<string> =>
  kubectl('get', 'job', name, '-n', tenant.namespace, '--ignore-not-found', '-o', `jsonpath=${path}`);
const gone = (name: string): Promise<true> =>
  tenant.eventually('gone', async () => ((await job(name)) === '' ? true : undefined)) as Promise<true>;

it('a Job that has gone by itself is done, also for an agent that starts, and runs again when it changes', {
  timeout: TEST_MS,
}, async () => {
  const repository = await repositories.create('migrate', { 'job.yaml': jobYaml('migrate', { ttl: 1 }) });
  const audit = await startAudit(tenant.namespace);
  await tenant.apply('migrate', [kustomize('a', repository.url)]);
  await tenant.untilRunning('migrate');
  await gone('migrate');
  await tenant.agent.stop();
  await tenant.startAgent();
  await sleep(4_000);
  expect(await job('migrate')).toBe('');
  expect(tenant.service('migrate', 'a')).toMatchObject({ healthy: true });
  expect(tenant.service('migrate', 'a')?.message ?? '').toBe('');
  const tree = await lateen(['tree', 'migrate', '-n', tenant.namespace], { env: { KUBECONFIG: tenant.kubeconfig } });
  expect(tree).toMatchObject({ status: 0, stdout: expect.stringMatching(/Job\/migrate\s+a\s+Current/) });
  const patches = async (): Promise<number> => (await audit.writes()).filter((write) => write === 'patch jobs migrate').length;
  expect(await patches()).toBe(1);

  await repository.push({ 'job.yaml': jobYaml('migrate', { ttl: 600, step: 'two' }) });
  await tenant.eventually('run again', async () => (await job('migrate', '{.spec.template.metadata.annotations.step}')) === 'two');
  await tenant.untilRunning('migrate');
  expect(await patches()).toBe(2);
  expect(await tenant.events('migrate')).not.toContainEqual(expect.stringMatching(/Drift/));

  // What leaves Git while it is gone leaves nothing behind.
  await repository.push({ 'job.yaml': jobYaml('other', { ttl: 600 }) });
  await gone('migrate');
});

it('any other Job that is deleted is put back', { timeout: TEST_MS }, async () => {
  const repository = await repositories.create('plain', { 'job.yaml': jobYaml('plain', {}) });
  await tenant.apply('plain', [kustomize('a', repository.url)]);
  await tenant.untilRunning('plain');
  const uid = await job('plain');
  await kubectl('delete', 'job', 'plain', '-n', tenant.namespace);
  await tenant.eventually('put back', async () => !['', uid].includes(await job('plain')));
});
