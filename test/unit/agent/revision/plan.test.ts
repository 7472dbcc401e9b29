import { describe, expect, it } from 'vitest';
import type { ApplicationSpec } from '#api/application.ts';
import { planOf } from '#agent/revision/plan.ts';

const spec: ApplicationSpec = {
  components: [
    { name: 'front', type: 'webservice', dependsOn: ['back'] },
    { name: 'back', type: 'worker' },
  ],
};

function stepsOf(changes: Partial<ApplicationSpec>) {
  const { mode, steps } = planOf({ ...spec, ...changes });
  return { mode, steps: steps.map(({ name, type, dependsOn, components }) => [name, type, dependsOn, components.map((one) => one.name)]) };
}

describe('plan', () => {
  it('has one apply-component step per component where there is no workflow', () => {
    expect(stepsOf({})).toEqual({
      mode: 'DAG-DAG',
      steps: [
        ['front', 'apply-component', ['back'], ['front']],
        ['back', 'apply-component', [], ['back']],
      ],
    });
  });

  it('runs the steps of a workflow one after the other unless its mode says DAG', () => {
    const steps = [
      { type: 'apply-component', name: 'one', properties: { component: 'back' } },
      { type: 'apply-component', properties: { component: 'front' } },
    ];

    expect(stepsOf({ workflow: { steps } })).toEqual({
      mode: 'StepByStep-DAG',
      steps: [
        ['one', 'apply-component', [], ['back']],
        ['step-1', 'apply-component', ['one'], ['front']],
      ],
    });
    expect(stepsOf({ workflow: { steps, mode: { steps: 'DAG' } } }).steps[1]?.[2]).toEqual([]);
  });

  it('deploys everything once where there is an override, and once for each topology where there is one', () => {
    const override = { name: 'small', type: 'override', properties: { components: [{ name: 'back', properties: { cpu: '1' } }] } };
    expect(stepsOf({ policies: [override] }).steps).toEqual([['deploy', 'deploy', [], ['front', 'back']]]);
    expect(stepsOf({ policies: [override, { name: 'here', type: 'topology' }, { type: 'topology' }] }).steps).toEqual([
      ['deploy-here', 'deploy', [], ['front', 'back']],
      ['deploy-topology-auto-gen-2', 'deploy', [], ['front', 'back']],
    ]);
  });

  it('knows every component that a step delivers, those that an override adds included', () => {
    const added = {
      name: 'more',
      type: 'override',
      properties: { components: [{ name: 'extra', type: 'worker', properties: { image: 'x' } }] },
    };
    expect(planOf({ ...spec, policies: [added] }).components.map(({ name }) => name)).toEqual(['front', 'back', 'extra']);
    const one = { steps: [{ type: 'apply-component', properties: { component: 'back' } }] };
    expect(planOf({ ...spec, workflow: one }).components.map(({ name }) => name)).toEqual(['back']);
  });
});
