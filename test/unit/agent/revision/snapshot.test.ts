import { describe, expect, it } from 'vitest';
import type { Application, PolicyObject, WorkflowObject } from '#api/application.ts';
import { label } from '#api/names.ts';
import { externalsOf, NO_EXTERNALS, resolved } from '#agent/revision/externals.ts';
import { contentHash, recordedSpec, revisionNumber, snapshot, specHash } from '#agent/revision/snapshot.ts';

function application(image: string, extra: Partial<Application['metadata']> = {}): Application {
  return {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: 'web', namespace: 'default', uid: 'u1', ...extra },
    spec: { components: [{ name: 'web', type: 'webservice', properties: { image } }] },
  };
}

describe('revision numbers', () => {
  it.each([
    ['web-v3', 3],
    ['web-v03', undefined],
    ['web-v', undefined],
    ['web-v3-v4', undefined],
    ['webb-v3', undefined],
  ])('reads %s as %s', (name, number) => {
    expect(revisionNumber('web', name)).toBe(number);
  });
});

describe('snapshot', () => {
  it('keeps the spec and the metadata of the Application, and none of our own labels and annotations', () => {
    const app = application('nginx', {
      labels: { team: 'blue', 'lateen.dev/application': 'parent' },
      annotations: {
        note: 'hello',
        'app.oam.dev/publishVersion': 'alpha1',
        'lateen.dev/reconcile-at': 'now',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
      },
    });
    const revision = { name: 'web-v1', number: 1, hash: 'abcdef0123456789' };

    expect(snapshot(app, revision)).toEqual({
      apiVersion: 'core.oam.dev/v1beta1',
      kind: 'ApplicationRevision',
      metadata: {
        name: 'web-v1',
        namespace: 'default',
        labels: { team: 'blue', [label.appName]: 'web', [label.appRevisionHash]: 'abcdef0123456789' },
        annotations: { note: 'hello', 'app.oam.dev/publishVersion': 'alpha1' },
        ownerReferences: [{ apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', name: 'web', uid: 'u1', controller: true }],
      },
      spec: {
        application: {
          apiVersion: 'core.oam.dev/v1beta1',
          kind: 'Application',
          metadata: {
            name: 'web',
            namespace: 'default',
            labels: { team: 'blue' },
            annotations: { note: 'hello', 'app.oam.dev/publishVersion': 'alpha1' },
          },
          spec: app.spec,
          status: {},
        },
        compression: {},
      },
    });
  });

  it('hashes the spec alone, whatever the order of its keys', () => {
    const left = application('nginx');
    const right = { ...left, spec: { components: [{ properties: { image: 'nginx' }, type: 'webservice', name: 'web' }] } };

    expect(specHash(left)).toBe(specHash(right));
    expect(specHash(left)).toMatch(/^[0-9a-f]{16}$/);
    expect(specHash(left)).not.toBe(specHash(application('redis')));
  });
});

describe('what an Application names elsewhere', () => {
  const app: Application = {
    ...application('nginx'),
    spec: { components: [{ name: 'web', type: 'webservice', properties: { image: 'nginx' } }], workflow: { ref: 'deploy' } },
  };
  const policy = (image: string): PolicyObject => ({
    apiVersion: 'core.oam.dev/v1alpha1',
    kind: 'Policy',
    metadata: { name: 'other', namespace: 'default', resourceVersion: '7' },
    type: 'override',
    properties: { components: [{ name: 'web', properties: { image } }] },
  });
  const workflow: WorkflowObject = {
    apiVersion: 'core.oam.dev/v1alpha1',
    kind: 'Workflow',
    metadata: { name: 'deploy', namespace: 'default', uid: 'x' },
    steps: [{ name: 'deploy', type: 'deploy', properties: { policies: ['other'] } }],
  };
  const found = (image: string) => externalsOf(app.spec, { policy: () => policy(image), workflow: () => workflow });

  it('is found, and what is missing is named with its place', () => {
    expect(found('a').missing).toEqual([]);
    expect(Object.keys(found('a').externals.policies)).toEqual(['other']);
    const { missing } = externalsOf(app.spec, { policy: () => undefined, workflow: () => workflow });
    expect(missing.map(({ code, path }) => [code, path])).toEqual([['PolicyNotFound', 'spec.workflow.steps[0].properties.policies[0]']]);
    expect(externalsOf(app.spec, { policy: () => undefined, workflow: () => undefined }).missing.map(({ code }) => code)).toEqual([
      'WorkflowNotFound',
    ]);
  });

  it('is part of the digest and of the snapshot, which gives it back ready to run', () => {
    const { externals } = found('a');
    const hash = contentHash(app.spec, externals);
    expect(hash).not.toBe(contentHash(app.spec, found('b').externals));
    const object = snapshot(app, { name: 'web-v1', number: 1, hash }, { externals, requestedBy: 'ada' });
    expect(object.metadata.annotations).toEqual({ 'lateen.dev/requested-by': 'ada' });
    expect(Object.keys((object['spec'] as { policies: object }).policies)).toEqual(['default/other']);
    expect(recordedSpec(JSON.parse(JSON.stringify(object)) as typeof object)).toEqual({
      written: app.spec,
      spec: resolved(app.spec, externals),
      hash,
    });
    expect(resolved(app.spec, externals).policies).toEqual([{ name: 'other', type: 'override', properties: policy('a').properties }]);
  });

  it('changes nothing of a spec that names nothing', () => {
    const { spec } = application('nginx');
    expect(resolved(spec, NO_EXTERNALS)).toBe(spec);
  });
});
