import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { inClusterConnection } from '#agent/cluster/connection.ts';
import { adminConnection, testClient } from '#test/support/api-client.ts';
import { createNamespace } from '#test/support/namespace.ts';

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('./idle-process.ts', import.meta.url));

let directory: string;
let namespace: string;

/** What the kubelet mounts into a Pod, with all rights. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lateen-'));
  namespace = await createNamespace({ waitForServiceAccount: true });
  const { ca = '', token } = await adminConnection();
  await writeFile(join(directory, 'ca.crt'), ca);
  await writeFile(join(directory, 'namespace'), namespace);
  await writeFile(join(directory, 'token'), `${await token(false)}\n`);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

function podEnvironment(): Record<string, string> {
  const { hostname, port } = new URL(inject('plane').server);
  return { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, LATEEN_SERVICE_ACCOUNT: directory };
}

it('ends by itself after everything was closed, and is small', async () => {
  // As it is shipped: stripping types at run time costs 35 MB.
  const bundle = join(directory, 'bundle.mjs');
  await build({ entryPoints: [PROGRAM], outfile: bundle, bundle: true, platform: 'node', format: 'esm' });
  const { stdout } = await run(process.execPath, ['--max-semi-space-size=1', bundle, '500'], {
    env: podEnvironment(),
    timeout: 20_000,
  });
  const cost = JSON.parse(stdout) as { gets100Ms: number; rssMb: number; privateMb: number };
  // Measured: 60 MB, 13 of them private, 150 ms for 100 requests one after the other. Node alone: 43 and 6.
  expect(cost.privateMb).toBeLessThan(30);
  expect(cost.gets100Ms).toBeLessThan(3_000);
});

it('speaks as a Pod does, and reads a rotated token after a 401', async () => {
  const connection = inClusterConnection(podEnvironment());
  expect(connection.namespace).toBe(namespace);
  const good = await connection.token(false);
  await writeFile(join(directory, 'token'), 'rotated away');
  const client = testClient(connection);
  const kind = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true, verbs: [] };
  expect(await client.list(kind, { namespace })).toEqual([]);
  expect(await connection.token(true)).toBe('rotated away');
  const refused = client.list(kind, { namespace });
  await expect(refused).rejects.toMatchObject({ status: 401 });
  await writeFile(join(directory, 'token'), `${good}\n`);
  expect(await client.list(kind, { namespace })).toEqual([]);
});
