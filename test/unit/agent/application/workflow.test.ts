import { describe, expect, it } from 'vitest';
import type { Application, ApplicationSpec } from '#api/application.ts';
import { Failure } from '#api/failure.ts';
import type { ComponentResult } from '#agent/application/component-loop.ts';
import { advance, planOf } from '#agent/application/workflow.ts';

const spec: ApplicationSpec = {
  components: [
    { name: 'front', type: 'webservice', dependsOn: ['back'] },
    { name: 'back', type: 'worker' },
  ],
};

function application(changes: Partial<ApplicationSpec> = {}): Application {
  return {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: 'a', namespace: 'n' },
    spec: { ...spec, ...changes },
  };
}

function well(revision = 'a-v1'): ComponentResult {
  return { state: 'settled', revision, healthy: true, applied: true, message: '' };
}

const now = '2026-01-01T00:00:00Z';

function phases(results: Record<string, ComponentResult>, before?: ReturnType<typeof advance>, token = 'a-v1') {
  const workflow = advance(planOf(application()), { token, now, before, result: (name) => results[name] });
  return { workflow, phases: Object.fromEntries((workflow.steps ?? []).map(({ name, phase }) => [name, phase])) };
}

describe('plan', () => {
  it('has one apply-component step per component where there is no workflow', () => {
    expect(planOf(application())).toEqual({
      mode: 'DAG-DAG',
      steps: [
        { name: 'front', component: 'front', dependsOn: ['back'] },
        { name: 'back', component: 'back', dependsOn: [] },
      ],
    });
  });

  it('runs the steps of a workflow one after the other unless its mode says DAG', () => {
    const steps = [
      { type: 'apply-component', name: 'one', properties: { component: 'back' } },
      { type: 'apply-component', properties: { component: 'front' } },
    ];

    expect(planOf(application({ workflow: { steps } }))).toEqual({
      mode: 'StepByStep-DAG',
      steps: [
        { name: 'one', component: 'back', dependsOn: [] },
        { name: 'step-1', component: 'front', dependsOn: ['one'] },
      ],
    });
    expect(planOf(application({ workflow: { steps, mode: { steps: 'DAG' } } })).steps[1]?.dependsOn).toEqual([]);
  });
});

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
