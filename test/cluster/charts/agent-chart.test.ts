import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '#api/kubernetes.ts';
import { agentSettings } from '#agent/settings.ts';
import { VERSION } from '#agent/version.ts';
import { readSettings } from '#core/settings.ts';
import { KUBERNETES_VERSION } from '#dev/versions.ts';
import { createNamespace, kubectl } from '#test/support/namespace.ts';

const run = promisify(execFile);
const CHARTS = fileURLToPath(new URL('../../../charts/', import.meta.url));

async function helm(...args: string[]): Promise<string> {
  return (await run(inject('plane').programs.helm, args, { timeout: 20_000 })).stdout;
}

async function template(namespace: string, ...args: string[]): Promise<string> {
  return helm('template', 'lateen-agent', `${CHARTS}lateen-agent`, '--namespace', namespace, '--kube-version', KUBERNETES_VERSION, ...args);
}

interface PodTemplate {
  spec: { containers: { args: string[] }[] };
}

/** The pod of the agent's Deployment, the last of the objects. */
function podOf(text: string): PodTemplate {
  const deployment = objectsOf(text).at(-1) as KubeObject & { spec: { template: PodTemplate } };
  return deployment.spec.template;
}

function objectsOf(text: string): KubeObject[] {
  return parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
}

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

async function rulesOf(...args: string[]): Promise<Rule[]> {
  const role = objectsOf(await template('tenant', ...args)).find(({ kind }) => kind === 'Role');
  return role?.['rules'] as Rule[];
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('both charts', () => {
  it.each(['lateen', 'lateen-agent'])('%s passes lint and has the version of the package', async (name) => {
    const printed = await helm('lint', '--strict', `${CHARTS}${name}`, '--kube-version', KUBERNETES_VERSION);
    expect(printed).toContain('1 chart(s) linted, 0 chart(s) failed');
    const chart = await helm('show', 'chart', `${CHARTS}${name}`);
    expect(chart).toContain(`appVersion: ${VERSION}\n`);
    expect(chart).toContain(`\nversion: ${VERSION}\n`);
  });

  it.each(['lateen', 'lateen-agent'])('%s refuses a key that it does not know', async (name) => {
    await expect(helm('template', `${CHARTS}${name}`, '--set', 'nope=1')).rejects.toThrow(
      /additional properties 'nope' not allowed|Additional property nope/,
    );
  });

  it.each(['lateen', 'lateen-agent'])('%s refuses a Kubernetes that is too old', async (name) => {
    await expect(helm('template', `${CHARTS}${name}`, '--kube-version', '1.29.0')).rejects.toThrow('chart requires kubeVersion: >=1.30.0');
  });
});

describe('the agent chart', () => {
  it('renders the same bytes twice', async () => {
    const first = await template('tenant');
    expect(objectsOf(first).map(({ kind }) => kind)).toEqual(['ServiceAccount', 'Role', 'RoleBinding', 'Deployment']);
    expect(await template('tenant')).toBe(first);
  });

  it('takes a namespace that is a number', async () => {
    const objects = objectsOf(await template('7'));
    expect(objects.map(({ metadata }) => metadata.namespace)).toEqual(['7', '7', '7', '7']);
  });

  it('puts what the values say on the pod', async () => {
    const texts = 'podLabels.a=b,podAnnotations.c=d,nodeSelector.e=f,imagePullSecrets={g},image.tag=h';
    expect(podOf(await template('tenant', '--set', texts, '--set-json', 'tolerations=[{"operator":"Exists"}]'))).toMatchObject({
      metadata: { labels: { a: 'b' }, annotations: { c: 'd' } },
      spec: {
        containers: [{ image: 'lateen:h' }],
        nodeSelector: { e: 'f' },
        imagePullSecrets: [{ name: 'g' }],
        tolerations: [{ operator: 'Exists' }],
      },
    });
  });

  it('starts the agent with its own defaults', async () => {
    const pod = podOf(await template('tenant'));
    const given = readSettings(agentSettings, pod.spec.containers[0]?.args ?? [], {});
    const { cacheDir: _, ...defaults } = readSettings(agentSettings, ['--namespace=tenant'], {});
    expect(given).toEqual({ ...defaults, cacheDir: '/var/cache/lateen' });
  });

  it('runs where Pod Security is restricted', async () => {
    const namespace = await createNamespace({ waitForServiceAccount: true });
    await kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
    const file = join(folder, 'agent.yaml');
    await writeFile(file, await template(namespace));
    await kubectl('apply', '--server-side', '-f', file);
    const ready = (): Promise<string> =>
      kubectl('get', 'deployment', 'lateen-agent', '-n', namespace, '-o', 'jsonpath={.status.readyReplicas}');
    await expect.poll(ready, { timeout: 15_000 }).toBe('1');
  });
});

describe('the Role of the agent', () => {
  it('names every group, resource and verb, and none that widens rights', async () => {
    const rules = await rulesOf();
    const groups = [
      '',
      'apps',
      'autoscaling',
      'batch',
      'coordination.k8s.io',
      'core.oam.dev',
      'events.k8s.io',
      'networking.k8s.io',
      'policy',
    ];
    expect([...new Set(rules.flatMap(({ apiGroups }) => apiGroups))].sort()).toEqual(groups);
    expect([...new Set(rules.flatMap(({ verbs }) => verbs))].sort()).toEqual([
      'create',
      'delete',
      'get',
      'list',
      'patch',
      'update',
      'watch',
    ]);
    expect(rules.flatMap(({ resources }) => resources)).not.toContain('*');
  });

  it('takes rbac.rules in the place of the default rules', async () => {
    const mine = { apiGroups: ['example.org'], resources: ['widgets'], verbs: ['get'] };
    const rules = await rulesOf('--set-json', `rbac.rules=${JSON.stringify([mine])}`);
    expect(rules.at(-1)).toEqual(mine);
    expect(rules.flatMap(({ resources }) => resources)).not.toContain('deployments');
    expect(await rulesOf('--set-json', 'rbac.rules=[]')).toEqual(rules.slice(0, -1));
  });

  it.each([
    ['verbs', { apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'] }],
    ['verbs', { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: ['escalate'] }],
    ['resources', { apiGroups: ['apps'], resources: ['*'], verbs: ['get'] }],
    ['apiGroups', { apiGroups: ['*'], resources: ['deployments'], verbs: ['get'] }],
    ['nonResourceURLs', { apiGroups: [''], resources: ['pods'], verbs: ['get'], nonResourceURLs: ['/'] }],
  ])('refuses %s of %j', async (field, rule) => {
    await expect(template('tenant', '--set-json', `rbac.rules=${JSON.stringify([rule])}`)).rejects.toThrow(field);
  });
});

/** Asked of the API server, as the agent's ServiceAccount: verb, resource, name, and whether it may. */
const rights: [verb: string, resource: string, answer: 'yes' | 'no'][] = [
  ['patch', 'applications.core.oam.dev', 'yes'],
  ['patch', 'applications.core.oam.dev/status', 'yes'],
  ['create', 'applicationrevisions.core.oam.dev', 'yes'],
  ['delete', 'configmaps', 'yes'],
  ['watch', 'secrets', 'yes'],
  ['patch', 'deployments.apps', 'yes'],
  ['create', 'events', 'yes'],
  ['update', 'leases.coordination.k8s.io/lateen-agent', 'yes'],
  ['update', 'leases.coordination.k8s.io/other', 'no'],
  ['list', 'pods', 'yes'],
  ['delete', 'pods', 'no'],
  ['create', 'pods', 'no'],
  ['get', 'namespaces/NAMESPACE', 'yes'],
  ['get', 'namespaces/default', 'no'],
  ['patch', 'namespaces/NAMESPACE', 'no'],
  ['list', 'namespaces', 'no'],
  ['create', 'roles.rbac.authorization.k8s.io', 'no'],
  ['patch', 'rolebindings.rbac.authorization.k8s.io', 'no'],
  ['create', 'serviceaccounts/token', 'no'],
  ['impersonate', 'serviceaccounts', 'no'],
  ['get', 'customresourcedefinitions.apiextensions.k8s.io', 'no'],
];

describe('the rights of the agent', () => {
  let namespace: string;

  beforeAll(async () => {
    namespace = await createNamespace();
    const file = join(folder, 'rights.yaml');
    await writeFile(file, await template(namespace));
    await kubectl('apply', '--server-side', '-f', file);
  });

  async function may(verb: string, resource: string, where: string): Promise<string> {
    const as = `system:serviceaccount:${namespace}:lateen-agent`;
    const [kind = '', second] = resource.replace('NAMESPACE', namespace).split('/');
    const target = second === 'status' || second === 'token' ? [kind, '--subresource', second] : [second ? `${kind}/${second}` : kind];
    const asking = kubectl('auth', 'can-i', verb, ...target, '-n', where, '--as', as);
    // kubectl says no with an exit status of 1.
    return (await asking.catch((error: { stdout: string }) => error.stdout)).trim();
  }

  it.each(rights)('%s %s: %s', async (verb, resource, answer) => {
    expect(await may(verb, resource, namespace)).toBe(answer);
  });

  it('end at its namespace', async () => {
    for (const resource of ['applications.core.oam.dev', 'configmaps', 'secrets', 'deployments.apps']) {
      expect(await may('get', resource, 'default')).toBe('no');
    }
  });
});
