import { beforeAll, describe, expect, it } from 'vitest';
import { toFailure } from '#agent/cluster/failure.ts';
import type { Failure } from '#api/failure.ts';
import { adminConnection, testClient } from '#test/support/api-client.ts';
import { createNamespace } from '#test/support/namespace.ts';

const ANEW = 'take the change back, or delete the object so that it is made anew';
const ORPHAN = 'take the change back, or delete the StatefulSet with --cascade=orphan so that it is made anew';

let namespace: string;
let objects = 0;

beforeAll(async () => {
  namespace = await createNamespace({ waitForServiceAccount: true });
});

type Body = Record<string, unknown>;

/** What the API server says of the second form of an object. */
async function refused(apiVersion: string, kind: string, forms: [Body, Body]): Promise<Failure> {
  const client = testClient(await adminConnection());
  const metadata = { name: `one-${++objects}`, namespace };
  await client.apply({ apiVersion, kind, metadata, ...forms[0] });
  const error = await client.apply({ apiVersion, kind, metadata, ...forms[1] }).then(
    () => expect.unreachable('it was not refused'),
    (thrown: unknown) => thrown,
  );
  return toFailure(error, `apply ${kind}/${metadata.name}`);
}

const pod = (image = 'nginx', more: Body = {}): Body => ({ containers: [{ name: 'main', image }], ...more });
const withPods = (app: string, more: Body = {}): Body => ({
  spec: { selector: { matchLabels: { app } }, template: { metadata: { labels: { app } }, spec: pod() }, ...more },
});
const jobOf = (image: string): Body => ({ spec: { template: { spec: pod(image, { restartPolicy: 'Never' }) } } });
const service = (more: Body = {}): Body => ({ spec: { ports: [{ port: 80 }], ...more } });
const claimed = (storage: string, more: Body = {}): Body => ({
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...more },
});
const bound = (name: string): Body => ({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name } });
const data = (a: string): Body => ({ immutable: true, data: { a } });

describe('a field that stays as it was made', () => {
  it.each<[string, string, string, [Body, Body]]>([
    ['roleRef', 'rbac.authorization.k8s.io/v1', 'RoleBinding', [bound('a'), bound('b')]],
    ['a selector', 'apps/v1', 'Deployment', [withPods('a', { replicas: 0 }), withPods('b', { replicas: 0 })]],
    ['a selector', 'apps/v1', 'DaemonSet', [withPods('a'), withPods('b')]],
    ['the Pods', 'batch/v1', 'Job', [jobOf('nginx'), jobOf('redis')]],
    ['clusterIP', 'v1', 'Service', [service(), service({ clusterIP: 'None' })]],
    [
      'loadBalancerClass',
      'v1',
      'Service',
      [service({ type: 'LoadBalancer' }), service({ type: 'LoadBalancer', loadBalancerClass: 'a.example/b' })],
    ],
    ['data', 'v1', 'ConfigMap', [data('1'), data('2')]],
    ['immutable', 'v1', 'ConfigMap', [data('1'), { ...data('1'), immutable: false }]],
    ['data', 'v1', 'Secret', [data('MQ=='), data('Mg==')]],
    ['type', 'v1', 'Secret', [{ type: 'Opaque' }, { type: 'example.com/other' }]],
    ['the spec', 'v1', 'Pod', [{ spec: pod() }, { spec: pod('nginx', { restartPolicy: 'Never' }) }]],
    ['the containers', 'v1', 'Pod', [{ spec: pod() }, { spec: pod('nginx', { initContainers: [{ name: 'first', image: 'nginx' }] }) }]],
    ['scopes', 'v1', 'ResourceQuota', [{ spec: { hard: { pods: '9' } } }, { spec: { hard: { pods: '9' }, scopes: ['Terminating'] } }]],
  ])('%s of %s %s: the object may be made anew', async (_, apiVersion, kind, forms) => {
    expect(await refused(apiVersion, kind, forms)).toMatchObject({ reason: 'ApplyFailed', kind: 'stalled', remedy: ANEW });
  });

  it.each<[string, [Body, Body]]>([
    ['serviceName', [withPods('a', { replicas: 0, serviceName: 'a' }), withPods('a', { replicas: 0, serviceName: 'b' })]],
    ['a selector', [withPods('a', { replicas: 0 }), withPods('b', { replicas: 0 })]],
  ])('%s of a StatefulSet: its Pods are left', async (_, forms) => {
    expect((await refused('apps/v1', 'StatefulSet', forms)).remedy).toBe(ORPHAN);
  });

  it.each<[string, [Body, Body]]>([
    ['accessModes', [claimed('1Gi'), claimed('1Gi', { accessModes: ['ReadWriteMany'] })]],
    ['volumeMode', [claimed('1Gi'), claimed('1Gi', { volumeMode: 'Block' })]],
    ['less storage', [claimed('2Gi'), claimed('1Gi')]],
  ])('%s of a PersistentVolumeClaim: nobody is told to delete what holds data', async (_, forms) => {
    expect((await refused('v1', 'PersistentVolumeClaim', forms)).remedy).toBe('take the change back');
  });
});

it('is told from a value that is not allowed', async () => {
  const forms: [Body, Body] = [service(), service({ type: 'Nonsense' })];
  expect((await refused('v1', 'Service', forms)).remedy).toBe('correct the manifest');
});
