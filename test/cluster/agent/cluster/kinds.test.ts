import { expect, it, onTestFinished } from 'vitest';
import { createKinds } from '#agent/cluster/kinds.ts';
import { type KubeObject, referenceOf } from '#api/kubernetes.ts';
import { adminConnection, testClient } from '#test/support/api-client.ts';

const CRD = 'apiextensions.k8s.io/v1';

function definition(plural: string, kind: string): KubeObject {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: CRD,
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.kinds.example.com` },
    spec: {
      group: 'kinds.example.com',
      scope: 'Namespaced',
      names: { plural, kind },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

it('finds built-in kinds and their scope', async () => {
  const { kinds } = testClient(await adminConnection());
  expect(await kinds.find('apps/v1', 'Deployment')).toEqual({
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    plural: 'deployments',
    namespaced: true,
    verbs: expect.arrayContaining(['get', 'list', 'watch', 'patch']),
  });
  expect(await kinds.find('v1', 'Namespace')).toMatchObject({ plural: 'namespaces', namespaced: false });
  expect(await kinds.find('apps/v1', 'Nonsense')).toBeUndefined();
});

it('sees a kind that comes later, but asks at most every five seconds', async () => {
  const client = testClient(await adminConnection());
  const crd = definition('gadgets', 'Gadget');
  let now = 0;
  const kinds = createKinds(client.transport, () => now);
  expect(await kinds.find('kinds.example.com/v1', 'Gadget')).toBeUndefined();
  await client.apply(crd);
  onTestFinished(() => client.delete(referenceOf(crd)).then(() => undefined));
  expect(await kinds.find('kinds.example.com/v1', 'Gadget')).toBeUndefined();
  const later = () => {
    now += 5_000;
    return kinds.find('kinds.example.com/v1', 'Gadget');
  };
  await expect.poll(later, { timeout: 10_000 }).toMatchObject({ plural: 'gadgets', namespaced: true });
});

it('shares one discovery between those who ask at the same time', async () => {
  const { transport } = testClient(await adminConnection());
  let requests = 0;
  const counting: typeof transport = {
    ...transport,
    request(request) {
      requests++;
      return transport.request(request);
    },
  };
  const kinds = createKinds(counting);
  await Promise.all([kinds.find('v1', 'Secret'), kinds.find('apps/v1', 'Deployment'), kinds.find('v1', 'Pod')]);
  expect(requests).toBe(2);
});

it('does not call a kind unknown whose API is down', async () => {
  const client = testClient(await adminConnection());
  const service = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.down.example.com' },
    spec: {
      group: 'down.example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
      service: { name: 'nobody', namespace: 'default' },
    },
  };
  await client.apply(service);
  onTestFinished(() => client.delete(referenceOf(service)).then(() => undefined));
  const unknown = {
    reason: 'ClusterUnavailable',
    message: 'the API server cannot say which kinds down.example.com/v1 has: the server behind that API is down',
  };
  const ask = (): Promise<unknown> => createKinds(client.transport).find('down.example.com/v1', 'Thing');
  await expect.poll(() => ask().catch((error: unknown) => error), { timeout: 10_000 }).toMatchObject(unknown);
  // Nor is it said that no other version has it.
  await expect(createKinds(client.transport).served('down.example.com/v1beta1', 'Thing')).rejects.toMatchObject(unknown);
});

it('finds a kind whose version is served no longer in the one that is', async () => {
  const client = testClient(await adminConnection());
  const crd = definition('movers', 'Mover');
  const [v1] = (crd['spec'] as { versions: object[] }).versions;
  const versions = [v1, { ...v1, name: 'v1beta1', storage: false }, { ...v1, name: 'v1alpha1', storage: false, served: false }];
  await client.apply({ ...crd, spec: { ...(crd['spec'] as object), versions } });
  onTestFinished(() => client.delete(referenceOf(crd)).then(() => undefined));
  const ask = (version: string, kind = 'Mover') => createKinds(client.transport).served(`kinds.example.com/${version}`, kind);
  await expect.poll(() => ask('v1beta1'), { timeout: 10_000 }).toMatchObject({ version: 'v1beta1', plural: 'movers' });
  expect(await ask('v1alpha1')).toMatchObject({ version: 'v1', plural: 'movers' });
  expect(await ask('v1', 'Nonsense')).toBeUndefined();
});

it('looks again after the server denied a resource that was known', async () => {
  let now = 0;
  const client = testClient(await adminConnection(), { now: () => (now += 1_000) });
  const crd = definition('fleeting', 'Fleeting');
  await client.apply(crd);
  const reference = { apiVersion: 'kinds.example.com/v1', kind: 'Fleeting', namespace: 'default', name: 'x' };
  await expect.poll(() => client.kinds.find(reference.apiVersion, reference.kind), { timeout: 20_000 }).toBeDefined();
  expect(await client.get(reference)).toBeUndefined();
  await client.delete(referenceOf(crd));
  await expect
    .poll(() => client.get(reference).catch((error: unknown) => error), { timeout: 20_000, interval: 200 })
    .toMatchObject({ reason: 'UnknownKind' });
});
