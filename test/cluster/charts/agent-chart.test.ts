import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { template } from '#test/support/helm.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Asked of the API server, as the agent's ServiceAccount: verb, resource, name, and whether it may. */
const rights: [verb: string, resource: string, answer: 'yes' | 'no'][] = [
  ['patch', 'applications.core.oam.dev', 'yes'],
  ['patch', 'applications.core.oam.dev/status', 'yes'],
  ['update', 'applications.core.oam.dev', 'no'],
  ['get', 'applications.core.oam.dev/status', 'no'],
  ['create', 'applicationrevisions.core.oam.dev', 'yes'],
  ['patch', 'applicationrevisions.core.oam.dev', 'no'],
  ['list', 'workflows.core.oam.dev', 'yes'],
  ['delete', 'configmaps', 'yes'],
  ['watch', 'secrets', 'yes'],
  ['patch', 'deployments.apps', 'yes'],
  ['create', 'events', 'yes'],
  ['patch', 'events', 'no'],
  ['update', 'leases.coordination.k8s.io/lateen-agent', 'yes'],
  ['delete', 'leases.coordination.k8s.io/lateen-agent', 'no'],
  ['update', 'leases.coordination.k8s.io/other', 'no'],
  ['list', 'pods', 'yes'],
  ['get', 'pods', 'no'],
  ['watch', 'pods', 'no'],
  ['create', 'pods', 'no'],
  ['get', 'namespaces/NAMESPACE', 'yes'],
  ['get', 'namespaces/default', 'no'],
  ['patch', 'namespaces/NAMESPACE', 'no'],
  ['list', 'namespaces', 'no'],
  ['create', 'roles.rbac.authorization.k8s.io', 'no'],
  ['patch', 'rolebindings.rbac.authorization.k8s.io', 'no'],
  ['create', 'serviceaccounts/token', 'no'],
  ['impersonate', 'serviceaccounts', 'no'],
  ['get', 'customresourcedefinitions.apiextensions.k8s.io', 'no'],
];

describe('the rights of the agent', () => {
  let namespace: string;

  beforeAll(async () => {
    namespace = await createNamespace();
    const file = join(folder, 'rights.yaml');
    await writeFile(file, await template('lateen-agent', namespace, '--set=deployment.enabled=false'));
    await kubectl('apply', '--server-side', '-f', file);
  });

  async function may(verb: string, resource: string, where: string): Promise<string> {
    const as = `system:serviceaccount:${namespace}:lateen-agent`;
    const [kind = '', second] = resource.replace('NAMESPACE', namespace).split('/');
    const target = second === 'status' || second === 'token' ? [kind, '--subresource', second] : [second ? `${kind}/${second}` : kind];
    const asking = kubectl('auth', 'can-i', verb, ...target, '-n', where, '--as', as);
    // kubectl says no with an exit status of 1.
    return (await asking.catch((error: { stdout: string }) => error.stdout)).trim();
  }

  it.each(rights)('%s %s: %s', async (verb, resource, answer) => {
    expect(await may(verb, resource, namespace)).toBe(answer);
  });

  it('end at its namespace', async () => {
    for (const resource of ['applications.core.oam.dev', 'configmaps', 'secrets', 'deployments.apps']) {
      expect(await may('get', resource, 'default')).toBe('no');
    }
  });
});
