import { describe, expect, it } from 'vitest';
import { causeSentence, checkApplication } from '#api/check.ts';
import type { Cause } from '#api/failure.ts';
import { applicationOf, gitOpsApplication, mistakesOf } from './cases.ts';

const worker = (name: string, rest: Record<string, unknown> = {}): Record<string, unknown> => ({
  name,
  type: 'worker',
  properties: { image: 'busybox' },
  ...rest,
});
const several = (...components: unknown[]): Record<string, unknown> => ({ metadata: { name: 'app' }, spec: { components } });

const label = 'must consist of lower-case letters, digits and "-", with a letter or digit at both ends, received';
const subdomain = 'must consist of lower-case letters, digits, "-" and ".", with a letter or digit at both ends, received';
const knownTypes = 'it knows "kustomize", "webservice" and "worker"';

/** A cause whose message starts with its path. */
function cause(path: string, code: Cause['code'], says: string, rest: Pick<Cause, 'value' | 'remedy'>): Cause {
  return { path, code, message: `${path} ${says}`, ...rest };
}

const notYet = (path: string, value?: string): Cause =>
  cause(path, 'Unsupported', 'is not implemented in this version', { ...(value === undefined ? {} : { value }), remedy: 'remove it' });

describe('an Application that may run', () => {
  it.each([
    ['the seed document', gitOpsApplication({ secretRef: 'git-secret', pullInterval: '10m', git: { branch: 'infra' } })],
    ['no components', { metadata: { name: 'app' }, spec: { components: [] } }],
    ['a webservice', applicationOf({ name: 'server', type: 'webservice', properties: { image: 'nginx' } })],
    ['components in order', several(worker('a'), worker('b', { dependsOn: ['a'] }), worker('c', { dependsOn: ['a', 'b'], traits: [] }))],
    ['a longest name', { metadata: { name: `a.${'b'.repeat(61)}` }, spec: { components: [] } }],
    ['a generated name', { metadata: { generateName: 'app-' }, spec: { components: [] } }],
    [
      'fields that the API server adds',
      { ...applicationOf(worker('a')), metadata: { name: 'app', uid: '1', managedFields: [] }, status: {} },
    ],
  ])('%s', (_, application) => {
    expect(checkApplication(application, { minIntervalMs: 10_000, namespace: 'default' })).toEqual({
      causes: [],
      unsupported: [],
    });
  });

  it('a namespace of its own serves where the caller names none; without either nothing is said of targetNamespace', () => {
    const application = gitOpsApplication({ targetNamespace: 'prod' });
    expect(checkApplication(application, {}).causes).toEqual([]);
    const placed = { ...application, metadata: { name: 'a', namespace: 'default' } };
    expect(checkApplication(placed, {}).causes.map(({ code }) => code)).toEqual(['InvalidValue']);
  });

  it('without a minimum any pullInterval over zero will do', () => {
    expect(checkApplication(gitOpsApplication({ pullInterval: '1ms' }), {}).causes).toEqual([]);
  });

  it('a publishVersion is nothing to complain about', () => {
    const application = {
      ...applicationOf(worker('a')),
      metadata: { name: 'app', annotations: { 'app.oam.dev/publishVersion': 'alpha1' } },
    };
    expect(checkApplication(application, {})).toEqual({ causes: [], unsupported: [] });
  });

  it('a workflow of suspend and deploy with policies may run', () => {
    const workflow = {
      mode: { steps: 'DAG' },
      steps: [
        { type: 'suspend', name: 'wait', properties: { duration: '5m', message: 'look at it' } },
        { type: 'deploy', name: 'deploy', timeout: '10m', properties: { policies: ['small', 'elsewhere'], auto: false } },
        { type: 'apply-component', name: 'last', if: 'always', dependsOn: ['deploy'], properties: { component: 'a' } },
      ],
    };
    const policies = [
      { name: 'small', type: 'override', properties: { components: [{ name: 'a', properties: { cpu: '1' } }] } },
      { name: 'here', type: 'topology', properties: { clusters: ['local'] } },
    ];
    expect(checkApplication({ ...applicationOf(worker('a')), spec: { components: [worker('a')], policies, workflow } }, {})).toEqual({
      causes: [],
      unsupported: [],
    });
  });
});

describe('mistakes in an Application', () => {
  const cases: [name: string, application: unknown, causes: Cause[]][] = [
    [
      'no map at all',
      'app',
      [
        {
          path: '',
          code: 'InvalidType',
          message: 'the Application must be a map, received the string "app"',
          value: 'app',
          remedy: 'write it as a map',
        },
      ],
    ],
    [
      'nothing at all',
      null,
      [
        {
          path: '',
          code: 'InvalidType',
          message: 'the Application must be a map, received nothing (null)',
          value: 'null',
          remedy: 'give it a value or remove it',
        },
      ],
    ],
    [
      'no metadata',
      { spec: { components: [] } },
      [cause('metadata', 'Required', 'is required', { remedy: 'add metadata: name, labels and annotations' })],
    ],
    [
      'no name',
      { metadata: {}, spec: { components: [] } },
      [cause('metadata.name', 'Required', 'is required', { remedy: 'add name: name of the Application' })],
    ],
    [
      'no spec',
      { metadata: { name: 'app' } },
      [cause('spec', 'Required', 'is required', { remedy: 'add spec: what the Application consists of' })],
    ],
    [
      'a spec that is text',
      { metadata: { name: 'app' }, spec: 'x' },
      [cause('spec', 'InvalidType', 'must be a map, received the string "x"', { value: 'x', remedy: 'write it as a map' })],
    ],
    [
      'no components',
      { metadata: { name: 'app' }, spec: {} },
      [cause('spec.components', 'Required', 'is required', { remedy: 'add components: the components of the Application' })],
    ],
    [
      'components that are a map',
      { metadata: { name: 'app' }, spec: { components: {} } },
      [cause('spec.components', 'InvalidType', 'must be a list, received a map', { remedy: 'write it as a list' })],
    ],
    [
      'a misspelt field of spec',
      { metadata: { name: 'app' }, spec: { components: [], policys: [] } },
      [cause('spec.policys', 'UnknownField', 'is not a field of spec', { remedy: 'did you mean "policies"?' })],
    ],
    [
      'an upper-case name',
      { metadata: { name: 'Infra_GitOps' }, spec: { components: [] } },
      [cause('metadata.name', 'InvalidName', `${subdomain} "Infra_GitOps"`, { value: 'Infra_GitOps', remedy: 'write infra-gitops' })],
    ],
    [
      'a name that no label can hold',
      { metadata: { name: 'a'.repeat(64) }, spec: { components: [] } },
      [
        cause('metadata.name', 'InvalidName', 'must have at most 63 characters, received 64', {
          value: 'a'.repeat(64),
          remedy: 'use a shorter name',
        }),
      ],
    ],
    [
      'a component that is nothing',
      several(null),
      [
        cause('spec.components[0]', 'InvalidType', 'must be a map, received nothing (null)', {
          value: 'null',
          remedy: 'give it a value or remove it',
        }),
      ],
    ],
    [
      'a component without name and type',
      several({}),
      [
        cause('spec.components[0].name', 'Required', 'is required', { remedy: 'add name: name of the component' }),
        cause('spec.components[0].type', 'Required', 'is required', { remedy: 'add type: type of the component' }),
      ],
    ],
    [
      'an empty name and type',
      several({ name: '', type: '' }),
      [
        cause('spec.components[0].name', 'InvalidName', 'must not be empty', { value: '', remedy: 'write a name' }),
        cause('spec.components[0].type', 'InvalidValue', 'must not be empty', { value: '', remedy: 'write a name' }),
      ],
    ],
    [
      'a name with a dot',
      several(worker('a.b')),
      [cause('spec.components[0].name', 'InvalidName', `${label} "a.b"`, { value: 'a.b', remedy: 'use another name' })],
    ],
    [
      'a name too long',
      several(worker('a'.repeat(64))),
      [
        cause('spec.components[0].name', 'InvalidName', 'must have at most 63 characters, received 64', {
          value: 'a'.repeat(64),
          remedy: 'use a shorter name',
        }),
      ],
    ],
    [
      'a name twice',
      several(worker('a'), worker('b'), worker('a')),
      [
        cause('spec.components[2].name', 'Duplicate', 'is the name of components[0] too: "a"', {
          value: 'a',
          remedy: 'give each its own name',
        }),
      ],
    ],
    [
      'a misspelt field of a component',
      several({ ...worker('a'), dependOn: [] }),
      [cause('spec.components[0].dependOn', 'UnknownField', 'is not a field of a component', { remedy: 'did you mean "dependsOn"?' })],
    ],
    [
      'a misspelt type',
      several({ name: 'a', type: 'kustomise' }),
      [
        cause(
          'spec.components[0].type',
          'UnknownComponentType',
          `is a component type that this version does not know, received "kustomise"; ${knownTypes}`,
          { value: 'kustomise', remedy: 'did you mean "kustomize"?' },
        ),
      ],
    ],
    [
      'a type of another version',
      several({ name: 'a', type: 'helm', properties: { chart: 'x' } }),
      [
        cause(
          'spec.components[0].type',
          'UnknownComponentType',
          `is a component type that this version does not know, received "helm"; ${knownTypes}`,
          { value: 'helm', remedy: 'use one of them' },
        ),
      ],
    ],
    [
      'a type named like a method',
      several({ name: 'a', type: 'constructor' }),
      [
        cause(
          'spec.components[0].type',
          'UnknownComponentType',
          `is a component type that this version does not know, received "constructor"; ${knownTypes}`,
          { value: 'constructor', remedy: 'use one of them' },
        ),
      ],
    ],
    [
      'properties of an unknown type that are no map',
      several({ name: 'a', type: 'helm', properties: [] }),
      [
        cause(
          'spec.components[0].type',
          'UnknownComponentType',
          `is a component type that this version does not know, received "helm"; ${knownTypes}`,
          { value: 'helm', remedy: 'use one of them' },
        ),
        cause('spec.components[0].properties', 'InvalidType', 'must be a map, received a list', { remedy: 'write it as a map' }),
      ],
    ],
    [
      'a type with a version',
      several({ ...worker('a'), type: 'worker@v2' }),
      [
        cause('spec.components[0].type', 'Unsupported', 'with a version ("worker@v2") is not implemented in this version', {
          value: 'worker@v2',
          remedy: 'write "worker"',
        }),
      ],
    ],
    [
      'fields for a later version',
      several({ ...worker('a'), inputs: [{ from: 'x' }], outputs: [{}], externalRevision: 'v1', scopes: {} }),
      [
        notYet('spec.components[0].inputs'),
        notYet('spec.components[0].outputs'),
        notYet('spec.components[0].externalRevision', 'v1'),
        notYet('spec.components[0].scopes'),
      ],
    ],
    [
      'a trait',
      several(worker('a', { traits: [{ type: 'scaler', properties: { replicas: 2 } }] })),
      [
        cause(
          'spec.components[0].traits[0].type',
          'UnknownTraitType',
          'is a trait type that this version does not know, received "scaler"; it knows none',
          { value: 'scaler', remedy: 'remove it' },
        ),
      ],
    ],
    [
      'a trait without a type',
      several(worker('a', { traits: [{}] })),
      [cause('spec.components[0].traits[0].type', 'Required', 'is required', { remedy: 'add type: type of the trait' })],
    ],
    ...['kustomize-patch', 'kustomize-json-patch', 'kustomize-strategy-merge'].map((type): [string, unknown, Cause[]] => [
      type,
      several(worker('a', { traits: [{ type }] })),
      [
        cause('spec.components[0].traits[0].type', 'Unsupported', `"${type}" is not implemented in this version`, {
          value: type,
          remedy: 'remove the trait',
        }),
      ],
    ]),
    [
      'a policy of another type, and one for elsewhere',
      applicationOf(worker('a'), {
        policies: [
          { name: 'x', type: 'replication' },
          { name: 'y', type: 'topology', properties: { clusters: ['eu'] } },
        ],
      }),
      [
        cause(
          'spec.policies[0].type',
          'UnknownPolicyType',
          'is a policy type that this version does not know, received "replication"; it knows "override" and "topology"',
          { value: 'replication', remedy: 'use one of them' },
        ),
        cause(
          'spec.policies[1].properties.clusters[0]',
          'Unsupported',
          'must be "local", received "eu": the agent knows its own cluster alone',
          { value: 'eu', remedy: 'write local' },
        ),
      ],
    ],
  ];
  it.each(cases)('%s', (_, application, causes) => {
    expect(mistakesOf(application)).toEqual(causes);
  });

  it('are told as one sentence each', () => {
    const [first] = mistakesOf(gitOpsApplication({ urll: 'x' }));
    expect(causeSentence(first!)).toBe('spec.components[0].properties.urll is not a property of kustomize; did you mean "url"?');
    expect(causeSentence({ message: 'no remedy' })).toBe('no remedy');
  });
});
