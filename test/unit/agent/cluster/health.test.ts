import { describe, expect, it } from 'vitest';
import { assessHealth, type Health, hasHealthRule } from '#agent/cluster/health.ts';
import { rfc3339 } from '#core/clock.ts';

type Parts = { spec?: object; status?: object; generation?: number; deleting?: boolean };
type Case = [what: string, parts: Parts, state: Health['state'], message?: string];

/** The API server's clock. */
const NOW_MS = Date.parse('2026-01-01T00:01:00Z');
const ago = (seconds: number): { lastTransitionTime: string } => ({ lastTransitionTime: rfc3339(NOW_MS - seconds * 1_000) });

function assess(apiVersion: string, kind: string, { spec, status, generation = 1, deleting }: Parts, nowMs?: number): Health {
  const metadata = { name: 'web', generation, ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) };
  return assessHealth({ apiVersion, kind, metadata, ...(spec ? { spec } : {}), ...(status ? { status } : {}) }, nowMs);
}

function table(apiVersion: string, kind: string, cases: Case[]): void {
  describe(kind, () => {
    it.each(cases)('%s', (_, parts, state, message = '') => {
      const text = message === '' ? '' : `${kind}/web: ${message}`;
      expect(assess(apiVersion, kind, parts, NOW_MS)).toMatchObject({ state, message: text });
    });
  });
}

const UNSEEN = 'its controller has not seen the change yet';
const condition = (type: string, status: string, more: object = {}) => ({ type, status, ...more });
const available = [condition('Available', 'True'), condition('Progressing', 'True', { reason: 'NewReplicaSetAvailable' })];
const seen = (counters: object) => ({ observedGeneration: 1, ...counters });
const rolledOut = seen({ replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 });
const refusedFor = (seconds: number) => condition('ReplicaFailure', 'True', { message: 'exceeded quota', ...ago(seconds) });
/** Available, and its controller does not call the rollout complete. */
const midway = (reason: string) => ({ ...rolledOut, conditions: [available[0], condition('Progressing', 'True', { reason })] });

table('apps/v1', 'Deployment', [
  ['new', { spec: {} }, 'InProgress', 'its controller has not seen it yet'],
  ['changed', { generation: 2, status: seen({ conditions: available }) }, 'InProgress', UNSEEN],
  ['without a pod', { status: seen({}) }, 'InProgress', '0 of 1 replicas are updated'],
  [
    'with unready pods',
    { spec: { replicas: 2 }, status: seen({ replicas: 2, updatedReplicas: 2, readyReplicas: 1 }) },
    'InProgress',
    '1 of 2 replicas are ready',
  ],
  [
    'with pods that are too young',
    { status: seen({ replicas: 1, updatedReplicas: 1, readyReplicas: 1 }) },
    'InProgress',
    '0 of 1 replicas are available',
  ],
  [
    'with old pods',
    { status: seen({ replicas: 2, updatedReplicas: 1, readyReplicas: 2, availableReplicas: 2, conditions: available }) },
    'InProgress',
    '1 old replicas are still running',
  ],
  [
    'scaled down',
    { status: seen({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3, conditions: available }) },
    'InProgress',
    '2 replicas too many are still running',
  ],
  [
    'whole',
    { status: seen({ replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: available }) },
    'Current',
  ],
  ['with no replicas', { spec: { replicas: 0 }, status: seen({ conditions: available }) }, 'Current'],
  ['restored, with a status of before', { status: { ...rolledOut, observedGeneration: 7, conditions: available } }, 'InProgress', UNSEEN],
  [
    'available, and not complete by the word of its controller',
    { spec: { progressDeadlineSeconds: 600 }, status: midway('ReplicaSetUpdated') },
    'InProgress',
    'the rollout is not over yet',
  ],
  ['the same without a deadline', { spec: { progressDeadlineSeconds: 2_147_483_647 }, status: midway('ReplicaSetUpdated') }, 'Current'],
  ['complete', { spec: { progressDeadlineSeconds: 600 }, status: { ...rolledOut, conditions: available } }, 'Current'],
  ['paused', { spec: { progressDeadlineSeconds: 600, paused: true }, status: midway('DeploymentPaused') }, 'Current'],
  ['refused a moment ago', { status: seen({ conditions: [refusedFor(14)] }) }, 'InProgress', 'exceeded quota'],
  ['refused for longer', { status: seen({ conditions: [refusedFor(15)] }) }, 'Failed', 'exceeded quota'],
  [
    'unavailable by its own word',
    { spec: { replicas: 0 }, status: seen({ conditions: [condition('Available', 'False', { message: 'no minimum' })] }) },
    'InProgress',
    'no minimum',
  ],
  [
    'late',
    { status: seen({ conditions: [condition('Progressing', 'False', { reason: 'ProgressDeadlineExceeded', message: 'timed out' })] }) },
    'Failed',
    'timed out',
  ],
]);

table('apps/v1', 'StatefulSet', [
  ['new', {}, 'InProgress', 'its controller has not seen it yet'],
  ['OnDelete', { spec: { updateStrategy: { type: 'OnDelete' } } }, 'Current'],
  ['starting', { spec: { replicas: 2 }, status: seen({ replicas: 1, readyReplicas: 1 }) }, 'InProgress', '1 of 2 replicas are ready'],
  ['scaled down', { status: seen({ replicas: 2, readyReplicas: 2 }) }, 'InProgress', '1 replicas too many are still running'],
  [
    'rolling',
    { status: seen({ replicas: 1, readyReplicas: 1, currentRevision: 'a', updateRevision: 'b' }) },
    'InProgress',
    '0 of 1 replicas are updated',
  ],
  ['whole', { status: seen({ replicas: 1, readyReplicas: 1, currentReplicas: 1, currentRevision: 'b', updateRevision: 'b' }) }, 'Current'],
  [
    'without current pods',
    { status: seen({ replicas: 1, readyReplicas: 1, currentRevision: 'b', updateRevision: 'b' }) },
    'InProgress',
    '0 of 1 replicas are current',
  ],
  [
    'partitioned, not there yet',
    {
      spec: { replicas: 3, updateStrategy: { rollingUpdate: { partition: 1 } } },
      status: seen({ replicas: 3, readyReplicas: 3, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' }),
    },
    'InProgress',
    '1 of 2 replicas are updated',
  ],
  [
    'partitioned, as far as it goes',
    {
      spec: { replicas: 3, updateStrategy: { rollingUpdate: { partition: 1 } } },
      status: seen({ replicas: 3, readyReplicas: 3, updatedReplicas: 2, currentRevision: 'a', updateRevision: 'b' }),
    },
    'Current',
  ],
]);

const daemons = { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 3, numberAvailable: 3 };
table('apps/v1', 'DaemonSet', [
  ['new', {}, 'InProgress', 'its controller has not seen it yet'],
  [
    'starting',
    {
      status: seen({
        desiredNumberScheduled: 3,
        currentNumberScheduled: 3,
        updatedNumberScheduled: 3,
        numberReady: 2,
        numberAvailable: 1,
      }),
    },
    'InProgress',
    '1 of 3 pods are ready',
  ],
  ['whole', { status: seen({ ...daemons, currentNumberScheduled: 3 }) }, 'Current'],
  ['not scheduled', { status: seen({ ...daemons, currentNumberScheduled: 2 }) }, 'InProgress', '2 of 3 pods are ready'],
  ['without a node', { status: seen({ desiredNumberScheduled: 0 }) }, 'Current'],
]);

const labelled = (count: number) => seen({ replicas: count, readyReplicas: count, availableReplicas: count, fullyLabeledReplicas: count });
table('apps/v1', 'ReplicaSet', [
  ['starting', { status: seen({ replicas: 1, fullyLabeledReplicas: 1 }) }, 'InProgress', '0 of 1 replicas are ready'],
  ['with a surplus', { status: labelled(2) }, 'InProgress', '1 replicas too many are still running'],
  ['with other labels', { status: { ...labelled(1), fullyLabeledReplicas: 0 } }, 'InProgress', '0 of 1 replicas are labelled'],
  ['refused a moment ago', { status: seen({ conditions: [refusedFor(1)] }) }, 'InProgress', 'exceeded quota'],
  ['refused for longer', { status: seen({ conditions: [refusedFor(20)] }) }, 'Failed', 'exceeded quota'],
  ['whole', { status: labelled(1) }, 'Current'],
]);

table('batch/v1', 'Job', [
  ['new', {}, 'InProgress', 'the job is not complete'],
  ['running', { status: { active: 1 } }, 'InProgress', 'the job is not complete'],
  ['suspended', { spec: { suspend: true } }, 'Current'],
  ['complete', { status: { conditions: [condition('Complete', 'True')] } }, 'Current'],
  ['failed', { status: { conditions: [condition('Failed', 'True', { message: 'backoff limit' })] } }, 'Failed', 'backoff limit'],
]);

const unschedulableFor = (seconds: number) => ({
  phase: 'Pending',
  conditions: [condition('PodScheduled', 'False', { reason: 'Unschedulable', message: 'no node', ...ago(seconds) })],
});
const waiting = (reason: string) => [{ name: 'main', state: { waiting: { reason, message: 'details' } } }];
const broken = (reason: string): string => `container main: ${reason}: details`;
table('v1', 'Pod', [
  ['new', {}, 'InProgress', 'the pod is not ready'],
  ['pending', { status: { phase: 'Pending', containerStatuses: waiting('ContainerCreating') } }, 'InProgress', 'the pod is not ready'],
  ['running, not ready', { status: { phase: 'Running', conditions: [condition('Ready', 'False')] } }, 'InProgress', 'the pod is not ready'],
  ['ready', { status: { phase: 'Running', conditions: [condition('Ready', 'True')] } }, 'Current'],
  ['done', { status: { phase: 'Succeeded' } }, 'Current'],
  ['failed', { status: { phase: 'Failed' } }, 'Failed', 'the pod failed'],
  ['crashing', { status: { phase: 'Running', containerStatuses: waiting('CrashLoopBackOff') } }, 'Failed', broken('CrashLoopBackOff')],
  ['without a node for a moment', { status: unschedulableFor(14) }, 'InProgress', 'no node'],
  ['without a node', { status: unschedulableFor(15) }, 'Failed', 'no node'],
  ['no image', { status: { phase: 'Pending', initContainerStatuses: waiting('ImagePullBackOff') } }, 'Failed', broken('ImagePullBackOff')],
]);

table('v1', 'PersistentVolumeClaim', [
  ['new', {}, 'InProgress', 'the volume is not bound'],
  ['pending', { status: { phase: 'Pending' } }, 'InProgress', 'the volume is Pending'],
  ['bound', { status: { phase: 'Bound' } }, 'Current'],
]);

table('v1', 'Service', [
  ['plain', { spec: {} }, 'Current'],
  [
    'load balancer without an address in the cluster',
    { spec: { type: 'LoadBalancer' } },
    'InProgress',
    'it has no address in the cluster yet',
  ],
  ['load balancer without an address outside', { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' } }, 'Current'],
]);

table('policy/v1', 'PodDisruptionBudget', [
  ['new', {}, 'InProgress', 'its controller has not seen it yet'],
  ['seen', { status: seen({}) }, 'Current'],
]);

table('apiextensions.k8s.io/v1', 'CustomResourceDefinition', [
  ['new', {}, 'InProgress', 'it is being installed'],
  [
    'installing',
    { status: { conditions: [condition('Established', 'False', { reason: 'Installing' })] } },
    'InProgress',
    'it is being installed',
  ],
  ['taken', { status: { conditions: [condition('NamesAccepted', 'False', { message: 'taken' })] } }, 'Failed', 'taken'],
  ['broken', { status: { conditions: [condition('Established', 'False', { reason: 'Other' })] } }, 'Failed', 'it cannot be established'],
  ['established', { status: { conditions: [condition('Established', 'True')] } }, 'Current'],
]);

for (const [apiVersion, kind] of [
  ['batch/v1', 'CronJob'],
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['core.oam.dev/v1beta1', 'ApplicationRevision'],
] as const) {
  table(apiVersion, kind, [['always', {}, 'Current']]);
}

table('example.com/v1', 'Widget', [
  ['without a status', {}, 'Current'],
  ['not observed', { generation: 2, status: { observedGeneration: 1 } }, 'InProgress', 'its controller has not seen the change yet'],
  ['reconciling', { status: { conditions: [condition('Reconciling', 'True', { message: 'half way' })] } }, 'InProgress', 'half way'],
  ['stalled', { status: { conditions: [condition('Stalled', 'True'), condition('Ready', 'True')] } }, 'Failed', 'it is stalled'],
  ['not ready', { status: { conditions: [condition('Ready', 'False', { message: 'why' })] } }, 'InProgress', 'why'],
  ['unknown', { status: { conditions: [condition('Ready', 'Unknown')] } }, 'InProgress', 'it is not ready'],
  ['ready', { status: { conditions: [condition('Ready', 'True'), condition('Stalled', 'False')] } }, 'Current'],
]);

const sick = [
  { name: 'a', healthy: true, message: 'Ready:1/1' },
  { name: 'b', healthy: false, message: 'Ready:0/1' },
];
table('core.oam.dev/v1beta1', 'Application', [
  ['new', {}, 'InProgress', 'it has not been reconciled yet'],
  ['running for an unknown generation', { status: { status: 'running' } }, 'InProgress', 'it has not been reconciled yet'],
  [
    'running at an older generation',
    { generation: 2, status: { status: 'running', observedGeneration: 1 } },
    'InProgress',
    'its controller has not seen the change yet',
  ],
  ['running', { status: { status: 'running', observedGeneration: 1 } }, 'Current'],
  ['unhealthy', { status: { status: 'unhealthy', observedGeneration: 1, services: sick } }, 'InProgress', 'component b: Ready:0/1'],
  ['working', { status: { status: 'runningWorkflow', observedGeneration: 1 } }, 'InProgress', 'it is runningWorkflow'],
  [
    'not admitted',
    { status: { status: 'starting', observedGeneration: 1, conditions: [condition('Admitted', 'False', { message: 'a typo' })] } },
    'InProgress',
    'it was not admitted: a typo',
  ],
  ['failed', { status: { status: 'workflowFailed', observedGeneration: 1 } }, 'Failed', 'it is workflowFailed'],
  ['terminated', { status: { status: 'workflowTerminated', observedGeneration: 1 } }, 'Failed', 'it is workflowTerminated'],
]);

it('tells what is not there from what is on its way out', () => {
  expect(assessHealth(undefined).state).toBe('NotFound');
  expect(assess('v1', 'ConfigMap', { deleting: true })).toEqual({ state: 'Terminating', message: 'ConfigMap/web is being deleted' });
});

it('says when time alone makes a pod without a node a failed one, and needs the clock for that', () => {
  const parts = { status: unschedulableFor(5) };
  expect(assess('v1', 'Pod', parts, NOW_MS).changesAtMs).toBe(NOW_MS + 10_000);
  expect(assess('v1', 'Pod', { status: unschedulableFor(500) })).toEqual({ state: 'InProgress', message: 'Pod/web: no node' });
});

it('knows the kinds whose metadata is enough', () => {
  const enough = [
    ['', 'ConfigMap'],
    ['', 'Secret'],
    ['rbac.authorization.k8s.io', 'Role'],
  ] as const;
  expect(enough.map(([group, kind]) => hasHealthRule(group, kind))).toEqual([false, false, false]);
  const whole = [
    ['apps', 'Deployment'],
    ['core.oam.dev', 'Application'],
    ['example.com', 'Widget'],
  ] as const;
  expect(whole.map(([group, kind]) => hasHealthRule(group, kind))).toEqual([true, true, true]);
});
