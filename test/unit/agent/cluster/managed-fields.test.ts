import { describe, expect, it } from 'vitest';
import type { KubeObject, ManagedFieldsEntry } from '#api/kubernetes.ts';
import { changedFields, ownedByUs, ownershipOf, takenFromVela, takenOver } from '#agent/cluster/managed-fields.ts';

const CONTAINER = 'k:{"name":"web"}';

function entry(manager: string, fieldsV1: object, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry {
  const operation = manager === 'lateen' ? 'Apply' : 'Update';
  return { manager, operation, fieldsType: 'FieldsV1', fieldsV1: fieldsV1 as Record<string, unknown>, ...more };
}

const OURS = entry('lateen', {
  'f:metadata': { 'f:labels': { 'f:app': {} } },
  'f:spec': { 'f:replicas': {}, 'f:template': { 'f:spec': { 'f:containers': { [CONTAINER]: { '.': {}, 'f:image': {}, 'f:name': {} } } } } },
});
const WITHOUT_REPLICAS = entry('lateen', {
  'f:metadata': { 'f:labels': { 'f:app': {} } },
  'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { [CONTAINER]: { '.': {}, 'f:image': {}, 'f:name': {} } } } } },
});

function object(...managedFields: ManagedFieldsEntry[]): KubeObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', managedFields } };
}

const fieldsOf = (...entries: ManagedFieldsEntry[]): string => ownershipOf(object(...entries)).fields;

describe('our fields', () => {
  it('have the same digest whoever else owns whatever', () => {
    const controller = entry('kube-controller-manager', {
      'f:metadata': { 'f:annotations': { 'f:deployment.kubernetes.io/revision': {} } },
    });

    expect(fieldsOf(OURS)).toMatch(/^[0-9a-f]{16}$/);
    expect(fieldsOf(controller, OURS, entry('lateen', { 'f:status': {} }, { operation: 'Update', subresource: 'status' }))).toBe(
      fieldsOf(OURS),
    );
  });

  it('have another digest when one of them was changed by somebody', () => {
    const scaled = object(WITHOUT_REPLICAS, entry('kubectl', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale' }));

    expect(ownershipOf(scaled).fields).not.toBe(fieldsOf(OURS));
    expect(ownershipOf(scaled).withReplicas).toBe(fieldsOf(OURS));
    expect(ownershipOf(object(OURS)).withReplicas).toBeUndefined();
  });

  it('have the same digest when one that Git has too was changed by a restart, and by nothing else', () => {
    const restartedAt = { 'f:annotations': { 'f:kubectl.kubernetes.io/restartedAt': {} } };
    const template = (metadata: object): ManagedFieldsEntry => {
      const spec = { 'f:containers': { [CONTAINER]: { '.': {}, 'f:image': {}, 'f:name': {} } } };
      return entry('lateen', {
        'f:spec': { 'f:template': { 'f:metadata': { ...metadata, 'f:labels': { 'f:app': {} } }, 'f:spec': spec } },
      });
    };
    const restart = entry('kubectl-rollout', { 'f:spec': { 'f:template': { 'f:metadata': restartedAt } } });

    expect(ownershipOf(object(template({}), restart))).toEqual(ownershipOf(object(template(restartedAt))));
    expect(fieldsOf(template({ 'f:annotations': { 'f:other': {} } }))).not.toBe(fieldsOf(template({})));
  });

  it('keep the digest that the inventories of former versions hold', () => {
    expect(fieldsOf(OURS)).toBe('b1a13a9bafb91641');
  });

  it('are none where the API server knows none', () => {
    expect(ownershipOf(object())).toEqual({ fields: '' });
  });
});

describe('additions', () => {
  it.each<[string, ManagedFieldsEntry, string[] | undefined]>([
    ['a label by kubectl', entry('kubectl-label', { 'f:metadata': { 'f:labels': { 'f:extra': {} } } }), ['metadata.labels.extra']],
    [
      'a sidecar by kubectl edit',
      entry('kubectl-edit', {
        'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"spy"}': { '.': {}, 'f:image': {} } } } } },
      }),
      ['spec.template.spec.containers[name=spy].image'],
    ],
    ['what kubectl owns together with us', entry('kubectl-client-side-apply', OURS.fieldsV1!), undefined],
    ['a field of a controller', entry('sidecar-injector', { 'f:metadata': { 'f:labels': { 'f:extra': {} } } }), undefined],
    ['a scale', entry('kubectl', { 'f:spec': { 'f:paused': {} } }, { subresource: 'scale' }), undefined],
    [
      'kubectl rollout restart',
      entry('kubectl-rollout', {
        'f:spec': { 'f:template': { 'f:metadata': { 'f:annotations': { '.': {}, 'f:kubectl.kubernetes.io/restartedAt': {} } } } },
      }),
      undefined,
    ],
    ['our own annotation', entry('kubectl-annotate', { 'f:metadata': { 'f:annotations': { 'f:lateen.dev/hold': {} } } }), undefined],
  ])('%s', (_, other, fields) => {
    expect(ownershipOf(object(OURS, other)).additions?.fields).toEqual(fields);
  });
});

describe('additions of replicas', () => {
  const scaled = entry('kubectl-patch', { 'f:spec': { 'f:replicas': {} } });
  const labelled = entry('kubectl-label', { 'f:metadata': { 'f:labels': { 'f:extra': {} } } });

  it('are told from all others, whoever comes first', () => {
    expect(ownershipOf(object(WITHOUT_REPLICAS, scaled)).additions).toMatchObject({ fields: ['spec.replicas'], replicas: true });
    for (const entries of [
      [scaled, labelled],
      [labelled, scaled],
    ]) {
      const { additions } = ownershipOf(object(WITHOUT_REPLICAS, ...entries));
      expect(additions).toEqual({ manager: 'kubectl-label', fields: ['metadata.labels.extra'] });
    }
  });

  it('stay with whoever made them, on request', () => {
    const both = entry('kubectl-edit', { 'f:spec': { 'f:replicas': {}, 'f:paused': {} } });
    const [own, left, ...none] = takenOver([WITHOUT_REPLICAS, both], { leavesReplicas: true }) ?? [];
    expect(own?.fieldsV1).toHaveProperty(['f:spec', 'f:paused']);
    expect(own?.fieldsV1).not.toHaveProperty(['f:spec', 'f:replicas']);
    expect(left?.fieldsV1).toEqual({ 'f:spec': { 'f:replicas': {} } });
    expect(none).toEqual([]);
    expect(takenOver([WITHOUT_REPLICAS, scaled], { leavesReplicas: true })).toBeUndefined();
  });
});

describe('an edit in another apiVersion', () => {
  const v1 = entry('lateen', { 'f:spec': { 'f:maxReplicas': {} } }, { apiVersion: 'autoscaling/v1' });
  const v2 = entry('kubectl-edit', { 'f:spec': { 'f:metrics': {} } }, { apiVersion: 'autoscaling/v2' });
  const same = entry('kubectl-label', { 'f:metadata': { 'f:labels': { 'f:extra': {} } } }, { apiVersion: 'autoscaling/v1' });

  it('is told from one in ours', () => {
    expect(ownershipOf(object(v1, v2)).additions).toMatchObject({ fields: ['spec.metrics'], apiVersion: 'autoscaling/v2' });
    expect(ownershipOf(object(v1, same)).additions).not.toHaveProperty('apiVersion');
  });

  it('stands in for our entry: fields of two versions are never mixed, and what is in ours goes first', () => {
    expect(takenOver([v1, v2])).toEqual([{ ...v1, apiVersion: 'autoscaling/v2', fieldsV1: v2.fieldsV1 }]);
    expect(takenOver([v2, v1, same])).toEqual([{ ...v1, fieldsV1: { ...v1.fieldsV1, ...same.fieldsV1 } }, v2]);
  });
});

describe('taking over', () => {
  it('hands what a person added to us, and leaves a restart and all others with their owners', () => {
    const annotations = { 'f:note': {}, 'f:kubectl.kubernetes.io/restartedAt': {} };
    const edit = entry('kubectl-edit', { 'f:metadata': { 'f:labels': { 'f:extra': {} }, 'f:annotations': annotations } });
    const controller = entry('controller', { 'f:metadata': { 'f:labels': { 'f:other': {} } } });
    const [own, left, rest, ...none] = takenOver([edit, OURS, controller]) ?? [];

    expect(own?.fieldsV1).toMatchObject({
      'f:metadata': { 'f:labels': { 'f:app': {}, 'f:extra': {} }, 'f:annotations': { 'f:note': {} } },
    });
    expect(own?.fieldsV1).not.toHaveProperty(['f:metadata', 'f:annotations', 'f:kubectl.kubernetes.io/restartedAt']);
    expect(left?.fieldsV1).toEqual({ 'f:metadata': { 'f:annotations': { 'f:kubectl.kubernetes.io/restartedAt': {} } } });
    expect(rest).toBe(controller);
    expect(none).toEqual([]);
  });

  it('does nothing where no person is behind it', () => {
    expect(takenOver([OURS, entry('controller', {})])).toBeUndefined();
    expect(takenOver([entry('kubectl-edit', {})])).toBeUndefined();
  });
});

describe('making a path ours', () => {
  const path = ['f:spec', 'f:strategy', 'f:rollingUpdate'];

  it('leaves nobody else with a part of it, or with what is around it', () => {
    const strategy = { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} } };
    const helm = entry('helm', { 'f:spec': { 'f:strategy': strategy, 'f:paused': {} } });
    const alone = entry('other', { 'f:spec': { 'f:strategy': strategy } });
    const own = entry('lateen', { 'f:spec': { 'f:strategy': { 'f:type': {}, 'f:rollingUpdate': { 'f:maxSurge': {} } } } });
    expect(ownedByUs([helm, own, alone], path, 'apps/v1')).toEqual([
      { ...own, apiVersion: 'apps/v1', fieldsV1: { 'f:spec': { 'f:strategy': { 'f:type': {}, 'f:rollingUpdate': {} } } } },
      { ...helm, fieldsV1: { 'f:spec': { 'f:paused': {} } } },
    ]);
  });

  it('makes an entry of ours where there is none', () => {
    expect(ownedByUs([], path, 'apps/v1')).toEqual([
      entry('lateen', { 'f:spec': { 'f:strategy': { 'f:rollingUpdate': {} } } }, { apiVersion: 'apps/v1' }),
    ]);
  });
});

describe('taking over from vela', () => {
  it('hands what the vela command owns to us, and leaves people and its writes of the status', () => {
    const spec = { 'f:spec': { 'f:policies': {} }, 'f:metadata': { 'f:annotations': { 'f:app.oam.dev/publishVersion': {} } } };
    const [edit, status] = [entry('kubectl-edit', { 'f:spec': {} }), entry('vela', { 'f:status': {} }, { subresource: 'status' })];
    const taken = takenFromVela([entry('vela', spec), OURS, edit, status]) ?? [];
    expect(taken[0]?.fieldsV1).toMatchObject({
      'f:metadata': { 'f:labels': { 'f:app': {} }, ...spec['f:metadata'] },
      'f:spec': spec['f:spec'],
    });
    expect(taken.slice(1)).toEqual([edit, status]);
    expect(ownershipOf(object(...taken)).vela).toBeUndefined();
  });

  it('does nothing where it owns nothing, or we do not', () => {
    expect(takenFromVela([OURS, entry('kubectl-edit', {})])).toBeUndefined();
    expect(takenFromVela([entry('vela', {})])).toBeUndefined();
  });
});

describe('changed fields', () => {
  it('are those that come back with our apply, each with who had changed it', () => {
    const edit = entry('kubectl-edit', { 'f:spec': { 'f:replicas': {} } });

    expect(changedFields(object(WITHOUT_REPLICAS, edit), object(OURS))).toEqual([{ path: 'spec.replicas', manager: 'kubectl-edit' }]);
    expect(changedFields(object(WITHOUT_REPLICAS), object(OURS))).toEqual([{ path: 'spec.replicas', manager: undefined }]);
    expect(changedFields(object(OURS), object(OURS))).toEqual([]);
  });

  it('are none where the value is the same, whoever holds it by now', () => {
    const withValue = (spec: object, ...entries: ManagedFieldsEntry[]): KubeObject => ({ ...object(...entries), spec });
    const containers = [{ name: 'side' }, { name: 'web', image: 'nginx' }];
    const spec = { replicas: 4, template: { spec: { containers } } };
    const changed = { replicas: 4, template: { spec: { containers: [{ name: 'web', image: 'redis' }] } } };
    expect(changedFields(withValue(spec), withValue(spec, OURS)).map(({ path }) => path)).toEqual(['metadata.labels.app']);
    expect(changedFields(withValue(changed), withValue(spec, OURS)).map(({ path }) => path)).toEqual([
      'metadata.labels.app',
      'spec.template.spec.containers[name=web].image',
    ]);
  });

  it('name a list item once, by its keys, and its fields', () => {
    const bare = entry('lateen', { 'f:metadata': { 'f:labels': { 'f:app': {} } }, 'f:spec': { 'f:replicas': {} } });

    expect(changedFields(object(bare), object(OURS)).map(({ path }) => path)).toEqual([
      'spec.template.spec.containers[name=web].image',
      'spec.template.spec.containers[name=web].name',
    ]);
  });
});

describe('what a person has written into managedFields', () => {
  const keys = (prefix: string): object => ({
    'f:data': Object.fromEntries(Array.from({ length: 8_000 }, (_, at) => [`f:${prefix}${at}`, {}])),
  });
  const deep = JSON.parse(`${'{"f:a":'.repeat(9_000)}{}${'}'.repeat(9_000)}`) as object;

  it('may be thousands of levels deep', () => {
    const { additions } = ownershipOf(object(OURS, entry('kubectl-edit', deep)));

    expect(additions).toMatchObject({ manager: 'kubectl-edit', fields: [expect.stringMatching(/^a(\.a){127}$/)] });
    expect(takenOver([OURS, entry('before-first-apply', deep), entry('kubectl-edit', deep)])).toHaveLength(1);
  });

  it('may have thousands of fields, and holds nobody up', () => {
    const all = [entry('lateen', keys('a')), entry('kubectl-edit', keys('b'))];
    const begun = performance.now();

    expect(ownershipOf(object(...all)).additions?.fields).toHaveLength(5);
    expect(Object.keys(takenOver(all)?.[0]?.fieldsV1?.['f:data'] ?? {})).toHaveLength(16_000);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});
