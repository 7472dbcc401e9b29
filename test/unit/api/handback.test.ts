import { describe, expect, it } from 'vitest';
import type { Application } from '#api/application.ts';
import { handedBackStatus, isFromParent, isHeld, released, withoutClaim } from '#api/handback.ts';
import type { KubeObject, ManagedFieldsEntry } from '#api/kubernetes.ts';

const CLAIM = 'app.oam.dev/controller-version-require';
const NOW = '2026-01-01T00:00:00Z';
const owner = { application: 'a', component: 'c' };
const OURS = { 'lateen.dev/application': 'a', 'lateen.dev/component': 'c' };

const applied: ManagedFieldsEntry = { manager: 'lateen', operation: 'Apply', fieldsV1: { 'f:spec': {} } };
const others: ManagedFieldsEntry = { manager: 'kube-controller-manager', operation: 'Update', subresource: 'status' };

function object(metadata: KubeObject['metadata']): KubeObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', uid: 'u', resourceVersion: '7', ...metadata } };
}

function application(metadata: Partial<Application['metadata']>, status?: Application['status']): Application {
  const spec = { components: [] };
  const all = { name: 'a', namespace: 'n', resourceVersion: '7', ...metadata };
  return { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: all, spec, ...(status ? { status } : {}) };
}

describe('an object that is let go of', () => {
  it('loses our labels and our fields, and keeps those of others', () => {
    const labels = { ...OURS, 'app.oam.dev/name': 'a' };
    expect(released(object({ labels, managedFields: [applied, others] }), owner)).toEqual({
      metadata: {
        resourceVersion: '7',
        labels: { 'lateen.dev/application': null, 'lateen.dev/component': null },
        managedFields: [others],
      },
    });
  });

  it('has nobody for its fields where they were all ours: an empty list would leave them', () => {
    expect(released(object({ managedFields: [applied] }), owner)).toMatchObject({ metadata: { managedFields: [{}] } });
  });

  it('costs nothing the second time', () => {
    expect(released(object({ labels: { team: 'x' }, managedFields: [others] }), owner)).toBeUndefined();
  });

  it.each([
    ['the one that was applied', { labels: OURS }, 'u', true],
    ['one of the same name', { labels: OURS }, 'other', false],
    ['one that another component has by now', { labels: { ...OURS, 'lateen.dev/component': 'd' } }, 'u', false],
    ['one whose labels are gone already', {}, 'u', true],
    ['one that was about to be made and has our labels', { labels: OURS }, undefined, true],
    ['one that was about to be made and was there before', {}, undefined, false],
  ])('is %s', (_which, metadata, uid, held) => {
    expect(isHeld(object(metadata), { ...owner, uid })).toBe(held);
  });
});

describe('an Application that is given back', () => {
  const running = {
    status: 'running' as const,
    observedGeneration: 3,
    latestRevision: { name: 'a-v2', revision: 2, revisionHash: 'x' },
    workflow: { mode: 'DAG', suspend: false, terminated: false, finished: true, status: 'succeeded' },
    conditions: [{ type: 'Admitted', status: 'True' as const, reason: 'Available', lastTransitionTime: NOW }],
  };

  it('keeps nothing of our status but its last revision, so that vela-core runs the workflow once', () => {
    const patch = handedBackStatus(application({}, running), NOW);
    expect(patch?.status).toMatchObject({ status: null, observedGeneration: null, workflow: null });
    expect(patch?.status).not.toHaveProperty('latestRevision');
    expect(patch?.status['conditions']).toMatchObject([{ type: 'Ready', status: 'False', reason: 'HandedBack' }]);
    const { latestRevision } = running;
    expect(handedBackStatus(application({}, { latestRevision, conditions: patch?.status['conditions'] as never }), NOW)).toBeUndefined();
  });

  it('loses claim and requests, keeps the mark and what the webhook goes by, and hides those from its objects', () => {
    const annotations = {
      [CLAIM]: 'lateen',
      'lateen.dev/handed-back': NOW,
      'lateen.dev/publish-version': 'auto',
      'lateen.dev/reconcile-at': NOW,
      'lateen.dev/hold': 'a-v1',
      note: 'x',
    };
    const { metadata } = withoutClaim(application({ annotations })) as { metadata: { annotations: Record<string, string | null> } };
    expect(metadata).toMatchObject({ resourceVersion: '7' });
    expect(metadata.annotations).toMatchObject({
      [CLAIM]: null,
      'lateen.dev/reconcile-at': null,
      'lateen.dev/hold': null,
    });
    for (const key of ['lateen.dev/handed-back', 'lateen.dev/publish-version', 'note'])
      expect(metadata.annotations).not.toHaveProperty([key]);
    expect(metadata.annotations['filter.oam.dev/annotation-keys']).toMatch(/lateen\.dev\/handed-back,.*lateen\.dev\/publish-version/);
  });

  it('is known to get its claim from its parent', () => {
    const claimed = { 'f:metadata': { 'f:annotations': { [`f:${CLAIM}`]: {} } } };
    expect(isFromParent(application({ managedFields: [{ ...applied, fieldsV1: claimed }] }), CLAIM)).toBe(true);
    expect(isFromParent(application({ managedFields: [{ ...applied, fieldsV1: claimed }] }), 'other')).toBe(false);
    expect(isFromParent(application({ managedFields: [{ ...applied, manager: 'person', fieldsV1: claimed }, applied] }), CLAIM)).toBe(
      false,
    );
    expect(isFromParent(application({}), CLAIM)).toBe(false);
  });
});
