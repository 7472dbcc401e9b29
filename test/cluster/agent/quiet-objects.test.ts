import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startAudit } from '#test/support/audit.ts';
import { kubectl } from '#test/support/namespace.ts';
import { configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

/** What is said and written of objects about which there is nothing to say. */

const { repositories, tenant } = tenancy();

const drift = async (name: string): Promise<string[]> => (await tenant.events(name)).filter((line) => /Drift/.test(line));
const deploymentYaml = (name: string, replicas: number, metadata = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}${metadata}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}, annotations: {}}
    spec: {containers: [{name: web, image: nginx}]}
`;

describe.concurrent('an object', () => {
  it.each([
    ['empty', 'annotations: {}'],
    ['unset', 'annotations: null'],
  ])('with %s maps of metadata in Git does not drift when a controller fills them', async (name, field) => {
    const secret = `apiVersion: v1\nkind: Secret\nmetadata: {name: token-${name}, labels: {}, annotations: {kubernetes.io/service-account.name: default}}\ntype: kubernetes.io/service-account-token\ndata: {}\n`;
    const files = { 'd.yaml': deploymentYaml(name, 1, `, ${field}`), 's.yaml': secret };
    const repository = await repositories.create(name, files);
    await tenant.apply(name, [kustomize('a', repository.url, { drift: 'report' })]);
    await tenant.eventually('filled', async () => {
      const { metadata } = (await tenant.get('Deployment', name)) ?? {};
      return metadata?.annotations?.['deployment.kubernetes.io/revision'] !== undefined;
    });
    await tenant.eventually('issued', async () => (await tenant.get('Secret', `token-${name}`))?.['data'] !== undefined);
    await sleep(2_000);
    expect(await drift(name)).toEqual([]);
    expect(tenant.service(name, 'a')?.details?.['drift']).toBeUndefined();
  });

  it('that is scaled to 0 has been changed, not removed', async () => {
    const repository = await repositories.create('scaled', { 'd.yaml': deploymentYaml('scaled', 1) });
    await tenant.apply('scaled', [kustomize('a', repository.url)]);
    await tenant.untilRunning('scaled');
    await kubectl('scale', 'deployment/scaled', '--replicas=0', '-n', tenant.namespace);
    await tenant.eventually('told', async () => (await drift('scaled'))[0]);
    expect(await drift('scaled')).toEqual([
      'Normal DriftCorrected component a: Deployment/scaled: somebody had changed spec.replicas; put back',
    ]);
  });

  it('with a name that would be another address is refused, and the others are applied', async () => {
    const files = { 'a.yaml': configMapYaml('well-named'), 'b.yaml': configMapYaml('lg/scale'), 'c.yaml': configMapYaml('"100%"') };
    const repository = await repositories.create('names', files);
    await tenant.apply('names', [kustomize('a', repository.url)]);
    await tenant.until('names', 'refused', () => tenant.service('names', 'a')?.details?.['reason'] === 'INVALID_OBJECT');
    expect(tenant.service('names', 'a')?.message).toMatch(
      /^b\.yaml:1: ConfigMap\/lg\/scale has a name that no object can have; .*c\.yaml:1: ConfigMap\/100% has a name/i,
    );
    expect(await tenant.get('ConfigMap', 'well-named')).toBeDefined();
  });

  it('that the API server refuses is told in the order of Git, each time', async () => {
    const files = Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`${index}.yaml`, deploymentYaml(`bad-${index}`, -1)]));
    const repository = await repositories.create('bad', files);
    await tenant.apply('bad', [kustomize('a', repository.url)]);
    const message = (): string => tenant.service('bad', 'a')?.message ?? '';
    await tenant.until('bad', 'refused', () => message().includes('bad-3'));
    expect(
      [...message().matchAll(/Deployment\/bad-(\d)/g)].map(([, index]) => index).filter((one, at, all) => all.indexOf(one) === at),
    ).toEqual(['0', '1', '2', '3']);
  });

  it('that a commit moves to a suspended component stays as it is, and is taken once that goes on', async () => {
    const repository = await repositories.create('moved', {
      'x/a.yaml': configMapYaml('moved-a'),
      'x/b.yaml': configMapYaml('moved-b'),
      'y/c.yaml': configMapYaml('moved-c'),
    });
    const x = kustomize('x', repository.url, { path: './x' });
    const y = (suspend: boolean) => kustomize('y', repository.url, { path: './y', suspend });
    await tenant.apply('moved', [x, y(false)]);
    await tenant.untilRunning('moved');
    await tenant.apply('moved', [x, y(true)]);
    await tenant.until('moved', 'suspended', () => tenant.service('moved', 'y')?.message?.startsWith('suspended') === true);
    const uid = (await tenant.get('ConfigMap', 'moved-a'))?.metadata.uid;
    const commit = await repository.push({ 'x/a.yaml': null, 'y/a.yaml': configMapYaml('moved-a') });
    await tenant.until('moved', 'pulled', () => tenant.service('moved', 'x')?.details?.['commit'] === commit);
    await sleep(2_000);
    expect((await tenant.get('ConfigMap', 'moved-a'))?.metadata.uid).toBe(uid);
    await tenant.apply('moved', [x, y(false)]);
    await tenant.eventually(
      'taken',
      async () => (await tenant.get('ConfigMap', 'moved-a'))?.metadata.labels?.['lateen.dev/component'] === 'y',
    );
    expect((await tenant.get('ConfigMap', 'moved-a'))?.metadata.uid).toBe(uid);
    expect((await tenant.events('moved')).filter((line) => /OwnershipConflict|Pruned/.test(line))).toEqual([]);
  });

  it('and the status of an Application that somebody has written over says again how it stands', async () => {
    const repository = await repositories.create('lied', { 'a.yaml': configMapYaml('lied') });
    await tenant.apply('lied', [kustomize('a', repository.url)]);
    await tenant.untilRunning('lied');
    const status = JSON.stringify(tenant.application('lied')?.status?.services);
    const reference = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace: tenant.namespace, name: 'lied' };
    await tenant.client.mergePatch(reference, { status: { status: 'workflowFailed', services: [] } }, { subresource: 'status' });
    await tenant.until('lied', 'put right', ({ status: now }) => now?.status === 'running' && JSON.stringify(now.services) === status);
  });
});

it('a hand-over between two Applications is no conflict that anybody is told of', async () => {
  const repository = await repositories.create('swap', { 'one/a.yaml': configMapYaml('swap-a'), 'two/b.yaml': configMapYaml('swap-b') });
  const apply = async (name: string, path: string): Promise<unknown> => tenant.apply(name, [kustomize('a', repository.url, { path })]);
  await apply('swap-one', './one');
  await apply('swap-two', './two');
  await tenant.untilRunning('swap-one');
  await tenant.untilRunning('swap-two');
  const audit = await startAudit(tenant.namespace);
  await Promise.all([apply('swap-one', './two'), apply('swap-two', './one')]);
  const owner = async (name: string) => (await tenant.get('ConfigMap', name))?.metadata.labels?.['lateen.dev/application'];
  await tenant.eventually('swapped', async () => (await owner('swap-a')) === 'swap-two' && (await owner('swap-b')) === 'swap-one');
  for (const name of ['swap-one', 'swap-two']) expect((await tenant.events(name)).filter((line) => /Conflict/.test(line))).toEqual([]);
  expect((await audit.writes()).filter((write) => write.startsWith('delete configmaps'))).toEqual([]);
});
