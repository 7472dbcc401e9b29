import { expect, it } from 'vitest';
import type { LiveObject } from '#agent/cluster/projection.ts';
import { asRecorded, forAutoscaler } from '#agent/sync/autoscalers.ts';
import type { KubeObject } from '#api/kubernetes.ts';

const git: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: {}, spec: { replicas: 1, paused: true } };
const bare: KubeObject = { ...git, spec: { paused: true } };

function live(replicas: number | undefined, ownership: LiveObject['ownership']): LiveObject {
  return { ...git, spec: { replicas }, ownership };
}

it.each<[string, KubeObject, LiveObject, unknown]>([
  ['somebody else has set them', git, live(4, { fields: 'a', withReplicas: 'b' }), { paused: true }],
  ['nothing of the object is ours yet', git, live(4, { fields: '' }), { paused: true }],
  ['they are ours, and Git has others by now', git, live(4, { fields: 'a' }), { replicas: 4, paused: true }],
  ['they are ours, and those of Git', git, live(1, { fields: 'a' }), git['spec']],
  ['Git has none', bare, live(4, { fields: 'a', withReplicas: 'b' }), bare['spec']],
  ['the object has none', git, live(undefined, { fields: 'a' }), git['spec']],
])('sends replicas to an autoscaler only where they would be lost: %s', (_, object, known, spec) => {
  expect(forAutoscaler(object, known)['spec']).toEqual(spec);
});

it('records what was left to an autoscaler as if it were ours, so that it is a difference once that is gone', () => {
  const answer = live(4, { fields: 'a', withReplicas: 'b' });
  expect(asRecorded(answer, bare, { object: git }).ownership.fields).toBe('b');
  expect(asRecorded(answer, git, { object: git }).ownership.fields).toBe('a');
  expect(asRecorded(answer, bare, { object: bare }).ownership.fields).toBe('a');
});
