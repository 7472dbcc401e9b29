import { describe, expect, it } from 'vitest';
import type { Application, ApplicationStatus } from '#api/application.ts';
import { type Claim, claimOf } from '#api/claim.ts';

const CLAIM = 'app.oam.dev/controller-version-require';
const MARK = 'lateen.dev/handed-back';
const PAUSE = { labels: { 'controller.core.oam.dev/pause': 'true' } };

function application(type: string, metadata: Partial<Application['metadata']> = {}, status?: ApplicationStatus): Application {
  return {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: 'a', namespace: 'n', ...metadata },
    spec: { components: [{ name: 'c', type }] },
    ...(status ? { status } : {}),
  };
}

const held = (value: string, more: Record<string, string> = {}) => ({ annotations: { [CLAIM]: value, ...more } });
const marked = (value: string) => ({ annotations: { [MARK]: value } });
const judged = (app: Application, mode: 'all' | 'gitops', holds = false): Claim => claimOf(app, { mode, holds });

it.each([
  ['an unclaimed Application', 'all', application('webservice'), 'claim'],
  ['our own', 'all', application('webservice', held('lateen')), 'ours'],
  ['one of another controller', 'all', application('kustomize', held('v1.10.0')), 'hands-off'],
  ['one with an empty claim', 'all', application('kustomize', held('')), 'hands-off'],
  ['a paused one', 'all', application('kustomize', PAUSE), 'hands-off'],
  ['a paused one of ours', 'all', application('kustomize', { ...held('lateen'), ...PAUSE }), 'hands-off'],
  ['a kustomize one beside vela-core', 'gitops', application('kustomize'), 'claim'],
  ["vela-core's own", 'gitops', application('webservice'), 'hands-off'],
  ['one of any type that was given to us', 'gitops', application('webservice', held('lateen')), 'ours'],
] as const)('%s in the mode %s', (_name, mode, app, verdict) => {
  expect(judged(app, mode).verdict).toBe(verdict);
});

describe('an unclaimed Application that vela-core has seen', () => {
  const finalizers = ['app.oam.dev/resource-tracker-finalizer'];
  const parse = { type: 'Parsed', status: 'False', reason: 'ReconcileError', lastTransitionTime: '2026-01-01T00:00:00Z' } as const;
  const workflow = { mode: 'DAG-DAG', suspend: false, terminated: false, finished: true };
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'n', name: 'web' };
  const placeholder = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'n', name: 'waiting-for-lateen.a.c' };

  it.each([
    ['its finalizer', { finalizers }, undefined],
    ['a bare status', { finalizers }, { status: 'starting', observedGeneration: 1 }],
    ['a parse that failed', { finalizers }, { status: 'rendering', conditions: [parse] }],
    ['a workflow that failed', {}, { status: 'workflowFailed', workflow: { ...workflow, status: 'failed' } }],
    ['our own placeholder', { finalizers }, { status: 'runningWorkflow', appliedResources: [placeholder] }],
  ] as const)('is claimed for all of %s', (_sign, metadata, status) => {
    expect(judged(application('kustomize', metadata as never, status as ApplicationStatus | undefined), 'gitops').verdict).toBe('claim');
  });

  it.each([
    [{ appliedResources: [deployment] }, 'Deployment/web;'],
    [{ appliedResources: [placeholder, deployment, { ...deployment, name: 'b' }] }, 'Deployment/web and 1 more;'],
    [{ workflow: { ...workflow, status: 'succeeded' } }, 'all that it describes;'],
  ] as const)('is left to vela-core where that has applied something (%j), and said', (status, what) => {
    const claim = judged(application('kustomize', {}, status as ApplicationStatus), 'gitops');
    const message =
      `vela-core runs it: it has applied ${what} Lateen leaves it alone. To hand it over: ` +
      'kubectl annotate application a -n n app.oam.dev/controller-version-require=lateen (read docs/beside-vela-core.md first)';
    expect(claim).toMatchObject({ verdict: 'hands-off', told: { reason: 'RunByVelaCore', message } });
  });

  const run = { appliedResources: [deployment] } as ApplicationStatus;

  it('is claimed again where an inventory says that we applied it', () => {
    expect(judged(application('kustomize', {}, run), 'gitops', true)).toEqual({ verdict: 'claim' });
    expect(judged(application('webservice', {}, run), 'gitops', true)).toEqual({ verdict: 'claim' });
  });

  it('is taken over where there is no vela-core, or where it is handed over', () => {
    expect(judged(application('kustomize', {}, run), 'all')).toEqual({ verdict: 'claim' });
    expect(judged(application('kustomize', held('lateen'), run), 'gitops')).toEqual({ verdict: 'ours' });
  });
});

describe('an Application that was handed back', () => {
  it.each(['all', 'gitops'] as const)('is let go of while we hold something of it (%s)', (mode) => {
    expect(judged(application('kustomize', held('lateen', { [MARK]: 'true' })), mode).verdict).toBe('hand-back');
    expect(judged(application('kustomize', marked('true')), mode, true).verdict).toBe('hand-back');
    const admitted = { type: 'Admitted', status: 'True', reason: 'Available', lastTransitionTime: '2026-01-01T00:00:00Z' } as const;
    expect(judged(application('kustomize', marked('true'), { conditions: [admitted] }), mode).verdict).toBe('hand-back');
  });

  it.each(['all', 'gitops'] as const)('is never claimed again by itself (%s)', (mode) => {
    expect(judged(application('kustomize', marked('2026-01-01T00:00:00Z')), mode).verdict).toBe('hands-off');
    expect(judged(application('kustomize', marked('')), mode).verdict).toBe('hands-off');
  });

  it('is nothing where the mark says false, or another controller has it', () => {
    expect(judged(application('kustomize', marked('false')), 'all').verdict).toBe('claim');
    expect(judged(application('kustomize', held('v1.9.0', { [MARK]: 'true' })), 'all', true).verdict).toBe('hands-off');
  });
});
