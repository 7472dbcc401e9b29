import { describe, expect, it } from 'vitest';
import type { Application } from '#api/application.ts';
import { label } from '#api/names.ts';
import { currentRevision, revisionNumber, snapshot, specHash } from '#agent/revision/snapshot.ts';

function application(image: string, extra: Partial<Application['metadata']> = {}): Application {
  return {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: 'web', namespace: 'default', uid: 'u1', ...extra },
    spec: { components: [{ name: 'web', type: 'webservice', properties: { image } }] },
  };
}

function recorded(image: string, number: number, uid = 'u1') {
  const app = application(image, { uid });
  return snapshot(app, { name: `web-v${number}`, number, hash: specHash(app) });
}

describe('revision numbers', () => {
  it.each([
    ['the first spec', [], 'nginx', 'web-v1', true],
    ['an unchanged spec', [recorded('nginx', 1)], 'nginx', 'web-v1', false],
    ['a changed spec', [recorded('nginx', 1)], 'redis', 'web-v2', true],
    ['a spec that returns to an older one', [recorded('nginx', 1), recorded('redis', 2)], 'nginx', 'web-v3', true],
    ['a revision of an earlier Application of the name', [recorded('nginx', 1, 'gone')], 'nginx', 'web-v2', true],
    ['numbers with a gap', [recorded('nginx', 7)], 'redis', 'web-v8', true],
    ['ten or more', [recorded('a', 9), recorded('nginx', 10)], 'nginx', 'web-v10', false],
  ])('are right for %s', (_name, existing, image, expected, isNew) => {
    const found = currentRevision(application(image), existing);

    expect([found.revision.name, found.isNew]).toEqual([expected, isNew]);
  });

  it('never go below what the status remembers, though the revisions were deleted', () => {
    const app = { ...application('redis'), status: { latestRevision: { name: 'web-v4', revision: 4, revisionHash: 'x' } } };

    expect(currentRevision(app, []).revision.name).toBe('web-v5');
  });

  it('do not make again what was made and has not come back through the watch', () => {
    const made = { name: 'web-v1', number: 1, hash: specHash(application('nginx')) };

    expect(currentRevision(application('nginx'), [], made)).toEqual({ revision: made, isNew: false });
    expect(currentRevision(application('redis'), [], made).revision.name).toBe('web-v2');
  });

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
