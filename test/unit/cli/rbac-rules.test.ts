import { describe, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { covers, type Rule, rulesOf } from '#cli/access.ts';
import { grantsOf, missingText, ownRules, rightsIn, type Served, smallestRules } from '#cli/rbac-rules.ts';

const APPLIED = ['get', 'list', 'watch', 'create', 'patch', 'delete'];
const served = (group: string, resource: string): Served => ({ group, resource, kind: resource });
const rules = (kinds: Served[], secrets: string[] = [], granted: Rule[] = []): Rule[] =>
  smallestRules({ kinds, secrets, granted }, 'team-a');

describe('the smallest rules', () => {
  it('one for each group, sorted, and nothing that the agent has anyway', () => {
    const kinds = [
      served('apps', 'statefulsets'),
      served('', 'services'),
      served('', 'configmaps'),
      served('apps', 'deployments'),
      served('core.oam.dev', 'applications'),
    ];
    expect(rules(kinds)).toEqual([
      { apiGroups: [''], resources: ['services'], verbs: APPLIED },
      { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs: APPLIED },
    ]);
    expect(rules([served('', 'configmaps')])).toEqual([]);
  });

  it('policies of Git need more than the reading that the agent has', () => {
    expect(rules([served('core.oam.dev', 'policies')])).toEqual([{ apiGroups: ['core.oam.dev'], resources: ['policies'], verbs: APPLIED }]);
  });

  it('Secrets that are named are read by name, unless Git has Secrets', () => {
    expect(rules([], ['git', 'registry', 'git'])).toEqual([
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['git', 'registry'], verbs: ['get', 'list', 'watch'] },
    ]);
    expect(rules([served('', 'secrets')], ['git'])).toEqual([{ apiGroups: [''], resources: ['secrets'], verbs: APPLIED }]);
  });

  it('hold what Roles of Git grant: nobody grants what they do not have', () => {
    const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
    const role = (name: string, kind = 'Role'): KubeObject => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind,
      metadata: { name },
      rules: [rule],
    });
    expect(grantsOf([role('a'), role('b'), role('c', 'RoleBinding')])).toEqual([rule]);
    expect(rules([], [], [rule])).toEqual([rule]);
  });
});

describe('a rule', () => {
  const named: Rule = { apiGroups: [''], resources: ['secrets'], resourceNames: ['git'], verbs: ['get'] };

  it.each([
    [{ group: '', resource: 'secrets', verb: 'get', name: 'git' }, true],
    [{ group: '', resource: 'secrets', verb: 'get', name: 'other' }, false],
    [{ group: '', resource: 'secrets', verb: 'get' }, false],
    [{ group: 'x', resource: 'secrets', verb: 'get', name: 'git' }, false],
  ])('by name covers %j: %s', (right, answer) => {
    expect(covers(named, right)).toBe(answer);
  });

  it('with stars covers everything', () => {
    expect(covers({ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, { group: 'a', resource: 'b', verb: 'c', name: 'd' })).toBe(true);
  });

  it('covers all of its own rights', () => {
    const own = ownRules('team-a');
    for (const right of rightsIn(own)) expect(own.some((rule) => covers(rule, right))).toBe(true);
  });

  it('is read from whatever a Role may be', () => {
    const role = {
      apiVersion: 'x',
      kind: 'Role',
      metadata: {},
      rules: [null, { apiGroups: [5, 'apps'], resources: 'x', verbs: ['get'] }],
    } as KubeObject;
    expect(rulesOf(role)).toEqual([{ apiGroups: ['apps'], resources: [], verbs: ['get'] }]);
    expect(rulesOf(undefined)).toEqual([]);
  });
});

it('rights are told by what they are about', () => {
  const rights = ['create', 'patch'].map((verb) => ({ group: 'apps', resource: 'deployments', verb }));
  expect(missingText([...rights, { group: '', resource: 'secrets', verb: 'get', name: 'git' }])).toEqual([
    'create, patch deployments.apps',
    'get secrets/git',
  ]);
});
