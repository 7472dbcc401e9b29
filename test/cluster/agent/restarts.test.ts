import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { kubectl } from '#test/support/namespace.ts';
import { kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';
/** Over this a watch has told of any change, and drift was put back. */
const SETTLED_MS = 2_500;

const { repositories, tenant } = tenancy();

/** As `kubectl get -o yaml` gives it after a restart. */
const exported = (name: string, restartedAt: string, image = 'nginx'): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 1
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}, annotations: {${RESTARTED_AT}: "${restartedAt}"}}
    spec: {containers: [{name: web, image: ${image}}]}
`;

interface Template {
  metadata: { annotations: Record<string, string> };
  spec: { containers: { image: string }[] };
}

async function template(name: string): Promise<Template | undefined> {
  return ((await tenant.get('Deployment', name))?.['spec'] as { template: Template } | undefined)?.template;
}

const restartedAt = async (name: string): Promise<string | undefined> => (await template(name))?.metadata.annotations[RESTARTED_AT];
const drift = async (name: string): Promise<string[]> => (await tenant.events(name)).filter((line) => /Drift/.test(line));
const inNamespace = (...args: string[]): Promise<string> => kubectl(...args, '-n', tenant.namespace);

it('leaves a restart alone where Git has the annotation too, and sets its value when Git changes it', async () => {
  const name = 'exported';
  const repository = await repositories.create(name, { 'a.yaml': exported(name, '2026-01-01T00:00:00Z') });
  await tenant.apply(name, [kustomize('a', repository.url)]);
  await tenant.untilRunning(name);
  expect(await restartedAt(name)).toBe('2026-01-01T00:00:00Z');

  await inNamespace('rollout', 'restart', `deployment/${name}`);
  const restarted = await restartedAt(name);
  expect(restarted).not.toBe('2026-01-01T00:00:00Z');
  await sleep(SETTLED_MS);
  expect([await restartedAt(name), await drift(name)]).toEqual([restarted, []]);

  // Nor does an agent that begins anew take it for drift.
  await tenant.agent.kill();
  await tenant.startAgent();
  await tenant.untilRunning(name);
  await sleep(SETTLED_MS);
  expect([await restartedAt(name), await drift(name)]).toEqual([restarted, []]);

  await repository.push({ 'a.yaml': exported(name, '2026-02-02T00:00:00Z') });
  await tenant.eventually('set', async () => (await restartedAt(name)) === '2026-02-02T00:00:00Z');
  expect(await drift(name)).toEqual([]);
});

it('still puts back what else somebody changes of such an object', async () => {
  const name = 'edited';
  const repository = await repositories.create(name, { 'a.yaml': exported(name, '2026-01-01T00:00:00Z') });
  await tenant.apply(name, [kustomize('a', repository.url)]);
  await tenant.untilRunning(name);
  await inNamespace('rollout', 'restart', `deployment/${name}`);
  await inNamespace('set', 'image', `deployment/${name}`, 'web=redis');
  await tenant.eventually('put back', async () => (await template(name))?.spec.containers[0]?.image === 'nginx');
});
