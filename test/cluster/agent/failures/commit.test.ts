import { describe, expect, it } from 'vitest';
import { playScenario, type Scenario, type Setting } from '#test/support/failure-scenario.ts';
import { kubectl } from '#test/support/namespace.ts';
import { configMapYaml } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

/** Stands in files that cannot be read, where a message might repeat them. */
const PLANTED = 'planted-in-a-manifest-9Xw';

const { repositories, tenant } = tenancy();

function object(kind: string, name: string, rest = ''): string {
  return `apiVersion: ${kind.includes('/') ? kind.slice(0, kind.lastIndexOf('/')) : 'v1'}\nkind: ${kind.split('/').at(-1)}\nmetadata:\n  name: ${name}\n${rest}`;
}

/** A commit that cannot be built or applied, and the file that makes it so. */
interface BadCommit extends Omit<Scenario, 'breaks' | 'mends'> {
  files: Record<string, string>;
}

const badCommits: BadCommit[] = [
  {
    name: 'invalid-yaml',
    files: { 'secret.yaml': `apiVersion: v1\nkind: Secret\nstringData:\n  password: ${PLANTED}\n\ttoken: "${PLANTED}\n` },
    reason: 'InvalidYAML',
    sentence: () => 'secret.yaml:5: not YAML: Tabs are not allowed as indentation',
    retried: false,
  },
  {
    name: 'two-mistakes',
    files: { 'a.yaml': 'replicas: 3\n', 'b.yaml': 'image: nginx\nimage: nginx\n' },
    reason: 'InvalidObject',
    sentence: () =>
      'a.yaml:1: this is no Kubernetes object: it has no apiVersion and no kind; give it apiVersion, kind and metadata, or move the file out of the path. ' +
      'b.yaml:2: the key image is there twice; remove one of the two',
    retried: false,
  },
  {
    name: 'kustomize-error',
    files: {
      'kustomization.yaml':
        'resources: [kept.yaml]\npatches:\n  - target: { kind: ConfigMap }\n    patch: |-\n      - { op: replace, path: /data/not/there, value: x }\n',
    },
    reason: 'BuildFailed',
    sentence: () =>
      'kustomize could not build the repository: replace operation does not apply: doc is missing path: /data/not/there: missing value; ' +
      'run kustomize build . in a clone and correct what it names',
    retried: false,
  },
  {
    name: 'missing-file',
    files: { 'kustomization.yaml': 'resources:\n  - kept.yaml\n  - lost.yaml\n' },
    reason: 'BuildFailed',
    sentence: () =>
      'kustomization.yaml:3: resources[1] names a file that is not in the repository: lost.yaml; correct the path, or push what is missing',
    retried: false,
  },
  {
    name: 'remote-base',
    files: { 'kustomization.yaml': `resources:\n  - kept.yaml\n  - https://reader:${PLANTED}@git.example.com/base?ref=main\n` },
    reason: 'RemoteResourceForbidden',
    sentence: () =>
      'kustomization.yaml:3: resources[1] names something outside the repository: https://***@git.example.com/base?ref=main; copy it into the repository and name the copy',
    retried: false,
  },
  {
    name: 'other-namespace',
    files: { 'other.yaml': configMapYaml('other', 'x', '  namespace: kube-system\n') },
    reason: 'NamespaceForbidden',
    sentence: ({ tenant: { namespace } }) =>
      `other.yaml:1: ConfigMap/other is for the namespace "kube-system", the Application is in ${namespace}; remove metadata.namespace, or put an Application into that namespace`,
    retried: true,
  },
  {
    name: 'cluster-scoped',
    files: { 'role.yaml': object('rbac.authorization.k8s.io/v1/ClusterRole', 'everything', 'rules: []\n') },
    reason: 'ClusterScoped',
    sentence: () =>
      'role.yaml:1: ClusterRole/everything is cluster-scoped; remove it: the agent works in one namespace, and an administrator applies cluster-wide objects',
    retried: true,
  },
  {
    name: 'unknown-kind',
    files: { 'old.yaml': object('extensions/v1beta1/Deployment', 'old') },
    reason: 'UnknownKind',
    sentence: () =>
      'old.yaml:1: the API server does not know Deployment in extensions/v1beta1; did you mean apiVersion: apps/v1, kind: Deployment?',
    retried: true,
  },
  {
    name: 'unknown-field',
    files: {
      'app.yaml': object(
        'apps/v1/Deployment',
        'unknown-field',
        `spec:\n  replica: 3\n  selector: { matchLabels: { app: x } }\n  template: { metadata: { labels: { app: x } }, spec: { containers: [{ name: x, image: x }] } }\n`,
      ),
    },
    reason: 'ApplyFailed',
    sentence: () =>
      'app.yaml:1: apply Deployment/unknown-field: the schema has no field .spec.replica; correct the spelling or take the field out',
    retried: true,
  },
];

function scenarioOf({ files, ...rest }: BadCommit): Scenario {
  const nothing = Object.fromEntries(Object.keys(files).map((path) => [path, null]));
  const meanwhile = async ({ tenant: { service }, name }: Setting): Promise<void> =>
    expect(service(name, 'bad')?.message).toMatch(/\(commit [0-9a-f]{7}\)/);
  return { ...rest, breaks: ({ push }) => push(files), meanwhile, mends: ({ push }) => push(nothing) };
}

const missingRight: Scenario = {
  name: 'missing-right',
  breaks: ({ push }) => push({ 'quota.yaml': object('ResourceQuota', 'missing-right', 'spec: { hard: { pods: "50" } }\n') }),
  reason: 'Forbidden',
  sentence: ({ tenant: { namespace } }) =>
    `quota.yaml:1: apply ResourceQuota/missing-right: the agent may not list resourcequotas in the namespace ${namespace}; ` +
    'add {"apiGroups":[""],"resources":["resourcequotas"],"verbs":["get","list","watch","create","patch","delete"]} ' +
    "to the agent's Role (value rbac.rules of the chart lateen-agent)",
  retried: true,
  mends: async ({ tenant, name }) => {
    // What the sentence says, as a platform team would do it by the value rbac.rules; it is enough.
    const [rule] = /\{"apiGroups".*?\}/.exec(tenant.service(name, 'bad')?.message ?? '') ?? [];
    const patch = `[{"op":"add","path":"/rules/-","value":${rule}}]`;
    await kubectl('patch', 'role', 'lateen-agent', '-n', tenant.namespace, '--type=json', '-p', patch);
    await tenant.eventually('applied', () => tenant.get('ResourceQuota', 'missing-right'));
  },
};

describe.concurrent('a commit that cannot be built or applied', () => {
  for (const scenario of [...badCommits.map(scenarioOf), missingRight]) {
    it(`${scenario.name}: ${scenario.reason} is told, nothing is pruned, and all is well again when it is mended`, () =>
      playScenario(scenario, { tenant, repositories }));
  }
});

describe('what stands in a manifest', () => {
  it('is not repeated to anybody', async () => {
    const shown = await tenant.shown();
    expect(shown).toContain('INVALID_YAML');
    expect(shown).not.toContain(PLANTED);
    expect(shown).not.toContain(Buffer.from(PLANTED).toString('base64'));
  });
});
