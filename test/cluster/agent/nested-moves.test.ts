import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { lateen } from '#test/support/lateen.ts';
import { configMapYaml, kustomize, type Repositories } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

/** Objects that move to a nested Application which comes with the same commit. */

const { repositories, tenant } = tenancy();

const uidOf = async (name: string): Promise<string | undefined> => (await tenant.get('ConfigMap', name))?.metadata.uid;
const ownerOf = async (name: string): Promise<string | undefined> =>
  (await tenant.get('ConfigMap', name))?.metadata.labels?.['lateen.dev/application'];

const reconcile = async (name: string): Promise<void> => {
  const { status } = await lateen(['reconcile', name, '-n', tenant.namespace, '--kubeconfig', tenant.kubeconfig]);
  expect(status).toBe(0);
};

/** An Application `NAME-one` of the folder one, in a repository whose folder apps an Application NAME applies. */
async function outer(
  name: string,
): Promise<{ repository: Awaited<ReturnType<Repositories['create']>>; application: (inner: string) => string }> {
  const repository = await repositories.create(name, { 'README.md': '' });
  const application = (inner: string): string =>
    JSON.stringify({
      apiVersion: 'core.oam.dev/v1beta1',
      kind: 'Application',
      metadata: { name: `${name}-${inner}` },
      spec: { components: [kustomize('a', repository.url, { path: `./${inner}` })] },
    });
  const files = ['x', 'y', 'z'].map((one) => [`one/${one}.yaml`, configMapYaml(`${name}-${one}`)] as const);
  await repository.push({ 'apps/one.yaml': application('one'), ...Object.fromEntries(files) });
  await tenant.apply(name, [kustomize('a', repository.url, { path: './apps' })]);
  await tenant.untilRunning(name);
  await tenant.untilRunning(`${name}-one`);
  return { repository, application };
}

/** Nobody can make an Application of that name until the test is over, or the answer is called. */
async function forbid(name: string): Promise<() => Promise<void>> {
  const { client, namespace } = tenant;
  const api = { apiVersion: 'admissionregistration.k8s.io/v1' };
  const metadata = { name: `${namespace}-${name}` };
  const rule = { apiGroups: ['core.oam.dev'], apiVersions: ['*'], resources: ['applications'], operations: ['CREATE', 'UPDATE'] };
  const expression = `object.metadata.namespace != "${namespace}" || object.metadata.name != "${name}"`;
  const spec = { matchConstraints: { resourceRules: [rule] }, validations: [{ expression }] };
  await client.create({ ...api, kind: 'ValidatingAdmissionPolicy', metadata, spec });
  const binding = { policyName: metadata.name, validationActions: ['Deny'] };
  await client.create({ ...api, kind: 'ValidatingAdmissionPolicyBinding', metadata, spec: binding });
  const probe = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name, namespace }, spec: { components: [] } };
  const answer = (): Promise<string> => client.create(probe, { dryRun: true }).then(() => 'made', String);
  const remove = async (): Promise<void> => {
    for (const kind of ['ValidatingAdmissionPolicyBinding', 'ValidatingAdmissionPolicy'])
      await client.delete({ ...api, kind, ...metadata });
  };
  onTestFinished(remove);
  // The API server learns of a policy, and of its end, a moment later.
  await tenant.eventually('denied', async () => (await answer()).includes('denied'));
  return async () => {
    await remove();
    await tenant.eventually('made', async () => (await answer()) === 'made');
  };
}

it.concurrent('one file moves: it keeps its UID', async () => {
  const { repository, application } = await outer('moves');
  const uid = await uidOf('moves-x');
  await repository.push({ 'one/x.yaml': null, 'two/x.yaml': configMapYaml('moves-x'), 'apps/two.yaml': application('two') });
  await tenant.eventually('taken over', async () => (await ownerOf('moves-x')) === 'moves-two');
  await tenant.untilRunning('moves-two');
  expect(await uidOf('moves-x')).toBe(uid);
});

it.concurrent('the API server refuses the Application: what moves stays until it is there, what has left Git goes all the same', async () => {
  const { repository, application } = await outer('barred');
  const uid = await uidOf('barred-x');
  const allow = await forbid('barred-two');
  await repository.push({
    'one/x.yaml': null,
    'one/z.yaml': null,
    'two/x.yaml': configMapYaml('barred-x'),
    'apps/two.yaml': application('two'),
  });
  await tenant.until('barred', 'refused', () => tenant.service('barred', 'a')?.healthy === false);
  await tenant.eventually('pruned', async () => (await uidOf('barred-z')) === undefined);
  const message = () => tenant.service('barred-one', 'a')?.message ?? '';
  await tenant.until('barred-one', 'told what waits', () => message() !== '');
  expect(message()).toBe('ConfigMap/barred-x has left Git here and stays, since another component may have it once it has come to its end');
  expect(await uidOf('barred-x')).toBe(uid);
  await allow();
  await reconcile('barred');
  await tenant.eventually('taken over', async () => (await ownerOf('barred-x')) === 'barred-two');
  expect(await uidOf('barred-x')).toBe(uid);
});

it.concurrent('a whole component moves to an Application that is refused: it stays until that is there', async () => {
  const repository = await repositories.create('whole', {});
  const application = (name: string, components: string[]): string =>
    JSON.stringify({
      apiVersion: 'core.oam.dev/v1beta1',
      kind: 'Application',
      metadata: { name },
      spec: { components: components.map((one) => kustomize(one, repository.url, { path: `./${one}` })) },
    });
  const folders = { 'first/f.yaml': configMapYaml('whole-f'), 'second/s.yaml': configMapYaml('whole-s') };
  await repository.push({ ...folders, 'apps/from.yaml': application('whole-from', ['first', 'second']) });
  await tenant.apply('whole', [kustomize('a', repository.url, { path: './apps' })]);
  await tenant.untilRunning('whole-from');
  const uid = await uidOf('whole-s');
  const allow = await forbid('whole-to');
  await repository.push({ 'apps/from.yaml': application('whole-from', ['first']), 'apps/to.yaml': application('whole-to', ['second']) });
  await tenant.until('whole', 'refused', () => tenant.service('whole', 'a')?.healthy === false);
  await sleep(6_000);
  expect(await uidOf('whole-s')).toBe(uid);
  await allow();
  await reconcile('whole');
  await tenant.eventually('taken over', async () => (await ownerOf('whole-s')) === 'whole-to');
  expect(await uidOf('whole-s')).toBe(uid);
});
