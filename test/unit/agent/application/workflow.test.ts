import { describe, expect, it } from 'vitest';
import type { ApplicationSpec, WorkflowStatus, WorkflowStep } from '#api/application.ts';
import { Failure } from '#api/failure.ts';
import type { ComponentResult } from '#agent/application/component-loop.ts';
import { planOf } from '#agent/revision/plan.ts';
import { type Advanced, advance, openComponents, runOf } from '#agent/application/workflow.ts';

const spec: ApplicationSpec = {
  components: [
    { name: 'front', type: 'webservice', dependsOn: ['back'] },
    { name: 'back', type: 'worker' },
  ],
};

function well(revision = 'a-v1'): ComponentResult {
  return { state: 'settled', revision, healthy: true, applied: true, message: '' };
}

const now = '2026-01-01T00:00:00Z';
const nowMs = Date.parse(now);

function run(
  spec_: ApplicationSpec,
  given: { results?: Record<string, ComponentResult>; before?: WorkflowStatus; token?: string; atMs?: number } = {},
): Advanced {
  const { results = {}, before, token = 'a-v1', atMs = nowMs } = given;
  return advance(planOf(spec_), { token, nowMs: atMs, before, result: (name) => results[name], runOf: runOf(token, spec_) });
}

function phasesOf({ workflow }: Advanced): Record<string, string> {
  return Object.fromEntries((workflow.steps ?? []).map(({ name, phase }) => [name, phase]));
}

function phases(results: Record<string, ComponentResult>, before?: WorkflowStatus, token = 'a-v1') {
  const advanced = run(spec, { results, token, ...(before ? { before } : {}) });
  return { workflow: advanced.workflow, phases: phasesOf(advanced) };
}

describe('workflow', () => {
  it('starts what depends on nothing and lets the rest wait', () => {
    expect(phases({}).phases).toEqual({ front: 'pending', back: 'running' });
  });

  it('goes on when a dependency is healthy, and is finished when all are', () => {
    const first = phases({ back: well() });
    expect(first.phases).toEqual({ front: 'running', back: 'succeeded' });
    expect(first.workflow).toMatchObject({ finished: false, status: 'executing', startTime: now });

    const second = phases({ back: well(), front: well() }, first.workflow);
    expect(second.workflow).toMatchObject({
      finished: true,
      status: 'succeeded',
      endTime: now,
      appRevision: 'a-v1',
      suspend: false,
      terminated: false,
    });
  });

  it('does not count what an older revision of the spec reached', () => {
    expect(phases({ back: well('a-v1') }, undefined, 'a-v2').phases).toEqual({ front: 'pending', back: 'running' });
  });

  it('keeps a step that has succeeded, though its component is unhealthy later', () => {
    const before = phases({ back: well(), front: well() }).workflow;

    expect(phases({ back: { ...well(), healthy: false }, front: well() }, before).workflow).toEqual(before);
  });

  it('says why a step waits', () => {
    const failure = new Failure('RefNotFound', 'there is no branch main', { remedy: 'use master' });
    const { workflow } = phases({ back: { ...well(), healthy: false, applied: false, failure } });

    expect(workflow.steps?.[1]).toMatchObject({ phase: 'running', reason: 'Wait', message: 'there is no branch main; use master' });
  });

  it('gives a step the same ten-character id at every run over one revision, and another one at the next', () => {
    const id = (token: string): string | undefined => phases({}, undefined, token).workflow.steps?.[0]?.id;

    expect(id('a-v1')).toMatch(/^[0-9a-z]{10}$/);
    expect(id('a-v1')).toBe(id('a-v1'));
    expect(id('a-v1')).not.toBe(id('a-v2'));
  });
});

describe('steps', () => {
  const apply = (component: string, rest: Partial<WorkflowStep> = {}): WorkflowStep => ({
    name: component,
    type: 'apply-component',
    properties: { component },
    ...rest,
  });
  const two = [
    { name: 'one', type: 'worker' },
    { name: 'two', type: 'worker' },
  ];
  const of = (steps: WorkflowStep[], mode?: 'DAG'): ApplicationSpec => ({
    components: two,
    workflow: { steps, ...(mode ? { mode: { steps: mode } } : {}) },
  });
  const ok = { one: well(), two: well() };

  it('suspend, and go on when a person resumes', () => {
    const steps = of([apply('one'), { name: 'wait', type: 'suspend', properties: { message: 'look' } }, apply('two')]);
    const first = run(steps, { results: ok });
    expect(phasesOf(first)).toEqual({ one: 'succeeded', wait: 'suspending', two: 'pending' });
    expect(first.workflow).toMatchObject({ suspend: true, status: 'suspending', finished: false });
    expect(first.workflow.steps?.[1]).toMatchObject({ reason: 'Suspend', message: 'look' });
    expect(run(steps, { results: ok, before: first.workflow }).workflow).toEqual(first.workflow);

    // What `vela workflow resume` writes.
    const resumed = {
      ...first.workflow,
      suspend: false,
      steps: first.workflow.steps!.map((step) => (step.phase === 'suspending' ? { ...step, phase: 'running' as const } : step)),
    };
    expect(run(steps, { results: ok, before: resumed }).workflow).toMatchObject({ finished: true, status: 'succeeded' });
  });

  it('suspend for a time, and wake when it is over', () => {
    const steps = of([{ name: 'wait', type: 'suspend', properties: { duration: '30s' } }, apply('one')]);
    const first = run(steps, { results: ok });
    expect(first.wakeInMs).toBe(30_000);
    expect(run(steps, { results: ok, before: first.workflow, atMs: nowMs + 10_000 }).wakeInMs).toBe(20_000);
    expect(phasesOf(run(steps, { results: ok, before: first.workflow, atMs: nowMs + 30_000 }))).toEqual({
      wait: 'succeeded',
      one: 'succeeded',
    });
  });

  it('begin no other step while a person has suspended the workflow', () => {
    const steps = of([apply('one'), apply('two')]);
    const first = run(steps);
    // What `vela workflow suspend` writes.
    const before: WorkflowStatus = {
      ...first.workflow,
      suspend: true,
      steps: first.workflow.steps!.map((step) => (step.phase === 'running' ? { ...step, phase: 'suspending' as const } : step)),
    };
    const paused = run(steps, { results: ok, before });
    expect(phasesOf(paused)).toEqual({ one: 'suspending', two: 'pending' });
    expect(paused.workflow).toMatchObject({ suspend: true, status: 'suspending' });
  });

  it('end when a person terminates, and stay ended', () => {
    const steps = of([apply('one'), apply('two')]);
    const first = run(steps);
    const before: WorkflowStatus = {
      ...first.workflow,
      terminated: true,
      steps: first.workflow.steps!.map((step) =>
        step.phase === 'running' ? { ...step, phase: 'failed' as const, reason: 'Terminate' } : step,
      ),
    };
    const ended = run(steps, { results: ok, before });
    expect(ended.workflow).toMatchObject({ status: 'terminated', terminated: true, finished: true, endTime: now });
    expect(run(steps, { results: ok, before: ended.workflow }).workflow).toEqual(ended.workflow);
  });

  it('fail after their timeout; what stands below is skipped unless it runs always', () => {
    const steps = of([apply('one', { timeout: '1m' }), apply('two'), { ...apply('two'), name: 'last', if: 'always' }]);
    const first = run(steps);
    expect(first.wakeInMs).toBe(60_000);
    const late = run(steps, { results: { two: well() }, before: first.workflow, atMs: nowMs + 60_000 });
    expect(phasesOf(late)).toEqual({ one: 'failed', two: 'skipped', last: 'succeeded' });
    expect(late.workflow).toMatchObject({ status: 'failed', terminated: true, finished: true, message: 'step one: Timeout' });
    expect(late.workflow.steps?.[0]).toMatchObject({ reason: 'Timeout', message: 'wait healthy' });
  });

  it('go on side by side in a DAG though one has failed', () => {
    const steps = of([apply('one', { timeout: '1m' }), apply('two'), { ...apply('two'), name: 'last', dependsOn: ['one'] }], 'DAG');
    const first = run(steps);
    const late = run(steps, { results: { two: well() }, before: first.workflow, atMs: nowMs + 60_000 });
    expect(phasesOf(late)).toEqual({ one: 'failed', two: 'succeeded', last: 'skipped' });
  });

  it('run again from the start where the status was removed, under the same token', () => {
    const done = run(spec, { results: { front: well(), back: well() } });
    expect(done.workflow.finished).toBe(true);
    expect(phasesOf(run(spec, { results: {} }))).toEqual({ front: 'pending', back: 'running' });
  });

  it('deploy components with the overrides of their policies, in the order of dependsOn', () => {
    const image = (name: string) => ({ components: [{ name: 'back', properties: { image: name } }] });
    const deploying: ApplicationSpec = {
      components: [
        { name: 'front', type: 'webservice', dependsOn: ['back'], properties: { image: 'a' } },
        { name: 'back', type: 'worker', properties: { image: 'a', cpu: '1' } },
      ],
      policies: [
        { name: 'canary', type: 'override', properties: { ...image('b'), selector: ['back'] } },
        { name: 'all', type: 'override', properties: image('c') },
      ],
      workflow: {
        steps: [
          { name: 'first', type: 'deploy', properties: { policies: ['canary'] } },
          { name: 'second', type: 'deploy', properties: { policies: ['all'], auto: false } },
        ],
      },
    };
    const plan = planOf(deploying);
    const opened = (results: Record<string, ComponentResult>, before?: WorkflowStatus) => {
      const { workflow } = run(deploying, { results, ...(before ? { before } : {}) });
      const open = openComponents(plan, { workflow, result: (name) => results[name], runOf: runOf('a-v1', deploying) });
      return { workflow, open: [...open].map(([name, { component, run: of_ }]) => [name, component.properties, of_]) };
    };

    const first = opened({});
    expect(first.open).toEqual([['back', { image: 'b', cpu: '1' }, 'a-v1 first']]);
    const waiting = opened({ back: well('a-v1 first') }, first.workflow);
    expect(waiting.workflow.steps?.map(({ phase }) => phase)).toEqual(['succeeded', 'suspending']);
    const approved = {
      ...waiting.workflow,
      suspend: false,
      steps: waiting.workflow.steps!.map((step) => (step.phase === 'suspending' ? { ...step, phase: 'running' as const } : step)),
    };
    const second = opened({ back: well('a-v1 first') }, approved);
    expect(second.open).toEqual([['back', { image: 'c', cpu: '1' }, 'a-v1 second']]);
    const third = opened({ back: well('a-v1 second') }, second.workflow);
    expect(third.open.map(([name]) => name)).toEqual(['back', 'front']);
  });
});

describe('a step that is out of time when the agent comes back', () => {
  const timed: ApplicationSpec = {
    components: [{ name: 'web', type: 'webservice' }],
    workflow: { steps: [{ name: 'deploy', type: 'apply-component', timeout: '2m', properties: { component: 'web' } }] },
  };
  const begun = run(timed, { results: { web: { ...well(), healthy: false } } }).workflow;
  const atMs = nowMs + 3 * 60_000;
  const later = (freshMs: number, results: Record<string, ComponentResult> = {}): Advanced => {
    const result = (name: string): ComponentResult | undefined => results[name];
    const knownSinceMs = atMs + freshMs - 60_000;
    return advance(planOf(timed), { token: 'a-v1', nowMs: atMs, before: begun, result, runOf: runOf('a-v1', timed), knownSinceMs });
  };

  it('waits for what its component has to say', () => {
    expect(later(40_000)).toMatchObject({ workflow: { steps: [{ phase: 'running' }] }, wakeInMs: 40_000 });
    expect(later(40_000, { web: { ...well(), state: 'working', healthy: false } }).workflow.steps).toMatchObject([{ phase: 'running' }]);
    expect(later(40_000, { web: well() }).workflow).toMatchObject({ status: 'succeeded', steps: [{ phase: 'succeeded' }] });
  });

  it('fails once that is no success, or does not come', () => {
    expect(later(40_000, { web: { ...well(), healthy: false } }).workflow.steps).toMatchObject([{ phase: 'failed', reason: 'Timeout' }]);
    expect(later(0).workflow.steps).toMatchObject([{ phase: 'failed', reason: 'Timeout' }]);
  });

  it('has no more than its time where the agent was there when it began', () => {
    const short: ApplicationSpec = { ...timed, workflow: { steps: [{ ...timed.workflow!.steps![0]!, timeout: '10s' }] } };
    const given = { token: 'a-v1', before: begun, result: () => undefined, runOf: runOf('a-v1', short), knownSinceMs: nowMs };
    const { steps } = advance(planOf(short), { ...given, nowMs: nowMs + 10_000 }).workflow;
    expect(steps).toMatchObject([{ phase: 'failed', reason: 'Timeout' }]);
  });
});
