import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { inClusterConnection, kubeconfigConnection } from '#agent/cluster/connection.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function kubeconfig(user: object, cluster: object = {}): Promise<string> {
  const path = join(folder, 'config');
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'here',
        cluster: { server: 'https://127.0.0.1:6443/', 'certificate-authority-data': Buffer.from('CA').toString('base64'), ...cluster },
      },
    ],
    users: [{ name: 'me', user }],
    contexts: [
      { name: 'main', context: { cluster: 'here', user: 'me', namespace: 'team' } },
      { name: 'lost', context: { cluster: 'nowhere', user: 'me' } },
    ],
    'current-context': 'main',
  };
  await writeFile(path, JSON.stringify(content));
  return path;
}

it('reads server, certificates, token and namespace', async () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const path = await kubeconfig(
    { token: 'abc', 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
    { 'tls-server-name': 'api.example.com' },
  );
  const { token, ...rest } = await kubeconfigConnection({ path });
  expect(rest).toEqual({
    server: 'https://127.0.0.1:6443',
    ca: 'CA',
    cert: 'CERT',
    key: 'KEY',
    namespace: 'team',
    serverName: 'api.example.com',
  });
  expect(await token(false)).toBe('abc');
});

it('has no token where there is a certificate only', async () => {
  const connection = await kubeconfigConnection({ path: await kubeconfig({}, { 'insecure-skip-tls-verify': true }) });
  expect(connection.insecure).toBe(true);
  expect(await connection.token(true)).toBeUndefined();
});

it('asks a credential plugin', async () => {
  const credential = JSON.stringify({
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'from-plugin' },
  });
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: '/bin/sh',
    args: ['-c', `echo '${credential}'`],
    interactiveMode: 'Never',
  };
  const { token } = await kubeconfigConnection({ path: await kubeconfig({ exec }) });
  expect(await token(false)).toBe('from-plugin');
});

it('reads a token file', async () => {
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'from-file');
  for (const named of [tokenFile, 'token']) {
    const { token } = await kubeconfigConnection({ path: await kubeconfig({ tokenFile: named }) });
    expect(await token(false)).toBe('from-file');
  }
});

it.each([
  ['a context that is not there', {}, {}, 'other', 'has no context "other"; it has main, lost'],
  ['a context without a cluster', {}, {}, 'lost', 'has no cluster for the context "lost"'],
  ['a user who acts as another one', { as: 'boss' }, {}, undefined, 'asks to act as somebody else (as), which Lateen does not support'],
  ['a proxy', {}, { 'proxy-url': 'http://proxy' }, undefined, 'asks for a proxy (proxy-url), which Lateen does not support'],
  [
    'a server without TLS',
    {},
    { server: 'http://127.0.0.1:8080' },
    undefined,
    'names the server http://127.0.0.1:8080; only https is supported',
  ],
  [
    'a plugin that fails',
    { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/false', interactiveMode: 'Never' } },
    {},
    undefined,
    'gives no credentials: ',
  ],
])('refuses %s', async (_, user, cluster, context, message) => {
  const path = await kubeconfig(user, cluster);
  const reading = kubeconfigConnection({ path, ...(context ? { context } : {}) });
  await expect(reading).rejects.toMatchObject({
    name: 'Failure',
    reason: 'ClusterUnavailable',
    kind: 'stalled',
    message: expect.stringContaining(`the kubeconfig ${path} ${message}`),
  });
});

it('says of a file that is no kubeconfig, or names no context, that it has none', async () => {
  const path = join(folder, 'none');
  for (const text of ['root:x:0:0:root\n', 'apiVersion: v1\nkind: Config\n']) {
    await writeFile(path, text);
    await expect(kubeconfigConnection({ path })).rejects.toThrow(`the kubeconfig ${path} has no current-context`);
  }
});

it('names a file that cannot be read', async () => {
  const path = join(folder, 'missing');
  await expect(kubeconfigConnection({ path })).rejects.toMatchObject({
    reason: 'ClusterUnavailable',
    message: expect.stringContaining(`the kubeconfig ${path} cannot be read: ENOENT`),
  });
});

it('says where a Pod is not one, or has no ServiceAccount', () => {
  expect(() => inClusterConnection({})).toThrow('this is not a Pod (KUBERNETES_SERVICE_HOST is not set) and no kubeconfig was given');
  expect(() => inClusterConnection({ KUBERNETES_SERVICE_HOST: '10.0.0.1', LATEEN_SERVICE_ACCOUNT: folder })).toThrow(
    "the Pod's ServiceAccount is not mounted: ENOENT",
  );
});

it('reads the token and the certificate authority anew', async () => {
  for (const [name, text] of [
    ['ca.crt', 'CA 1'],
    ['namespace', 'team\n'],
    ['token', 'one\n'],
  ] as const)
    await writeFile(join(folder, name), text);
  const connection = inClusterConnection({
    KUBERNETES_SERVICE_HOST: 'fd00::1',
    KUBERNETES_SERVICE_PORT: '6443',
    LATEEN_SERVICE_ACCOUNT: folder,
  });
  expect([connection.server, connection.namespace, connection.ca, await connection.token(false)]).toEqual([
    'https://[fd00::1]:6443',
    'team',
    'CA 1',
    'one',
  ]);
  await writeFile(join(folder, 'ca.crt'), 'CA 2');
  await writeFile(join(folder, 'token'), 'two');
  expect([connection.ca, await connection.token(false), await connection.token(true)]).toEqual(['CA 2', 'one', 'two']);
  await writeFile(join(folder, 'token'), '');
  await expect(connection.token(true)).rejects.toThrow('is empty');
});
