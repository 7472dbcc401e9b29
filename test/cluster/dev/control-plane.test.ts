import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, inject, it } from 'vitest';
import { callApi } from '#dev/api-server.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';

const run = promisify(execFile);

async function tokenApi(namespace: string): Promise<{ server: string; ca: string; token: string }> {
  const { server, caFile } = inject('plane');
  const token = (await kubectl('create', 'token', 'default', '-n', namespace)).trim();
  return { server, ca: await readFile(caFile, 'utf8'), token };
}

it('refuses a token without any Role, and lets it in with one', async () => {
  const namespace = await createNamespace({ waitForServiceAccount: true });
  const api = await tokenApi(namespace);
  const path = `/api/v1/namespaces/${namespace}/configmaps`;

  const refused = await callApi(api, path);
  expect(refused.status).toBe(403);
  expect(JSON.parse(refused.body)).toMatchObject({ kind: 'Status', reason: 'Forbidden' });

  await kubectl('create', 'role', 'reader', '-n', namespace, '--verb=list', '--resource=configmaps');
  await kubectl('create', 'rolebinding', 'reader', '-n', namespace, '--role=reader', `--serviceaccount=${namespace}:default`);
  await expect.poll(async () => (await callApi(api, path)).status, { timeout: 5_000 }).toBe(200);
});

it('refuses a token that it did not make', async () => {
  const { server, caFile } = inject('plane');
  const api = { server, ca: await readFile(caFile, 'utf8'), token: 'made-up' };
  expect((await callApi(api, '/api/v1/namespaces')).status).toBe(401);
});

it('makes a Deployment 1/1', async () => {
  const namespace = await createNamespace();
  await kubectl('create', 'deployment', 'web', '-n', namespace, '--image=nginx');
  const ready = (): Promise<string> => kubectl('get', 'deployment', 'web', '-n', namespace, '-o', 'jsonpath={.status.readyReplicas}');
  await expect.poll(ready, { timeout: 10_000 }).toBe('1');
});

it('gives a Service an address of the /12', async () => {
  const namespace = await createNamespace();
  await kubectl('create', 'service', 'clusterip', 'web', '-n', namespace, '--tcp=80');
  const address = await kubectl('get', 'service', 'web', '-n', namespace, '-o', 'jsonpath={.spec.clusterIP}');
  expect(address).toMatch(/^10\.([0-9]|1[0-5])\.\d+\.\d+$/);
});

it('writes an audit log with user, verb and user agent, and without bodies', async () => {
  const { auditLog, kubeconfig, programs } = inject('plane');
  const namespace = await createNamespace();
  const marker = `lateen-audit-${namespace}`;
  await kubectl('create', 'configmap', marker, '-n', namespace, '--from-literal=key=value');
  const entry = async (): Promise<Record<string, unknown> | undefined> => {
    const lines = (await readFile(auditLog, 'utf8')).split('\n').filter((line) => line.includes(`"name":"${marker}"`));
    return lines[0] === undefined ? undefined : (JSON.parse(lines[0]) as Record<string, unknown>);
  };
  await expect.poll(entry, { timeout: 5_000 }).toMatchObject({
    level: 'Metadata',
    verb: 'create',
    user: { username: 'admin' },
    userAgent: expect.stringContaining('kubectl'),
  });
  expect(await entry()).not.toHaveProperty('requestObject');
  const { stdout } = await run(programs.kubectl, ['--kubeconfig', kubeconfig, 'version', '-o', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({ serverVersion: { major: '1', minor: '35' } });
});

it('refuses an ownerReference that blocks deletion to someone who may not set it', async () => {
  const namespace = await createNamespace({ waitForServiceAccount: true });
  await kubectl('create', 'role', 'writer', '-n', namespace, '--verb=create', '--resource=configmaps');
  await kubectl('create', 'rolebinding', 'writer', '-n', namespace, '--role=writer', `--serviceaccount=${namespace}:default`);
  const api = await tokenApi(namespace);
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: '1', blockOwnerDeletion: true };
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned', ownerReferences: [owner] } };
  const create = async (): Promise<string> =>
    (await callApi(api, `/api/v1/namespaces/${namespace}/configmaps`, { method: 'POST', body })).body;
  await expect.poll(create, { timeout: 5_000 }).toContain('cannot set blockOwnerDeletion');
});
