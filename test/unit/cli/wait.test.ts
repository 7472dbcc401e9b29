import { describe, expect, it } from 'vitest';
import type { Application, ApplicationStatus, Component, Condition, WorkflowStatus } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { type CommitMemory, commitVerdict } from '#cli/commit-verdict.ts';
import { recordsOf } from '#cli/revision-record.ts';
import { formerVerdict, versionVerdict } from '#cli/version-verdict.ts';
import recorded from '#test/fixtures/oracle/publish-version/applicationrevisions.json' with { type: 'json' };

const records = recordsOf('podinfo', recorded.items as unknown as KubeObject[]);
const at = { lastTransitionTime: '2026-11-24T12:00:00Z' };

function condition(type: string, status: 'True' | 'False', reason: string, message = ''): Condition {
  return { ...at, type, status, reason, message };
}

function application(status: ApplicationStatus, annotations: Record<string, string> = {}, components: Component[] = []): Application {
  return {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: 'app', namespace: 'ns', generation: 2, annotations },
    spec: { components },
    status: { observedGeneration: 2, ...status },
  };
}

const id = (letter: string): string => letter.repeat(40);
const told = (letters: string): string =>
  letters
    .split('')
    .map((letter) => letter.repeat(12))
    .join(' ');

describe('a wait for a commit', () => {
  const component = (name: string, url = 'u'): Component => ({ name, type: 'kustomize', properties: { url, git: { branch: 'main' } } });
  const service = (name: string, recent: string, more: Record<string, string> = {}, healthy = true, message = '') => ({
    name,
    healthy,
    message,
    details: { branch: 'main', ...(recent ? { commit: id(recent[0]!), recent: told(recent) } : {}), ...more },
  });
  const memory = (): CommitMemory => ({ sinceMs: 0, holding: new Set(), tips: new Map() });
  const judge = (
    services: ReturnType<typeof service>[],
    options: {
      memory?: CommitMemory;
      nowMs?: number;
      status?: ApplicationStatus;
      annotations?: Record<string, string>;
      components?: Component[];
      commit?: string;
    } = {},
  ) => {
    const components = options.components ?? services.map(({ name }) => component(name));
    const of = application({ status: 'running', services, ...options.status }, options.annotations, components);
    return commitVerdict(of, options.commit ?? id('x'), options.memory ?? memory(), options.nowMs ?? 0);
  };

  it('ends with the commit itself, by all of its digits or some, and with a descendant', () => {
    expect(judge([service('a', 'xp')])).toEqual({ state: 'done', text: 'xxxxxxx is applied and healthy (a)' });
    expect(judge([service('a', 'xp')], { commit: 'xxxxxxx' }).state).toBe('done');
    expect(judge([service('a', 'zyxp')])).toEqual({ state: 'done', text: 'xxxxxxx is applied with zzzzzzz and healthy (a)' });
  });

  it('goes on while it is not there, or not well', () => {
    expect(judge([service('a', '')])).toEqual({
      state: 'waiting',
      text: 'xxxxxxx is not applied: a has pulled nothing yet',
      unpulled: true,
    });
    expect(judge([service('a', 'p')])).toEqual({ state: 'waiting', text: 'xxxxxxx is not applied: a is at main@ppppppp', unpulled: true });
    expect(judge([service('a', 'x', {}, false, 'Deployment/web: 0 of 1 ready')])).toEqual({
      state: 'waiting',
      text: 'component a is not healthy yet: Deployment/web: 0 of 1 ready',
    });
  });

  it('is for all components of the branch, and for no other', () => {
    expect(judge([service('a', 'xp'), service('b', 'p')]).text).toBe('component b has not applied xxxxxxx yet');
    const components = [component('a'), component('b', 'other')];
    expect(judge([service('a', 'xp'), service('b', 'q', {}, false)], { components }).state).toBe('done');
  });

  it('fails where it cannot be applied, or is not well for good; a failure that is tried again is waited for', () => {
    const broken = service('a', 'p', { failing: told('x'), reason: 'BUILD_FAILED' }, false, 'kustomize says no');
    const stalled = { conditions: [condition('Stalled', 'True', 'BuildFailed')] };
    expect(judge([broken], { status: stalled })).toEqual({ state: 'failed', text: 'component a: BUILD_FAILED: kustomize says no' });
    expect(judge([broken]).state).toBe('waiting');
    expect(judge([service('a', 'p', { failing: told('y'), reason: 'BUILD_FAILED' }, false)], { status: stalled }).state).toBe('waiting');
    expect(judge([service('a', 'x', { health: 'Failed' }, false, 'Deployment/web: too slow')])).toEqual({
      state: 'failed',
      text: 'component a is unhealthy: Deployment/web: too slow',
    });
  });

  it('is held by a hold, a suspension, a suspended workflow', () => {
    expect(judge([service('a', 'p')], { annotations: { 'lateen.dev/hold': 'app-v1' } }).text).toBe(
      'app is held at app-v1; lateen resume app ends that',
    );
    expect(judge([service('a', 'p', { reason: 'SUSPENDED' })]).state).toBe('held');
    expect(judge([service('a', 'p')], { status: { status: 'workflowSuspending' } }).state).toBe('held');
    expect(judge([service('a', 'x')], { annotations: { 'lateen.dev/hold': 'app-v1' } }).state).toBe('done');
  });

  it('is superseded where the branch had it and has it no more', () => {
    const seen = memory();
    expect(judge([service('a', 'xp', {}, false)], { memory: seen }).state).toBe('waiting');
    expect(judge([service('a', 'yp', {}, false)], { memory: seen })).toEqual({
      state: 'superseded',
      text: 'main has moved to yyyyyyy, which does not contain xxxxxxx',
    });
  });

  it('is superseded where the branch moves past it long after the wait began, and only then', () => {
    const seen = memory();
    judge([service('a', 'p')], { memory: seen });
    expect(judge([service('a', 'qp')], { memory: seen, nowMs: 30_000 }).state).toBe('waiting');
    expect(judge([service('a', 'qp')], { memory: seen, nowMs: 90_000 }).state).toBe('waiting');
    expect(judge([service('a', 'rqp')], { memory: seen, nowMs: 90_000 }).state).toBe('superseded');
  });

  it('knows a descendant by the descendants of it that it has seen, and gives the benefit of the doubt beyond what is told', () => {
    const seen = memory();
    judge([service('a', 'xp', {}, false)], { memory: seen });
    expect(judge([service('a', 'zyx', {}, false)], { memory: seen }).state).toBe('waiting');
    expect(judge([service('a', 'wz')], { memory: seen }).state).toBe('done');
    const many = '0123456789abcdefghij';
    expect(judge([service('a', many)], { memory: seen }).state).toBe('done');
    expect(judge([service('a', 'k0')], { memory: seen }).state).toBe('done');
  });
});

describe('a wait for a version', () => {
  const workflow: WorkflowStatus = { appRevision: 'v2', mode: 'DAG-DAG', suspend: false, terminated: false, finished: false };
  const pinned = { 'app.oam.dev/publishVersion': 'v2' };

  it('ends when it runs and all is well', () => {
    const done = { status: 'running' as const, workflow: { ...workflow, finished: true } };
    expect(versionVerdict(application(done, pinned), 'v2', true)).toEqual({ state: 'done', text: 'app runs v2 and is healthy' });
  });

  it('goes on while it does not run, or its components are under way', () => {
    const old = { status: 'running' as const, workflow: { ...workflow, appRevision: 'v1', finished: true } };
    expect(versionVerdict(application(old, pinned), 'v2', false)).toEqual({ state: 'waiting', text: 'app does not run v2 yet' });
    const running = { status: 'runningWorkflow' as const, workflow, services: [{ name: 'web', healthy: false, message: 'Ready:0/1' }] };
    expect(versionVerdict(application(running, pinned), 'v2', true).text).toBe('component web is not healthy yet: Ready:0/1');
  });

  it('fails where the workflow has, where it is refused, where a person has to act', () => {
    const failed = { status: 'workflowFailed' as const, workflow: { ...workflow, finished: true, message: 'step web: Timeout' } };
    expect(versionVerdict(application(failed, pinned), 'v2', true)).toEqual({
      state: 'failed',
      text: 'the workflow of v2 failed: step web: Timeout',
    });
    const old = { status: 'running' as const, workflow: { ...workflow, appRevision: 'v1', finished: true } };
    const reused = { ...old, conditions: [condition('Revision', 'False', 'VersionReused', 'was used for another spec')] };
    expect(versionVerdict(application(reused, pinned), 'v2', false)).toEqual({
      state: 'failed',
      text: 'VERSION_REUSED: was used for another spec',
    });
    const unseen = { ...reused, observedGeneration: 1 };
    expect(versionVerdict(application(unseen, pinned), 'v2', false).state).toBe('waiting');
    const stalled = { status: 'runningWorkflow' as const, workflow, conditions: [condition('Stalled', 'True', 'ApplyFailed', 'no')] };
    expect(versionVerdict(application(stalled, pinned), 'v2', true)).toEqual({ state: 'failed', text: 'APPLY_FAILED: no' });
  });

  it('is held by another revision, or by its own suspended workflow', () => {
    const old = { status: 'running' as const, workflow: { ...workflow, appRevision: 'v1', finished: true } };
    const held = { ...old, conditions: [condition('Revision', 'True', 'Held', 'Held at v1')] };
    const annotations = { ...pinned, 'lateen.dev/hold': 'app-v1' };
    expect(versionVerdict(application(held, annotations), 'v2', false).state).toBe('held');
    expect(versionVerdict(application(old, annotations), 'v2', false).state).toBe('waiting');
    const suspended = { status: 'workflowSuspending' as const, workflow: { ...workflow, suspend: true } };
    expect(versionVerdict(application(suspended, pinned), 'v2', true).state).toBe('held');
  });

  it('is superseded where another runs that took its place before it was healthy', () => {
    const next = { status: 'runningWorkflow' as const, workflow: { ...workflow, appRevision: 'v3' } };
    expect(versionVerdict(application(next, { 'app.oam.dev/publishVersion': 'v3' }), 'v2', true)).toEqual({
      state: 'superseded',
      text: 'v2 was replaced by v3 before it was healthy',
    });
    const latestRevision = { name: 'podinfo-v3', revision: 3, revisionHash: '' };
    const now = application({ latestRevision }, { 'app.oam.dev/publishVersion': 'beta1' });
    expect(formerVerdict(now, 'alpha2', records)?.state).toBe('done');
    const unwell = records.map((record) => ({ ...record, succeeded: false }));
    expect(formerVerdict(now, 'alpha2', unwell)).toEqual({
      state: 'superseded',
      text: 'podinfo-v2 (alpha2) was replaced by podinfo-v3 before it was healthy',
    });
    expect([formerVerdict(now, 'gamma', records), formerVerdict(now, 'beta1', records)]).toEqual([undefined, undefined]);
    const back = application(
      { latestRevision: { name: 'podinfo-v1', revision: 1, revisionHash: '' } },
      { 'app.oam.dev/publishVersion': 'alpha1' },
    );
    expect(formerVerdict(back, 'alpha2', unwell)?.state).toBe('superseded');
    expect(
      formerVerdict(
        back,
        'alpha2',
        unwell.map((record) => ({ ...record, workflow: undefined })),
      ),
    ).toBeUndefined();
    expect(formerVerdict(application({ latestRevision }, { 'lateen.dev/hold': 'podinfo-v2' }), 'alpha2', unwell)).toBeUndefined();
  });
});
