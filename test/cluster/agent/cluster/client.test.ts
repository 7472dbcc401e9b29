import { beforeAll, describe, expect, it } from 'vitest';
import { ApiError } from '#agent/cluster/client.ts';
import { toFailure } from '#agent/cluster/failure.ts';
import { type KubeObject, referenceOf } from '#api/kubernetes.ts';
import { adminConnection, configMap, powerlessConnection, testClient } from '#test/support/api-client.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';

let namespace: string;
const admin = async () => testClient(await adminConnection());

beforeAll(async () => {
  namespace = await createNamespace({ waitForServiceAccount: true });
});

async function failureOf(work: Promise<unknown>, doing: string) {
  const error = await work.then(
    () => expect.unreachable('it was not refused'),
    (thrown: unknown) => thrown,
  );
  return toFailure(error, doing);
}

function deployment(name: string, spec: Record<string, unknown> = {}): KubeObject {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'nginx' }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { replicas: 0, selector: { matchLabels: labels }, template, ...spec },
  };
}

describe('one object', () => {
  it('is created, read, patched and deleted', async () => {
    const client = await admin();
    const object = configMap(namespace, { a: '1' });
    const created = await client.create(object);
    expect(created['data']).toEqual({ a: '1' });
    const patched = await client.mergePatch(referenceOf(object), { data: { b: '2' } });
    expect(patched['data']).toEqual({ a: '1', b: '2' });
    expect(await client.get(referenceOf(object))).toEqual(patched);
    expect(await client.delete(referenceOf(object))).toBe('deleted');
    expect(await client.get(referenceOf(object))).toBeUndefined();
    expect(await client.delete(referenceOf(object))).toBe('gone');
  });

  it('is not created by a dry run', async () => {
    const client = await admin();
    const object = configMap(namespace);
    expect((await client.create(object, { dryRun: true })).metadata.uid).toBeTypeOf('string');
    expect((await client.apply(object, { dryRun: true })).metadata.uid).toBeTypeOf('string');
    expect(await client.get(referenceOf(object))).toBeUndefined();
  });

  it('has its status patched apart from its spec', async () => {
    const client = await admin();
    const name = 'status';
    await client.apply({
      apiVersion: 'core.oam.dev/v1beta1',
      kind: 'Application',
      metadata: { name, namespace },
      spec: { components: [] },
    });
    const reference = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace, name };
    const patched = await client.mergePatch(
      reference,
      { status: { status: 'running' }, spec: { components: [{ name: 'a', type: 'b' }] } },
      { subresource: 'status' },
    );
    expect([patched['status'], patched['spec']]).toEqual([{ status: 'running' }, { components: [] }]);
  });
});

describe('server-side apply', () => {
  it('creates, changes, and leaves what is as it should be', async () => {
    const client = await admin();
    const object = configMap(namespace, { a: '1' });
    const created = await client.apply(object);
    const same = await client.apply(object);
    expect(same.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
    const changed = await client.apply({ ...object, data: { b: '2' } });
    expect(changed['data']).toEqual({ b: '2' });
    expect(changed.metadata.resourceVersion).not.toBe(created.metadata.resourceVersion);
    expect(changed.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([['lateen', 'Apply']]);
  });

  it('takes a field over from another manager, and reports the conflict when it must not', async () => {
    const client = await admin();
    const object = configMap(namespace, { a: '1' });
    await client.apply(object, { fieldManager: 'someone' });
    const changed = { ...object, data: { a: '2' } };
    const failure = await failureOf(client.apply(changed, { force: false }), 'apply it');
    expect(failure).toMatchObject({ reason: 'ApplyFailed', kind: 'transient' });
    expect((await client.apply(changed))['data']).toEqual({ a: '2' });
  });

  it('names a field that the schema does not have', async () => {
    const client = await admin();
    const failure = await failureOf(client.apply(deployment('typo', { replica: 1 })), 'apply Deployment/typo');
    expect(failure).toMatchObject({ reason: 'ApplyFailed', kind: 'stalled' });
    expect(failure.sentence).toBe(
      'apply Deployment/typo: the schema has no field .spec.replica; correct the spelling or take the field out',
    );
  });

  it('names the fields of a value that is not allowed', async () => {
    const client = await admin();
    const failure = await failureOf(client.apply(deployment('negative', { replicas: -1 })), 'apply Deployment/negative');
    expect(failure).toMatchObject({ reason: 'ApplyFailed', kind: 'stalled', remedy: 'correct the manifest' });
    expect(failure.causes).toEqual([
      { path: 'spec.replicas', code: 'ApplyFailed', message: 'Invalid value: -1: must be greater than or equal to 0' },
    ]);
  });

  it('says what to do about a field that cannot be changed', async () => {
    const client = await admin();
    await client.apply(deployment('fixed'));
    const failure = await failureOf(
      client.apply(
        deployment('fixed', {
          selector: { matchLabels: { app: 'other' } },
          template: { metadata: { labels: { app: 'other' } }, spec: { containers: [{ name: 'main', image: 'nginx' }] } },
        }),
      ),
      'apply Deployment/fixed',
    );
    expect(failure).toMatchObject({ kind: 'stalled', remedy: 'take the change back, or delete the object so that it is made anew' });
  });
});

describe('deletion', () => {
  it('leaves an object with another UID', async () => {
    const client = await admin();
    const object = configMap(namespace);
    await client.create(object);
    expect(await client.delete(referenceOf(object), { uid: '11111111-1111-1111-1111-111111111111' })).toBe('gone');
    const live = await client.get(referenceOf(object));
    expect(await client.delete(referenceOf(object), { uid: live?.metadata.uid ?? '' })).toBe('deleted');
  });

  it('does not call a conflict about the resource version gone', async () => {
    const client = await admin();
    const object = configMap(namespace);
    const { metadata } = await client.create(object);
    const deletion = client.delete(referenceOf(object), { uid: metadata.uid ?? '', resourceVersion: '1' });
    await expect(deletion).rejects.toMatchObject({ name: 'ApiError', status: 409 });
  });
});

describe('a list', () => {
  it('has all pages, with kind and apiVersion on each object', async () => {
    const client = await admin();
    const own = await createNamespace();
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await client.create(configMap(own, {}, name));
    const kind = await client.kinds.find('v1', 'ConfigMap');
    if (!kind) return expect.unreachable('ConfigMap is not known');
    const found = await client.list(kind, { namespace: own, limit: 2, fieldSelector: 'metadata.name!=kube-root-ca.crt' });
    expect(found.map(({ apiVersion, kind, metadata }) => [apiVersion, kind, metadata.name])).toEqual(
      names.map((name) => ['v1', 'ConfigMap', name]),
    );
    expect(await client.list(kind, { namespace: own, labelSelector: 'a=b' })).toEqual([]);
  });
});

describe('a refusal', () => {
  it('for a missing right names it and the rule to add', async () => {
    const client = testClient(await powerlessConnection(namespace));
    const failure = await failureOf(client.apply(deployment('forbidden')), 'apply Deployment/forbidden');
    expect(failure).toMatchObject({ reason: 'Forbidden', kind: 'transient' });
    expect(failure.sentence).toBe(
      `apply Deployment/forbidden: the agent may not patch deployments.apps in the namespace ${namespace}; ` +
        'add {"apiGroups":["apps"],"resources":["deployments"],"verbs":["get","list","watch","create","patch","delete"]} to the agent\'s Role (value rbac.rules of the chart lateen-agent)',
    );
  });

  it('of a Role that grants more than the one who applies it has lists what is missing', async () => {
    await kubectl('create', 'serviceaccount', 'granter', '-n', namespace);
    await kubectl('create', 'role', 'granter', '-n', namespace, '--verb=get,create,patch', '--resource=roles.rbac.authorization.k8s.io');
    await kubectl('create', 'rolebinding', 'granter', '-n', namespace, '--role=granter', `--serviceaccount=${namespace}:granter`);
    const token = (await kubectl('create', 'token', 'granter', '-n', namespace)).trim();
    const client = testClient({ ...(await adminConnection()), token: () => Promise.resolve(token) });
    const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }];
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'more', namespace }, rules };
    const failure = await failureOf(client.apply(role), 'apply Role/more');
    expect(failure.reason).toBe('RoleExceedsAgent');
    expect(failure.sentence).toMatch(
      /^apply Role\/more: it grants rights that the agent does not have itself: .*"secrets".*; add these rights to the agent's Role too/s,
    );
  });

  it('in a namespace that is being deleted says so', async () => {
    const client = await admin();
    const dying = await createNamespace();
    const blocker = configMap(dying);
    blocker.metadata.finalizers = ['lateen.dev/test'];
    await client.create(blocker);
    await kubectl('delete', 'namespace', dying, '--wait=false');
    const failure = await failureOf(client.apply(configMap(dying)), 'apply ConfigMap/x');
    await client.mergePatch(referenceOf(blocker), { metadata: { finalizers: null } });
    expect(failure).toMatchObject({ reason: 'Forbidden', message: `apply ConfigMap/x: the namespace ${dying} is being deleted` });
  });

  it('of the credentials says so', async () => {
    const connection = await adminConnection();
    const fresh: boolean[] = [];
    const wrong = testClient({
      ...connection,
      token: async (again) => {
        fresh.push(again);
        return 'nonsense';
      },
    });
    const failure = await failureOf(wrong.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'x' }), 'read ConfigMap/x');
    expect(failure).toMatchObject({
      reason: 'ClusterUnavailable',
      message: 'read ConfigMap/x: the API server does not accept the credentials (401)',
    });
    expect(fresh).toContain(true);
  });
});

it('uses a new token after a 401, once', async () => {
  const connection = await adminConnection();
  const asked: boolean[] = [];
  const client = testClient({
    ...connection,
    token(fresh) {
      asked.push(fresh);
      return fresh ? connection.token(false) : Promise.resolve('expired');
    },
  });
  const { status } = await client.transport.request({ method: 'GET', path: '/api/v1/namespaces' });
  expect([status, asked]).toEqual([200, [false, true]]);
});

it('tells an unknown kind from a missing object', async () => {
  const client = await admin();
  const unknown = client.get({ apiVersion: 'example.com/v1', kind: 'Widget', namespace, name: 'x' });
  await expect(unknown).rejects.toMatchObject({ name: 'Failure', reason: 'UnknownKind' });
});

it('says that nobody answers, and that a certificate is not trusted', async () => {
  const connection = await adminConnection();
  const nobody = testClient({ ...connection, server: 'https://127.0.0.1:1' });
  const read = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'x' };
  expect(await failureOf(nobody.get(read), 'read ConfigMap/x')).toMatchObject({
    reason: 'ClusterUnavailable',
    message:
      'read ConfigMap/x: the API server cannot be reached (no answer from the API server https://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1)',
  });
  const { ca: _, ...untrusting } = connection;
  const failure = await failureOf(testClient(untrusting).get(read), 'read ConfigMap/x');
  expect(failure).toMatchObject({ reason: 'ClusterUnavailable', remedy: 'check the certificate authority of the connection' });
});

it('keeps status, reason and what was asked in an ApiError', async () => {
  const client = testClient(await powerlessConnection(namespace));
  const kind = { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true, verbs: [] };
  const error = await client.list(kind, { namespace }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 403, reason: 'Forbidden', asked: { verb: 'list', resource: 'secrets', group: '', namespace } });
});
