import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { installCrds } from '#dev/agent-access.ts';
import recordedApplication from '#test/fixtures/oracle/publish-version/application.json' with { type: 'json' };
import recordedRevisions from '#test/fixtures/oracle/publish-version/applicationrevisions.json' with { type: 'json' };
import { createNamespace, kubectl } from '#test/support/namespace.ts';

const application = recordedApplication as unknown as KubeObject;
const revisions = recordedRevisions.items as unknown as KubeObject[];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  await installCrds(inject('plane'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** The object without what a server gave it, in another namespace. An owner of another cluster would have it collected. */
function portable(object: KubeObject, namespace: string): KubeObject {
  const { creationTimestamp: _, generation: _g, resourceVersion: _r, uid: _u, managedFields: _m, ...metadata } = object.metadata;
  const { finalizers: _f, ownerReferences: _o, ...rest } = metadata;
  return { ...object, metadata: { ...rest, namespace } };
}

async function write(name: string, content: unknown): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, JSON.stringify(content));
  return file;
}

/** Creates the object, writes its status, and gives what the API server then holds. */
async function roundTrip(object: KubeObject): Promise<KubeObject> {
  const { kind, metadata } = object;
  const { status, ...rest } = object;
  const { name = '', namespace = '' } = metadata;
  // Raw: kubectl would put a last-applied annotation of its own in the place of the recorded one.
  const path = `/apis/core.oam.dev/v1beta1/namespaces/${namespace}/${kind.toLowerCase()}s`;
  await kubectl('create', '--raw', path, '-f', await write(`${namespace}-${name}.json`, rest));
  const patch = await write(`${namespace}-${name}-status.json`, { status });
  const target = [`${kind.toLowerCase()}.core.oam.dev`, name, '-n', namespace];
  await kubectl('patch', ...target, '--subresource', 'status', '--type', 'merge', '--patch-file', patch);
  return JSON.parse(await kubectl('get', ...target, '-o', 'json')) as KubeObject;
}

/** The rows that kubectl prints, the age masked. */
async function table(namespace: string, kind: string): Promise<string[][]> {
  const rows = (await kubectl('get', kind, '-n', namespace)).trimEnd().split('\n');
  return rows.map((row) => row.split(/ {2,}/).map((cell) => cell.trim().replace(/^\d+(s|m|m\d+s)$/, 'AGE')));
}

describe('the CRDs', () => {
  it('keep an Application as vela-core wrote it', async () => {
    const wanted = portable(application, await createNamespace());
    expect(portable(await roundTrip(wanted), wanted.metadata.namespace ?? '')).toEqual(wanted);
  });

  it.each(revisions.map((revision) => [revision.metadata.name ?? '', revision] as const))(
    'keep the ApplicationRevision %s as vela-core wrote it',
    async (_name, revision) => {
      const wanted = portable(revision, await createNamespace());
      expect(portable(await roundTrip(wanted), wanted.metadata.namespace ?? '')).toEqual(wanted);
    },
  );

  it('print the columns of KubeVela', async () => {
    const namespace = await createNamespace();
    await roundTrip(portable(application, namespace));
    for (const revision of revisions) await roundTrip(portable(revision, namespace));
    expect(await table(namespace, 'app')).toEqual([
      ['NAME', 'COMPONENT', 'TYPE', 'PHASE', 'HEALTHY', 'STATUS', 'AGE'],
      ['podinfo', 'podinfo', 'webservice', 'running', 'true', 'Ready:1/1', 'AGE'],
    ]);
    expect(await table(namespace, 'apprev')).toEqual([
      ['NAME', 'AGE', 'PUBLISH_VERSION', 'SUCCEEDED'],
      ['podinfo-v1', 'AGE', 'alpha1', 'true'],
      ['podinfo-v2', 'AGE', 'alpha2', 'true'],
      ['podinfo-v3', 'AGE', 'beta1', 'true'],
    ]);
    expect((await kubectl('get', 'oam', '-n', namespace, '-o', 'name')).split('\n')).toContain('application.core.oam.dev/podinfo');
  });

  it('keep every field of a component, a policy and a workflow, and drop what KubeVela does not have', async () => {
    const namespace = await createNamespace();
    const step = {
      name: 'one',
      type: 'deploy',
      if: 'always',
      timeout: '1m',
      dependsOn: ['zero'],
      meta: { alias: 'first' },
      inputs: [{ from: 'a', parameterKey: 'b' }],
      outputs: [{ name: 'c', valueFrom: 'd' }],
      properties: { deep: { free: [1, 'two', null] } },
    };
    const spec = {
      components: [
        {
          name: 'web',
          type: 'webservice@v2',
          properties: { deep: { free: true } },
          traits: [{ type: 'scaler', properties: { replicas: 2 } }],
          dependsOn: ['db'],
          inputs: step.inputs,
          outputs: step.outputs,
          externalRevision: 'r1',
          scopes: { health: 'x' },
        },
      ],
      policies: [{ name: 'p', type: 'topology', properties: { clusters: ['local'] } }, { type: 'debug' }],
      workflow: { mode: { steps: 'DAG', subSteps: 'StepByStep' }, steps: [{ ...step, mode: 'DAG', subSteps: [{ ...step, name: 'two' }] }] },
    };
    const component = { ...spec.components[0], replicaKey: 'dropped' };
    const object = {
      apiVersion: 'core.oam.dev/v1beta1',
      kind: 'Application',
      metadata: { name: 'all', namespace },
      spec: { ...spec, components: [component] },
    };
    await kubectl('create', '--validate=false', '-f', await write('all.json', object));
    const live = JSON.parse(await kubectl('get', 'app', 'all', '-n', namespace, '-o', 'json')) as KubeObject;
    expect(live['spec']).toEqual(spec);
  });

  it('refuse an Application without components', async () => {
    const namespace = await createNamespace();
    const object = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name: 'none', namespace }, spec: {} };
    const creating = kubectl('create', '-f', await write('none.json', object));
    await expect(creating).rejects.toThrow('spec.components: Required value');
  });
});
