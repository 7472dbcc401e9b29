import { expect, it } from 'vitest';
import type { Application } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { workloadHealth } from '#agent/render/render.ts';

const DISABLED = { 'app.oam.dev/disable-health-check': 'false' };

function application(annotations: Record<string, string> = {}): Application {
  return {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: 'app', namespace: 'tenant', annotations },
    spec: { components: [] },
  };
}

interface State {
  replicas?: number;
  generation?: number;
  status?: Record<string, number>;
  annotations?: Record<string, string>;
}

function deployment({ replicas, generation = 2, status, annotations }: State): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'tenant', generation, ...(annotations ? { annotations } : {}) },
    spec: replicas === undefined ? {} : { replicas },
    ...(status ? { status } : {}),
  };
}

const all = (count: number): Record<string, number> => ({
  replicas: count,
  readyReplicas: count,
  updatedReplicas: count,
  observedGeneration: 2,
});

const cases: [string, State, boolean, string][] = [
  ['all are there', { replicas: 3, status: all(3) }, true, 'Ready:3/3'],
  ['replicas unset is one', { status: all(1) }, true, 'Ready:1/1'],
  ['no status yet', { replicas: 1 }, false, 'Ready:0/1'],
  ['an empty status', { replicas: 1, status: {} }, false, 'Ready:0/1'],
  ['scaled to zero', { replicas: 0, status: { observedGeneration: 2 } }, true, 'Ready:0/0'],
  ['scaled to zero, not seen', { replicas: 0, status: { observedGeneration: 1 } }, false, 'Ready:0/0'],
  ['not all ready', { replicas: 2, status: { ...all(2), readyReplicas: 1 } }, false, 'Ready:1/2'],
  ['not all updated', { replicas: 2, status: { ...all(2), updatedReplicas: 1 } }, false, 'Ready:2/2'],
  ['an old one more', { replicas: 2, status: { ...all(2), replicas: 3 } }, false, 'Ready:2/2'],
  ['more ready than wanted', { replicas: 1, status: all(2) }, false, 'Ready:2/1'],
  ['an older generation', { replicas: 1, status: { ...all(1), observedGeneration: 1 } }, false, 'Ready:1/1'],
  ['a newer generation', { replicas: 1, status: { ...all(1), observedGeneration: 3 } }, true, 'Ready:1/1'],
  ['check disabled on the workload', { replicas: 2, annotations: DISABLED }, true, 'Ready:0/2'],
];

it.each(cases)('%s', (_name, state, healthy, message) => {
  expect(workloadHealth(deployment(state), application())).toEqual({ healthy, message });
});

it('is healthy with the check disabled on the Application, whatever the value', () => {
  expect(workloadHealth(deployment({ replicas: 2 }), application(DISABLED))).toEqual({ healthy: true, message: 'Ready:0/2' });
});

it('is not healthy where nothing is there, even with the check disabled', () => {
  expect(workloadHealth(undefined, application(DISABLED))).toEqual({ healthy: false, message: 'Ready:0/1' });
});
