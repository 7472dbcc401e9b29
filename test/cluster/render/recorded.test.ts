import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { comparable, recordedObjects, recordingNames, renderedObjects } from '#test/fixtures/oracle/recordings.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Written by the cluster after the apply: left out of the recordings too. */
function asRecorded(live: KubeObject): KubeObject {
  const { status: _status, ...object } = live;
  const { 'deployment.kubernetes.io/revision': _revision, ...annotations } = object.metadata.annotations ?? {};
  const { clusterIP: _ip, clusterIPs: _ips, ...spec } = object['spec'] as Record<string, unknown> & { ports?: object[] };
  const ports = spec.ports?.map(({ nodePort: _port, ...port }: { nodePort?: number }) => port);
  return comparable({ ...object, metadata: { ...object.metadata, annotations }, spec: { ...spec, ...(ports ? { ports } : {}) } });
}

async function readBack(object: KubeObject, namespace: string): Promise<KubeObject> {
  const text = await kubectl('get', object.kind, object.metadata.name ?? '', '-n', namespace, '-o', 'json');
  return JSON.parse(text) as KubeObject;
}

it.each(recordingNames)('%s: applied, it is the object that KubeVela made', async (name) => {
  const namespace = await createNamespace();
  const rendered = renderedObjects(name, namespace);
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: rendered }));
  await kubectl('apply', '--server-side', '--field-manager', 'lateen', '-f', file);
  const live = await Promise.all(rendered.map((object) => readBack(object, namespace)));
  expect(live.map(asRecorded)).toEqual(recordedObjects(name, namespace));
});

it('changes nothing when it is applied again', async () => {
  const namespace = await createNamespace();
  const [deployment] = renderedObjects('vols', namespace);
  if (!deployment) throw new Error('nothing was rendered');
  const file = join(folder, 'again.json');
  await writeFile(file, JSON.stringify(deployment));
  await kubectl('apply', '--server-side', '--field-manager', 'lateen', '-f', file);
  const before = await readBack(deployment, namespace);
  await kubectl('apply', '--server-side', '--field-manager', 'lateen', '-f', file);
  const after = await readBack(deployment, namespace);
  expect(after.metadata.generation).toBe(before.metadata.generation);
});
