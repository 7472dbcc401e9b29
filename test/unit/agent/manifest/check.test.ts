import { expect, it } from 'vitest';
import { type BuiltObject, checkObjects } from '#agent/manifest/check.ts';
import type { KubeObject } from '#api/kubernetes.ts';

const CLUSTER = new Set(['Namespace', 'ClusterRole', 'CustomResourceDefinition']);
const UNKNOWN = new Set(['extensions/v1beta1 Ingress', 'apps/v1 deployment', 'example.com/v1 Widget']);
const options = {
  namespace: 'team-a',
  scope: async (apiVersion: string, kind: string) =>
    UNKNOWN.has(`${apiVersion} ${kind}`) ? undefined : { namespaced: !CLUSTER.has(kind) },
};

function built(object: unknown, line = 1): BuiltObject {
  return { object: object as KubeObject, origin: { file: 'a.yaml', line } };
}

function configMap(metadata: Record<string, unknown>, more: Record<string, unknown> = {}): unknown {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...more };
}

async function causes(...objects: unknown[]): Promise<string[]> {
  const checked = await checkObjects(
    objects.map((object, index) => built(object, index + 1)),
    options,
  );
  return checked.causes.map(({ code, file, line, message, remedy }) => `${code} ${file}:${line} ${message}; ${remedy}`);
}

it('sets the namespace, and takes off what only the API server writes', async () => {
  const object = configMap(
    {
      name: 'a',
      uid: 'u',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: null,
      managedFields: [],
      selfLink: '/',
      labels: { a: 'b' },
    },
    { data: { x: '1' }, status: { phase: 'x' } },
  );
  const given = built(object, 3);
  expect(await checkObjects([given], options)).toEqual({
    objects: [
      {
        object: configMap({ name: 'a', labels: { a: 'b' }, namespace: 'team-a' }, { data: { x: '1' } }),
        origin: { file: 'a.yaml', line: 3 },
      },
    ],
    causes: [],
  });
  expect(given.object.metadata.uid).toBe('u');
});

it.each(['team-a', '', null])('takes the namespace %j', async (namespace) => {
  const { objects } = await checkObjects([built(configMap({ name: 'a', namespace }))], options);
  expect(objects.map(({ object }) => object.metadata)).toEqual([{ name: 'a', namespace: 'team-a' }]);
});

it('tells all mistakes together, with file, line and remedy', async () => {
  expect(
    await causes(
      configMap({ name: 'a', namespace: 'kube-system' }),
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'r' } },
      { apiVersion: 'extensions/v1beta1', kind: 'Ingress', metadata: { name: 'i' } },
      configMap({}),
      configMap({ generateName: 'x-' }),
      configMap({ name: 5 }),
      configMap({ name: 'b', labels: { on: true }, annotations: { port: 80, fine: 'x' } }),
    ),
  ).toEqual([
    'NamespaceForbidden a.yaml:1 ConfigMap/a is for the namespace "kube-system", the Application is in team-a; remove metadata.namespace, or put an Application into that namespace',
    'ClusterScoped a.yaml:2 ClusterRole/r is cluster-scoped; remove it: the agent works in one namespace, and an administrator applies cluster-wide objects',
    'UnknownKind a.yaml:3 the API server does not know Ingress in extensions/v1beta1; did you mean apiVersion: networking.k8s.io/v1, kind: Ingress?',
    'NameRequired a.yaml:4 ConfigMap has no metadata.name; set metadata.name',
    'NameRequired a.yaml:5 ConfigMap has generateName and no name, so that each pull would make another one; set metadata.name',
    'NameRequired a.yaml:6 ConfigMap has no metadata.name; write the name as a text, in quotes',
    'InvalidObject a.yaml:7 metadata.labels[on] of ConfigMap/b is a boolean and must be a text; quote it',
    'InvalidObject a.yaml:7 metadata.annotations[port] of ConfigMap/b is a number and must be a text; quote it',
  ]);
});

it.each([
  ['apps/v1', 'deployment', 'did you mean apiVersion: apps/v1, kind: Deployment?'],
  ['example.com/v1', 'Widget', 'correct apiVersion and kind, or ask an administrator to install its CustomResourceDefinition'],
])('helps with the unknown kind %s %s', async (apiVersion, kind, remedy) => {
  expect(await causes({ apiVersion, kind, metadata: { name: 'a' } })).toEqual([
    `UnknownKind a.yaml:1 the API server does not know ${kind} in ${apiVersion}; ${remedy}`,
  ]);
});

it('finds the same object twice, in whatever version and spelling of the namespace', async () => {
  const autoscaler = (version: string, namespace?: string): unknown => ({
    apiVersion: `autoscaling/${version}`,
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'a', namespace },
  });
  expect(await causes(autoscaler('v1'), autoscaler('v2', 'team-a'), configMap({ name: 'a' }))).toEqual([
    'DuplicateObject a.yaml:2 HorizontalPodAutoscaler/a is there twice: first in a.yaml:1; remove one of the two',
  ]);
});

it.each([
  ['different', 'x'],
  ['alike', 'y'],
])('lets none of two pass that are %s: nobody knows which one is meant', async (_, value) => {
  const all = [configMap({ name: 'a' }, { data: { k: 'y' } }), configMap({ name: 'b' }), configMap({ name: 'a' }, { data: { k: value } })];
  const { objects, causes: found } = await checkObjects(
    all.map((object) => built(object)),
    options,
  );
  expect(found.map(({ code }) => code)).toEqual(['DuplicateObject']);
  expect(objects.map(({ object }) => object.metadata.name)).toEqual(['b']);
});

it.each([
  ['v1', 'Binding'],
  ['policy/v1', 'Eviction'],
  ['authentication.k8s.io/v1', 'TokenRequest'],
  ['v1', 'Event'],
])('refuses the request %s %s', async (apiVersion, kind) => {
  expect(await causes({ apiVersion, kind, metadata: { name: 'a' } })).toEqual([
    `InvalidObject a.yaml:1 ${kind}/a is a request and no object that can be kept in sync; remove it`,
  ]);
});

it('refuses an object over 1 MiB', async () => {
  expect(await causes(configMap({ name: 'a' }, { data: { x: 'y'.repeat(1024 * 1024) } }))).toEqual([
    'TooLarge a.yaml:1 ConfigMap/a has 1048654 bytes, the limit is 1048576; split it',
  ]);
});

it('keeps __proto__ as it is', async () => {
  const object = JSON.parse(
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","annotations":{"__proto__":"x"}},"__proto__":{"polluted":true}}',
  ) as unknown;
  const { objects } = await checkObjects([built(object)], options);
  expect(JSON.stringify(objects[0]?.object)).toContain('"__proto__":{"polluted":true}');
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

it('asks for each kind once', async () => {
  const asked: string[] = [];
  const scope = async (apiVersion: string, kind: string): Promise<{ namespaced: boolean }> => {
    asked.push(`${apiVersion} ${kind}`);
    return { namespaced: true };
  };
  await checkObjects([built(configMap({ name: 'a' })), built(configMap({ name: 'b' }))], { namespace: 'team-a', scope });
  expect(asked).toEqual(['v1 ConfigMap']);
});

it('refuses what belongs to the agent itself: its inventories, its rights, its lease', async () => {
  const own = (apiVersion: string, kind: string, name = 'lateen-agent') => ({ apiVersion, kind, metadata: { name } });
  const refused = [
    own('v1', 'ConfigMap', 'lateen-infra'),
    own('v1', 'ServiceAccount'),
    own('rbac.authorization.k8s.io/v1', 'Role'),
    own('rbac.authorization.k8s.io/v1', 'RoleBinding'),
    own('apps/v1', 'Deployment'),
    own('coordination.k8s.io/v1', 'Lease'),
  ];
  const all = await causes(...refused, own('v1', 'ConfigMap', 'lateen'), own('v1', 'Service'));
  expect(all).toHaveLength(refused.length);
  expect(all[0]).toBe('AgentProtected a.yaml:1 ConfigMap/lateen-infra has a name that belongs to the agent itself; give it another name');
});
