import { describe, expect, it } from 'vitest';
import { selectorText } from '#agent/cluster/label-selector.ts';
import { podTrouble, progressOf, waitsForPods } from '#agent/cluster/workload-pods.ts';
import type { KubeObject, ObjectMeta } from '#api/kubernetes.ts';

const NOW_MS = Date.parse('2026-01-01T00:01:00Z');

function workload(kind: string, parts: { spec?: object; status?: object } = {}): KubeObject {
  const apiVersion = kind === 'Job' ? 'batch/v1' : 'apps/v1';
  return { apiVersion, kind, metadata: { name: 'web', uid: 'u1', generation: 2 }, status: { observedGeneration: 2 }, ...parts };
}

const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'];
const OWNERS: Record<string, string> = { Deployment: 'ReplicaSet' };
const waiting = (reason: string): object => ({ containerStatuses: [{ name: 'main', state: { waiting: { reason, message: 'why' } } }] });

function pod(kind: string, status: object, metadata: ObjectMeta = {}): KubeObject {
  const owner = {
    apiVersion: 'apps/v1',
    kind: OWNERS[kind] ?? kind,
    name: 'web',
    uid: kind === 'Deployment' ? 'rs' : 'u1',
    controller: true,
  };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', ownerReferences: [owner], ...metadata }, status };
}

const troubleOf = (kind: string, ...pods: KubeObject[]): string | undefined => podTrouble(workload(kind), pods, NOW_MS)?.message;

describe('podTrouble', () => {
  it.each(KINDS)('of a %s names the pod and its reason', (kind) => {
    for (const reason of ['ImagePullBackOff', 'ErrImagePull', 'ErrImageNeverPull', 'CreateContainerConfigError', 'InvalidImageName']) {
      const trouble = podTrouble(workload(kind), [pod(kind, { phase: 'Pending', ...waiting(reason) })], NOW_MS);
      expect(trouble).toEqual({ state: 'Failed', message: `${kind}/web: Pod/web-1: container main: ${reason}: why` });
    }
    expect(
      troubleOf(kind, pod(kind, { phase: 'Pending', ...waiting('ContainerCreating') }), pod(kind, { phase: 'Running' })),
    ).toBeUndefined();
  });

  const stateOf = (kind: string, status: object): string | undefined => podTrouble(workload(kind), [pod(kind, status)], NOW_MS)?.state;

  it('tells of crashes, which fail what has no deadline for them', () => {
    const states = KINDS.map((kind) => stateOf(kind, { phase: 'Running', ...waiting('CrashLoopBackOff') }));
    expect(states).toEqual(['InProgress', 'Failed', 'InProgress', 'Failed', 'InProgress']);
  });

  it('tells of a pod without a node, which fails a ReplicaSet', () => {
    const homeless = (seconds: number): object => {
      const lastTransitionTime = new Date(NOW_MS - seconds * 1_000).toISOString();
      const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no node', lastTransitionTime };
      return { phase: 'Pending', conditions: [condition] };
    };
    expect(KINDS.map((kind) => stateOf(kind, homeless(14)))).toEqual(KINDS.map(() => undefined));
    expect(KINDS.map((kind) => stateOf(kind, homeless(15)))).toEqual(['InProgress', 'InProgress', 'InProgress', 'Failed', 'InProgress']);
    expect(troubleOf('Job', pod('Job', homeless(15)))).toBe('Job/web: Pod/web-1: no node');
  });

  it('names a pod that cannot start before one that may', () => {
    const [crashing, stuck] = [pod('Deployment', waiting('CrashLoopBackOff')), pod('Deployment', waiting('InvalidImageName'))];
    expect(podTrouble(workload('Deployment'), [crashing, stuck], NOW_MS)).toMatchObject({ state: 'Failed' });
  });

  it('leaves out what is over, on its way out, or controlled by another one', () => {
    const broken = waiting('ImagePullBackOff');
    const others = [
      pod('StatefulSet', { phase: 'Failed', ...broken }),
      pod('StatefulSet', { phase: 'Succeeded', ...broken }),
      pod('StatefulSet', broken, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      pod('StatefulSet', broken, { ownerReferences: [] }),
      pod('Deployment', broken),
    ];
    for (const other of others) expect(troubleOf('StatefulSet', other)).toBeUndefined();
  });

  it.each([
    ['Deployment', 'pod-template-hash'],
    ['DaemonSet', 'controller-revision-hash'],
  ])('of a %s looks at the pods of the present rollout alone', (kind, label) => {
    const old = pod(kind, waiting('ImagePullBackOff'), { labels: { [label]: 'a' }, creationTimestamp: '2026-01-01T00:00:00Z' });
    const young = pod(kind, { phase: 'Pending' }, { labels: { [label]: 'b' }, creationTimestamp: '2026-01-01T00:00:30Z' });
    expect(troubleOf(kind, old)).toBeDefined();
    expect(troubleOf(kind, young, old)).toBeUndefined();
  });

  it('is one line', () => {
    const status = { containerStatuses: [{ name: 'main', state: { waiting: { reason: 'ImagePullBackOff', message: 'a\nb' } } }] };
    expect(troubleOf('StatefulSet', pod('StatefulSet', status))).toMatch(/ImagePullBackOff: a b$/);
  });
});

it('waits for the pods of a workload that its controller has seen and that wants some', () => {
  expect(waitsForPods(workload('Deployment'))).toBe(true);
  expect(waitsForPods(workload('Deployment', { spec: { replicas: 0 } }))).toBe(false);
  expect(waitsForPods(workload('Deployment', { status: { observedGeneration: 1 } }))).toBe(false);
  expect(waitsForPods(workload('Deployment', { status: {} }))).toBe(false);
  expect(waitsForPods(workload('DaemonSet', { status: { observedGeneration: 2, desiredNumberScheduled: 0 } }))).toBe(false);
  expect(waitsForPods(workload('Job', { status: { active: 1 } }))).toBe(true);
  expect(waitsForPods({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' } })).toBe(false);
});

it('sees progress in what is counted, not in what is told', () => {
  const at = (status: object): string => progressOf(workload('Deployment', { status }));
  expect(at({ readyReplicas: 1, conditions: [{ type: 'Progressing' }] })).toBe(at({ readyReplicas: 1, conditions: [] }));
  expect(at({ readyReplicas: 1 })).not.toBe(at({ readyReplicas: 2 }));
});

it.each([
  [{ matchLabels: { app: 'web', tier: 'a' } }, 'app=web,tier=a'],
  [{ matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 'b'] }] }, 'app in (a,b)'],
  [{ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'b', operator: 'NotIn', values: ['c'] }] }, 'app=web,b notin (c)'],
  [
    {
      matchExpressions: [
        { key: 'a', operator: 'Exists' },
        { key: 'b', operator: 'DoesNotExist' },
      ],
    },
    'a,!b',
  ],
  [{}, undefined],
  [undefined, undefined],
])('a selector %j is %s in a query', (selector, text) => {
  expect(selectorText(selector)).toBe(text);
});
