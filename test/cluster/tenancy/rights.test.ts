import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { agentKubeconfig } from '#dev/agent-access.ts';
import { runKubectl } from '#test/support/kubectl.ts';
import { createNamespace, kubectl, kubectlApply } from '#test/support/namespace.ts';
import { kustomize, startRepositories } from '#test/support/repositories.ts';
import { startTenant } from '#test/support/tenant.ts';

/** Two namespaces with the Role of the agent's chart; no agent need run. */

let folder: string;
let a: string;
let b: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  [a, b] = await Promise.all([createNamespace(), createNamespace()]);
  for (const namespace of [a, b]) await agentKubeconfig(inject('plane'), { namespace, file: join(folder, namespace) });
  await kubectlApply([
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'of-b', namespace: b } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: b } },
  ]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('what the attacks ask for, the API server refuses to the rights of the chart', () => {
  const as = (...args: string[]) => runKubectl(...args, `--as=system:serviceaccount:${a}:lateen-agent`);

  it.each([
    'create clusterrolebinding attack --clusterrole=cluster-admin --serviceaccount=A:default',
    'create clusterrole attack --verb=* --resource=*',
    'create namespace attack',
    'create rolebinding attack -n A --clusterrole=cluster-admin --serviceaccount=A:lateen-agent',
    'create role attack -n A --verb=get --resource=secrets',
    'create token lateen-agent -n A',
    'create configmap attack -n B',
    'create secret generic attack -n B',
    'get secret of-b -n B',
    'get configmap settings -n B',
    'delete configmap settings -n B',
    'get applications -n B',
    'get lease lateen-agent -n B',
    'annotate namespace A lateen.dev/allowed-repositories=x',
    'get namespace B',
    'get secrets --all-namespaces',
  ])('%s', async (command) => {
    const args = command.replace(/\bA\b/g, a).replace(/\bB\b/g, b).split(' ');
    const { status, stderr } = await as(...args);
    expect({ status, forbidden: /forbidden/i.test(stderr) }).toEqual({ status: 1, forbidden: true });
  });
});

it('a pod that takes over its node: Pod Security refuses it, in its own words', async () => {
  const verbs = ['get', 'list', 'watch', 'create', 'patch', 'delete'];
  const [repositories, c] = await Promise.all([
    startRepositories(),
    startTenant({ values: { 'rbac.rules': [{ apiGroups: [''], resources: ['pods'], verbs }] } }),
  ]);
  try {
    await kubectl('label', 'namespace', c.namespace, 'pod-security.kubernetes.io/enforce=restricted');
    const containers = [{ name: 'c', image: 'nginx' }];
    const volumes = [{ name: 'root', hostPath: { path: '/' } }];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'attack' }, spec: { hostNetwork: true, containers, volumes } };
    const repository = await repositories.create('privileged', { 'a.yaml': JSON.stringify(pod) });
    await c.apply('privileged', [kustomize('a', repository.url, { pullInterval: '1h' })]);
    await c.until('privileged', 'refused', () => c.service('privileged', 'a')?.details?.['reason'] === 'FORBIDDEN');
    const message = c.service('privileged', 'a')?.message;
    expect(message).toContain('violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)');
    expect(message).toContain('hostPath');
    expect(await kubectl('get', 'pods', '-n', c.namespace, '-o', 'name')).toBe('');
  } finally {
    await Promise.all([c.close(), repositories.close()]);
  }
});
