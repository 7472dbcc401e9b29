import { describe, expect, it } from 'vitest';
import { agentSettings } from '#agent/settings.ts';
import { flagName, readSettings } from '#core/settings.ts';
import { bareTemplate, objectsOf, only, podOf, type PodTemplate, type Rule, template } from '#test/support/helm.ts';

const NAME = 'lateen-agent';

/** Settings that no value of the chart changes, and why. */
const FIXED: Record<string, string> = {
  kustomize: 'it stands in the image',
  kubeconfig: 'the Pod has a token',
  context: 'the Pod has a token',
  identity: 'the name of the Pod, by the environment',
};

async function pod(...args: string[]): Promise<PodTemplate> {
  return podOf(objectsOf(await template(NAME, 'tenant', ...args)));
}

async function rulesOf(...args: string[]): Promise<Rule[]> {
  return only(objectsOf(await template(NAME, 'tenant', ...args)), 'Role')['rules'] as Rule[];
}

const withRule = (rule: unknown): string[] => ['--set-json', `rbac.rules=${JSON.stringify([rule])}`];

describe('the agent chart', () => {
  it('starts the agent with its own defaults', async () => {
    const { spec } = await pod();
    const given = readSettings(agentSettings, spec.containers[0]!.args, {});
    const { cacheDir: _, ...defaults } = readSettings(agentSettings, ['--namespace=tenant', '--applications=all'], {});
    expect(given).toEqual({ ...defaults, cacheDir: '/var/cache/lateen' });
  });

  it('passes every setting to the agent, or says why not', async () => {
    const { args } = (await pod()).spec.containers[0]!;
    const passed = args.map((arg) => /^--([a-z-]+)=/.exec(arg)![1]!);
    const names = Object.keys(agentSettings).filter((name) => !(name in FIXED));
    expect(passed.toSorted()).toEqual(names.map(flagName).toSorted());
  });

  it('puts what the values say on the pod', async () => {
    const texts = 'podLabels.a=b,podAnnotations.c=d,nodeSelector.e=f,imagePullSecrets={g},image.tag=h,priorityClassName=i';
    const { metadata, spec } = await pod('--set', texts, '--set-json', 'tolerations=[{"operator":"Exists"}]');
    expect(metadata).toMatchObject({ labels: { a: 'b' }, annotations: { c: 'd' } });
    expect(spec).toMatchObject({
      containers: [{ image: 'registry.test/lateen:h', command: ['tini', '--', 'lateen-agent'] }],
      nodeSelector: { e: 'f' },
      imagePullSecrets: [{ name: 'g' }],
      tolerations: [{ operator: 'Exists' }],
      priorityClassName: 'i',
    });
  });

  it('asks which Applications it reconciles, together with what else is missing', async () => {
    const words = /image\.repository is not set.*\n +applications is not set\. Pass --set applications=all where there is no vela-core/;
    await expect(bareTemplate(NAME, 'tenant')).rejects.toThrow(words);
    await expect(template(NAME, 'tenant', '--set=applications=some')).rejects.toThrow(/applications.*must be one of/);
  });

  it('replaces a running agent by one that stands by, but one whose volume cannot be shared it stops first', async () => {
    const strategy = async (...args: string[]): Promise<unknown> =>
      (only(objectsOf(await template(NAME, 'tenant', ...args)), 'Deployment') as { spec?: { strategy: unknown } }).spec?.strategy;
    expect(await strategy()).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    const volume = '--set=cache.volume=persistentVolumeClaim';
    expect(await strategy(volume)).toEqual({ type: 'Recreate' });
    expect(await strategy(volume, '--set=cache.accessMode=ReadWriteMany')).toMatchObject({ type: 'RollingUpdate' });
    await expect(template(NAME, 'tenant', volume, '--set=replicas=2')).rejects.toThrow(
      'replicas is 2 and cache.accessMode is ReadWriteOnce: two pods cannot share that volume',
    );
  });
});

describe('the Role of the agent', () => {
  it('names every group, resource and verb, and none that widens rights', async () => {
    const rules = await rulesOf();
    const of = (field: 'apiGroups' | 'resources' | 'verbs'): string[] => [...new Set(rules.flatMap((rule) => rule[field]))].toSorted();
    const groups = ['', 'apps', 'autoscaling', 'batch', 'coordination.k8s.io', 'core.oam.dev', 'networking.k8s.io', 'policy'];
    expect(of('apiGroups')).toEqual(groups);
    expect(of('verbs')).toEqual(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']);
    // To say why they do not start.
    expect(rules.filter(({ resources }) => resources.includes('pods'))).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    ]);
    for (const resource of ['*', 'roles', 'rolebindings', 'serviceaccounts/token', 'pods/exec'])
      expect(of('resources')).not.toContain(resource);
  });

  it('takes rbac.rules in the place of the default rules', async () => {
    const mine = { apiGroups: ['example.org'], resources: ['widgets'], verbs: ['get'] };
    const rules = await rulesOf(...withRule(mine));
    expect(rules.at(-1)).toEqual(mine);
    expect(rules.flatMap(({ resources }) => resources)).not.toContain('deployments');
    expect(await rulesOf('--set-json', 'rbac.rules=[]')).toEqual(rules.slice(0, -1));
  });

  it('reads Secrets alone where rbac.secrets says so, and leaves the rest of such a rule', async () => {
    const write = ['create', 'patch', 'delete', 'update', 'deletecollection'];
    const rules = await rulesOf('--set=rbac.secrets=read');
    expect(rules.filter(({ resources }) => resources.includes('secrets'))).toEqual([
      { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] },
    ]);
    expect(rules.find(({ resources }) => resources.includes('services'))?.verbs).toContain('patch');
    const mine = { apiGroups: [''], resources: ['secrets'], verbs: write, resourceNames: ['a'] };
    const left = await rulesOf('--set=rbac.secrets=read', ...withRule(mine));
    expect(left.flatMap(({ resources }) => resources)).not.toContain('secrets');
    const some = await rulesOf('--set=rbac.secrets=read', ...withRule({ ...mine, verbs: ['get', ...write] }));
    expect(some.at(-1)).toEqual({ ...mine, verbs: ['get'] });
  });

  it.each([
    ['verbs', '*', { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', '*'] }],
    ['verbs', 'escalate', { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: ['escalate'] }],
    ['verbs', 'bind', { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: ['bind'] }],
    ['verbs', 'impersonate', { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] }],
    ['resources', '*', { apiGroups: ['apps'], resources: ['*'], verbs: ['get'] }],
    ['resources', '*/scale', { apiGroups: ['apps'], resources: ['*/scale'], verbs: ['get'] }],
    ['apiGroups', '*', { apiGroups: ['*'], resources: ['deployments'], verbs: ['get'] }],
  ])('refuses %s %s, in words', async (field, value, rule) => {
    const message = await template(NAME, 'tenant', ...withRule(rule)).then(String, (error: Error) => error.message);
    expect(message).toContain(`rbac.rules[0].${field} holds "${value}": `);
    // Whoever switches the schema off gets no further.
    const unchecked = template(NAME, 'tenant', '--skip-schema-validation', ...withRule(rule));
    await expect(unchecked).rejects.toThrow(`rbac.rules[0].${field} holds "${value}": `);
  });

  it('refuses a rule that is not of a namespace, and a value that names cluster-admin', async () => {
    const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'], nonResourceURLs: ['/'] };
    await expect(template(NAME, 'tenant', ...withRule(rule))).rejects.toThrow('nonResourceURLs');
    const words = 'a value names cluster-admin';
    await expect(template(NAME, 'tenant', '--set=podLabels.role=cluster-admin')).rejects.toThrow(words);
    const named = {
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: ['clusterroles'],
      verbs: ['get'],
      resourceNames: ['cluster-admin'],
    };
    await expect(template(NAME, 'tenant', ...withRule(named))).rejects.toThrow(words);
  });
});
