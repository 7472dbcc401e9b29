import { describe, expect, it } from 'vitest';
import type { Cause } from '#api/failure.ts';
import { applicationOf, mistakesOf } from './cases.ts';

const component = { name: 'web', type: 'worker', properties: { image: 'x' } };
const workflow = (value: unknown): Record<string, unknown> => applicationOf(component, { workflow: value });
const steps = (...list: unknown[]): Record<string, unknown> => workflow({ steps: list });
const apply = (rest: Record<string, unknown> = {}): Record<string, unknown> => ({
  type: 'apply-component',
  properties: { component: 'web' },
  ...rest,
});

function cause(at: string, code: Cause['code'], says: string, rest: Pick<Cause, 'value' | 'remedy'>): Cause {
  const path = `spec.workflow${at}`;
  return { path, code, message: `${path} ${says}`, ...rest };
}

const notYet = (at: string, value?: string): Cause =>
  cause(at, 'Unsupported', 'is not implemented in this version', { ...(value === undefined ? {} : { value }), remedy: 'remove it' });

function unknownStep(at: string, type: string): Cause {
  const says = `is a workflow step type that this version does not know, received "${type}"; it knows "apply-component", "suspend" and "deploy"`;
  return cause(at, 'UnknownStepType', says, { value: type, remedy: 'use one of them' });
}

describe('a workflow', () => {
  const cases: [name: string, application: unknown, causes: Cause[]][] = [
    ['with one step', steps(apply({ name: 'deploy' })), []],
    [
      'with an order and modes',
      workflow({ mode: { steps: 'DAG', subSteps: 'StepByStep' }, steps: [apply({ name: 'a' }), apply({ name: 'b', dependsOn: ['a'] })] }),
      [],
    ],
    ['with steps that have no name', steps(apply(), apply({ dependsOn: ['step-0'] })), []],
    ['with the empty parameters of vela', steps(apply({ properties: { component: 'web', cluster: '', namespace: '' } })), []],
    ['without steps', workflow({}), []],
    ['that is a list', workflow([]), [cause('', 'InvalidType', 'must be a map, received a list', { remedy: 'write it as a map' })]],
    ['of another object', workflow({ ref: 'deploy' }), []],
    [
      'of another object and steps',
      workflow({ ref: 'deploy', steps: [] }),
      [cause('', 'InvalidValue', 'has "ref" and "steps", which exclude each other', { remedy: 'keep one of them' })],
    ],
    [
      'with a mode that is none',
      workflow({ mode: { steps: 'dag' } }),
      [
        cause('.mode.steps', 'InvalidValue', 'must be one of "DAG" and "StepByStep", received "dag"', {
          value: 'dag',
          remedy: 'did you mean "DAG"?',
        }),
      ],
    ],
    [
      'with a misspelt field',
      workflow({ step: [] }),
      [cause('.step', 'UnknownField', 'is not a field of a workflow', { remedy: 'did you mean "steps"?' })],
    ],
    [
      'with a step that has no type',
      steps({ name: 'a' }),
      [cause('.steps[0].type', 'Required', 'is required', { remedy: 'add type: type of the step' })],
    ],
    [
      'with a misspelt field of a step',
      steps(apply({ dependson: [] })),
      [cause('.steps[0].dependson', 'UnknownField', 'is not a field of a workflow step', { remedy: 'did you mean "dependsOn"?' })],
    ],
    ...['step-group', 'notification', 'apply-object'].map((type): [string, unknown, Cause[]] => [
      `with ${type}`,
      steps({ name: 'a', type }),
      [unknownStep('.steps[0].type', type)],
    ]),
    [
      'with a misspelt type',
      steps({ type: 'apply-componnet' }),
      [
        cause(
          '.steps[0].type',
          'UnknownStepType',
          'is a workflow step type that this version does not know, received "apply-componnet"; it knows "apply-component", "suspend" and "deploy"',
          { value: 'apply-componnet', remedy: 'did you mean "apply-component"?' },
        ),
      ],
    ],
    [
      'with a name twice',
      steps(apply({ name: 'a' }), apply({ name: 'a' })),
      [cause('.steps[1].name', 'Duplicate', 'is the name of steps[0] too: "a"', { value: 'a', remedy: 'give each its own name' })],
    ],
    [
      'with the default name of an earlier step',
      steps(apply(), apply({ name: 'step-0' })),
      [
        cause('.steps[1].name', 'Duplicate', 'is the name of steps[0] too: "step-0"', {
          value: 'step-0',
          remedy: 'give each its own name',
        }),
      ],
    ],
    [
      'with a step of no component',
      steps(apply({ properties: {} })),
      [cause('.steps[0].properties.component', 'Required', 'is required', { remedy: 'add component: name of the component to apply' })],
    ],
    [
      'with a step without properties',
      steps({ type: 'apply-component' }),
      [cause('.steps[0].properties.component', 'Required', 'is required', { remedy: 'add component: name of the component to apply' })],
    ],
    [
      'with a step of an unknown component',
      steps(apply({ properties: { component: 'wep' } })),
      [
        cause('.steps[0].properties.component', 'UnknownDependency', 'names no component of this Application, received "wep"', {
          value: 'wep',
          remedy: 'did you mean "web"?',
        }),
      ],
    ],
    [
      'with a step of a misspelt property',
      steps(apply({ properties: { component: 'web', namspace: 'x' } })),
      [
        cause('.steps[0].properties.namspace', 'UnknownField', 'is not a property of apply-component', {
          remedy: 'did you mean "namespace"?',
        }),
      ],
    ],
    [
      'with a step for another cluster',
      steps(apply({ properties: { component: 'web', cluster: 'eu' } })),
      [notYet('.steps[0].properties.cluster', 'eu')],
    ],
    [
      'with a dependsOn that names no step',
      steps(apply({ name: 'deploy' }), apply({ name: 'b', dependsOn: ['deplyo'] })),
      [
        cause('.steps[1].dependsOn[0]', 'UnknownDependency', 'names no step of this Application, received "deplyo"', {
          value: 'deplyo',
          remedy: 'did you mean "deploy"?',
        }),
      ],
    ],
    [
      'with steps that wait for each other',
      steps(apply({ name: 'a', dependsOn: ['b'] }), apply({ name: 'b', dependsOn: ['a'] })),
      [
        cause('.steps[0].dependsOn', 'DependencyCycle', 'makes steps wait for each other: a -> b -> a', {
          remedy: 'remove one of the dependsOn of "a" and "b"',
        }),
      ],
    ],
    ['with suspend', steps({ type: 'suspend', properties: { duration: '1h', message: 'wait' } }), []],
    ['with deploy', steps({ type: 'deploy', properties: { policies: ['a', 'b'], auto: false, parallelism: 2 } }), []],
    ['with a step that runs always, and not for ever', steps(apply({ if: 'always', timeout: '5m' })), []],
    [
      'with a condition',
      steps(apply({ if: 'status.a.succeeded' })),
      [
        cause('.steps[0].if', 'Unsupported', 'is an expression, which is not implemented in this version, received "status.a.succeeded"', {
          value: 'status.a.succeeded',
          remedy: 'write always, or remove it',
        }),
      ],
    ],
    [
      'with durations that are none',
      steps(apply({ timeout: '1d' }), { type: 'suspend', properties: { duration: '5' } }),
      [
        cause('.steps[0].timeout', 'InvalidDuration', 'must be a duration such as 5m or 1h30m, received "1d"', {
          value: '1d',
          remedy: 'write 24h',
        }),
        cause('.steps[1].properties.duration', 'InvalidDuration', 'must be a duration such as 5m or 1h30m, received "5"', {
          value: '5',
          remedy: 'add a unit: 5s or 5m',
        }),
      ],
    ],
    [
      'with a misspelt property of deploy',
      steps({ type: 'deploy', properties: { polices: [] } }),
      [
        cause('.steps[0].properties.polices', 'UnknownField', 'is not a property of deploy', {
          remedy: 'did you mean "policies"?',
        }),
      ],
    ],
    [
      'with what a later version will run',
      steps(apply({ inputs: [], outputs: [], mode: 'DAG', subSteps: [] })),
      [notYet('.steps[0].inputs'), notYet('.steps[0].outputs'), notYet('.steps[0].mode', 'DAG'), notYet('.steps[0].subSteps')],
    ],
  ];
  it.each(cases)('%s', (_, application, causes) => {
    expect(mistakesOf(application)).toEqual(causes);
  });
});
