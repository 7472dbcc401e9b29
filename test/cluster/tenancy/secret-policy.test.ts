import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '#api/kubernetes.ts';
import { KUBERNETES_VERSION } from '#dev/versions.ts';
import type { Printed } from '#test/support/kubectl.ts';
import { kubectl, kubectlApply } from '#test/support/namespace.ts';
import { APPLICATION_RULES, createPerson, type Person } from '#test/support/person.ts';
import { kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

const run = promisify(execFile);
const CHART = fileURLToPath(new URL('../../../charts/lateen', import.meta.url));
const REPOSITORY = 'https://git.example.com/x';
const API = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application' };

let tenant: Tenant;
let repositories: Repositories;
/** May write Applications, and read no Secret. */
let author: Person;
/** May read the Secret `git` besides. */
let reader: Person;
/** Has the role admin. */
let admin: Person;
let everybody: Person[];

async function rendered(...args: string[]): Promise<KubeObject[]> {
  const settings = ['--namespace', 'lateen-system', '--kube-version', KUBERNETES_VERSION, '--set', 'webhook.enabled=false', ...args];
  const { stdout } = await run(inject('plane').programs.helm, ['template', 'lateen', CHART, ...settings]);
  const objects = parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject | null);
  return objects.filter((object): object is KubeObject => object?.kind.startsWith('ValidatingAdmissionPolicy') === true);
}

/** The chart's policy, bound to the namespace of this file alone: other files write Applications too. */
async function installPolicy(): Promise<void> {
  const [policy, binding] = await rendered();
  const { namespace } = tenant;
  const matchResources = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
  const spec = { ...(binding?.['spec'] as object), policyName: namespace, matchResources };
  await kubectlApply([
    { ...policy!, metadata: { name: namespace } },
    { ...binding!, metadata: { name: namespace }, spec },
  ]);
  const app = application('probe', [kustomize('a', 'https://git.example.com/x', { secretRef: 'git' })]);
  await tenant.eventually(
    'the policy in force',
    async () => (await author.kubectl(['create', '--dry-run=server', '-f', '-'], app)).status !== 0,
  );
}

/** Without a namespace: that of whoever applies it. */
function application(name: string, components: object[], more: object = {}): object {
  return { ...API, metadata: { name }, spec: { components, ...more } };
}

function withProperties(type: string, properties: object): object {
  return application('x', [{ name: 'a', type, properties }]);
}

async function tried(person: Person, object: object): Promise<string> {
  const { status, stderr } = await person.kubectl(['create', '--dry-run=server', '-f', '-'], object);
  return status === 0 ? 'allowed' : stderr.trim();
}

beforeAll(async () => {
  [tenant, repositories] = await Promise.all([startTenant(), startRepositories()]);
  const readGit = { apiGroups: [''], resources: ['secrets'], resourceNames: ['git'], verbs: ['get'] };
  everybody = await Promise.all([
    createPerson(tenant.namespace, { name: 'author', rules: APPLICATION_RULES }),
    createPerson(tenant.namespace, { name: 'reader', rules: [...APPLICATION_RULES, readGit] }),
    createPerson(tenant.namespace, { name: 'admin', clusterRole: 'admin', rules: APPLICATION_RULES }),
  ]);
  [author, reader, admin] = everybody as [Person, Person, Person];
  await installPolicy();
});

afterAll(async () => {
  await kubectl('delete', 'validatingadmissionpolicybinding,validatingadmissionpolicy', tenant.namespace, '--ignore-not-found');
  await Promise.all([tenant?.close(), repositories?.close(), ...(everybody ?? []).map((one) => one.close())]);
});

it('has no mistake that the API server would find in its types', async () => {
  const status = async (path: string): Promise<string> =>
    kubectl('get', 'validatingadmissionpolicy', tenant.namespace, '-o', `jsonpath={.status.${path}}`);
  await tenant.eventually('checked', async () => (await status('observedGeneration')) !== '');
  expect(await status('typeChecking.expressionWarnings')).toBe('');
});

it('can be left out', async () => {
  expect(await rendered('--set', 'secretPolicy.enabled=false')).toEqual([]);
});

const POLICY = { alphabetical: {} };
/** Every place where an Application may name the Secret `git`. */
const places: [place: string, type: string, properties: object][] = [
  ['secretRef', 'kustomize', { url: REPOSITORY, path: './', secretRef: 'git' }],
  ['secretRef.name', 'helm', { url: REPOSITORY, secretRef: { name: 'git' } }],
  [
    'imageRepository.secretRef',
    'kustomize',
    { url: REPOSITORY, path: './', imageRepository: { image: 'x/y', policy: POLICY, secretRef: 'git' } },
  ],
  ['decryption.secretRef.name', 'kustomize', { url: REPOSITORY, path: './', decryption: { provider: 'sops', secretRef: { name: 'git' } } }],
  ['imagePullSecrets', 'webservice', { image: 'x', imagePullSecrets: ['git'] }],
  [
    'env',
    'worker',
    {
      image: 'x',
      env: [
        { name: 'A', value: 'b' },
        { name: 'B', valueFrom: { secretKeyRef: { name: 'git', key: 'k' } } },
      ],
    },
  ],
  ['volumeMounts.secret', 'webservice', { image: 'x', volumeMounts: { secret: [{ name: 'v', mountPath: '/v', secretName: 'git' }] } }],
  ['volumes', 'webservice', { image: 'x', volumes: [{ name: 'v', mountPath: '/v', type: 'secret', secretName: 'git' }] }],
];

describe('who names a Secret must be able to read it', () => {
  it.each(places)('%s', async (_, type, properties) => {
    const object = withProperties(type, properties);
    expect(await tried(author, object)).toContain(
      `names the Secret git, and system:serviceaccount:${tenant.namespace}:author may not get secrets of that name in the namespace ${tenant.namespace}: ` +
        'who names a Secret must be able to read it; ask for that right, or have somebody apply it who has it',
    );
    expect(await tried(author, object)).toContain('Error from server (Forbidden)');
    expect(await tried(reader, object)).toBe('allowed');
    expect(await tried(admin, object)).toBe('allowed');
  });

  it('by way of an override, in the Application or in a Policy object, and by a revision to go back to', async () => {
    const override = { type: 'override', properties: { components: [{ name: 'a', properties: { secretRef: 'git' } }] } };
    const plain = kustomize('a', REPOSITORY);
    const inline = application('x', [plain], { policies: [{ name: 'p', ...override }] });
    const metadata = { name: 'x' };
    const objects = [
      inline,
      { apiVersion: 'core.oam.dev/v1alpha1', kind: 'Policy', metadata, ...override },
      {
        ...API,
        kind: 'ApplicationRevision',
        metadata,
        spec: { application: application('x', [kustomize('a', REPOSITORY, { secretRef: 'git' })]) },
      },
      { ...API, kind: 'ApplicationRevision', metadata, spec: { application: application('x', [plain]), policies: { p: { ...override } } } },
    ];
    for (const object of objects) {
      expect(await tried(author, object)).toContain('names the Secret git');
      expect(await tried(reader, object)).toBe('allowed');
    }
  });

  it('each of several, and not more than can be asked about', async () => {
    const several = (names: string[]): object =>
      application(
        'x',
        names.map((secretRef, n) => ({ ...kustomize(`a${n}`, REPOSITORY, { secretRef }) })),
      );
    expect(await tried(reader, several(['git', 'git', 'other', 'git']))).toContain('names the Secret other');
    expect(await tried(reader, several(Array.from({ length: 40 }, () => 'git')))).toBe('allowed');
    const many = Array.from({ length: 17 }, (_, n) => `s${n}`);
    const rule = { apiGroups: [''], resources: ['secrets'], resourceNames: many, verbs: ['get'] };
    const listed = await createPerson(tenant.namespace, { name: 'listed', rules: [...APPLICATION_RULES, rule] });
    everybody.push(listed);
    expect(await tried(listed, several(many.slice(1)))).toBe('allowed');
    expect(await tried(listed, several(many))).toContain('names more than 16 Secrets, and ');
    expect(await tried(admin, several(many))).toBe('allowed');
  });

  it('an Application of 1000 components is judged too', async () => {
    const large = application(
      'x',
      Array.from({ length: 1_000 }, (_, n) => kustomize(`a${n}`, `${REPOSITORY}${n}`, { secretRef: n % 2 ? 'git' : 'git-2' })),
    );
    expect(await tried(author, large)).toContain('names the Secret git');
    expect(await tried(reader, large)).toContain('names the Secret git-2');
    expect(await tried(admin, large)).toBe('allowed');
  });

  it.each([
    ['no component at all', application('x', [])],
    ['no properties', application('x', [{ name: 'a', type: 'kustomize' }])],
    [
      'a text where a map is needed',
      withProperties('kustomize', { secretRef: 5, imageRepository: 'x', decryption: [], env: {}, volumes: 'y' }),
    ],
    [
      'lists of anything',
      withProperties('webservice', { env: [1, null, { valueFrom: 'x' }], volumeMounts: { secret: [{}, 'x'] }, imagePullSecrets: [1, {}] }),
    ],
    ['a policy without components', application('x', [], { policies: [{ name: 'p', type: 'override' }] })],
  ])('%s passes: others say what is wrong with it', async (_, object) => {
    expect(await tried(author, object)).toBe('allowed');
  });
});

describe('an Application that is there', () => {
  const patch = (person: Person, change: object): Promise<Printed> =>
    person.kubectl(['patch', 'application', 'there', '-n', tenant.namespace, '--type=merge', '-p', JSON.stringify(change)]);

  it('may be labelled by anybody, and sent elsewhere by those alone who may read its Secret', async () => {
    expect(
      (await admin.kubectl(['create', '-f', '-'], application('there', [kustomize('a', REPOSITORY, { secretRef: 'git' })]))).status,
    ).toBe(0);
    expect((await patch(author, { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } })).status).toBe(0);
    const elsewhere = { spec: { components: [kustomize('a', 'https://evil.example/x', { secretRef: 'git' })] } };
    const refused = await patch(author, elsewhere);
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toContain('names the Secret git');
    expect((await patch(author, { spec: { components: [kustomize('a', REPOSITORY)] } })).status).toBe(0);
    expect((await author.kubectl(['delete', 'application', 'there', '-n', tenant.namespace])).status).toBe(0);
  });
});

it('the agent applies what Git has, with the right that its Role gives it', async () => {
  const leaf = JSON.stringify(withProperties('kustomize', { url: REPOSITORY, path: './', secretRef: 'git', suspend: true }));
  const repository = await repositories.create('parent', { 'app.yaml': leaf });
  await tenant.apply('parent', [kustomize('a', repository.url)]);
  await tenant.eventually('the nested Application there', () => tenant.get('Application', 'x'));
  await tenant.eventually('its revision there', () => tenant.get('ApplicationRevision', 'x-v1'));
});
