import { describe, expect, it } from 'vitest';
import type { Application, Component } from '#api/application.ts';
import { Failure } from '#api/failure.ts';
import type { KubeObject, ObjectMeta } from '#api/kubernetes.ts';
import { componentTypes, renderComponent, renderHash } from '#agent/render/render.ts';

const component: Component = { name: 'web', type: 'webservice', properties: { image: 'nginx' } };
const revision = { name: 'app-v3', hash: 'fedcba9876543210' };

function applicationWith(metadata: Partial<ObjectMeta>): Application {
  return {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: 'app', namespace: 'tenant', ...metadata },
    spec: { components: [component] },
  };
}

function workload(metadata: Partial<ObjectMeta>, of: Component = component): KubeObject {
  const [object] = renderComponent({ application: applicationWith(metadata), revision, component: of });
  if (!object) throw new Error('nothing was rendered');
  return object;
}

const ownLabels = [
  'app.oam.dev/app-revision-hash',
  'app.oam.dev/appRevision',
  'app.oam.dev/cluster',
  'app.oam.dev/component',
  'app.oam.dev/name',
  'app.oam.dev/namespace',
  'app.oam.dev/resourceType',
  'app.oam.dev/revision',
  'oam.dev/render-hash',
  'workload.oam.dev/type',
];

describe('labels', () => {
  it("are passed on from the Application, but neither ours nor those filtered, and never over the object's own", () => {
    const labels = { team: 'blue', secret: 'x', other: 'y', 'lateen.dev/application': 'parent', 'app.oam.dev/name': 'parent' };
    const annotations = { 'filter.oam.dev/label-keys': 'secret, other' };
    const { metadata } = workload({ labels, annotations });
    expect(Object.keys(metadata.labels ?? {}).sort()).toEqual([...ownLabels, 'team'].sort());
    expect(metadata.labels).toMatchObject({ 'app.oam.dev/name': 'app', team: 'blue' });
    expect(metadata.annotations).toBeUndefined();
  });
});

describe('annotations', () => {
  it('are passed on from the Application, but not what is about the Application itself', () => {
    const annotations = {
      note: 'hello',
      secret: 'x',
      'app.oam.dev/publishVersion': 'v1',
      'app.oam.dev/disable-health-check': 'true',
      'filter.oam.dev/annotation-keys': ' secret',
      'filter.oam.dev/label-keys': 'none',
      'app.oam.dev/inplace-upgrade': 'true',
      'app.oam.dev/controller-version-require': 'lateen',
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
      'app.oam.dev/last-applied-configuration': '{}',
      'app.oam.dev/last-applied-time': '2026-11-24T00:00:00Z',
      'oam.dev/kubevela-version': 'v1.10.0',
      'lateen.dev/reconcile-at': '1',
    };
    expect(workload({ annotations }).metadata.annotations).toEqual({
      note: 'hello',
      'app.oam.dev/publishVersion': 'v1',
      'app.oam.dev/disable-health-check': 'true',
    });
  });
});

describe('the render hash', () => {
  it('is that of the object without it', () => {
    const object = workload({});
    expect(object.metadata.labels?.['oam.dev/render-hash']).toBe(renderHash(object));
  });

  it('is the same for the same component in another key order, and the bytes are', () => {
    const one = workload(
      { labels: { a: '1', b: '2' } },
      { ...component, properties: { image: 'nginx', cpu: '1', env: [{ name: 'A', value: '1' }] } },
    );
    const other = workload(
      { labels: { b: '2', a: '1' } },
      { ...component, properties: { env: [{ value: '1', name: 'A' }], cpu: '1', image: 'nginx' } },
    );
    expect(JSON.stringify(other)).toBe(JSON.stringify(one));
  });

  it('differs with any value', () => {
    expect(renderHash(workload({}))).not.toBe(renderHash(workload({}, { ...component, properties: { image: 'nginx:2' } })));
  });
});

describe('what cannot be rendered', () => {
  it('names the types that can', () => {
    expect(componentTypes).toEqual(['webservice', 'worker']);
    const render = (): unknown => workload({}, { name: 'web', type: 'toString' });
    expect(render).toThrow(Failure);
    expect(render).toThrow(expect.objectContaining({ reason: 'UnknownComponentType', remedy: 'use one of webservice, worker' }));
  });

  it('is refused with its causes', () => {
    const render = (): unknown => workload({}, { name: 'web', type: 'worker', properties: { image: 'nginx', ports: [] } });
    expect(render).toThrow(expect.objectContaining({ reason: 'NotAdmitted' }));
  });
});
