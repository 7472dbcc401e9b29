import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAudit } from '#test/support/audit.ts';
import { kubectl } from '#test/support/namespace.ts';
import { APPLICATION_RULES, createPerson, type Person } from '#test/support/person.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

const REPOSITORIES = 'lateen.dev/allowed-repositories';
const REGISTRIES = 'lateen.dev/allowed-registries';

let repositories: Repositories;
let tenant: Tenant;
/** Of the tenant team: the role admin in its namespace, and no more. */
let admin: Person;
let server: string;

beforeAll(async () => {
  [repositories, tenant] = await Promise.all([startRepositories(), startTenant()]);
  admin = await createPerson(tenant.namespace, { clusterRole: 'admin', rules: APPLICATION_RULES });
  server = repositories.server.url;
});

afterAll(async () => {
  await Promise.all([tenant?.close(), repositories?.close(), admin?.close()]);
});

/** Passes within so long share one reading of the Namespace. */
const SHARED_MS = 1_000;

/** What the platform team does, and then nothing for as long as an older reading may still count. */
async function allow(annotation: string, list: string | undefined): Promise<void> {
  const change = list === undefined ? `${annotation}-` : `${annotation}=${list}`;
  await kubectl('annotate', '--overwrite', 'namespace', tenant.namespace, change);
  await sleep(SHARED_MS + 100);
}

/** Makes the agent look now instead of within a minute. */
async function touch(application: string): Promise<void> {
  await kubectl('annotate', '--overwrite', 'application', application, '-n', tenant.namespace, `example.org/touched=${Date.now()}`);
}

function refusal(application: string): string | undefined {
  const condition = tenant.application(application)?.status?.conditions?.find(({ type }) => type === 'Admitted');
  return condition?.status === 'False' ? `${condition.reason}: ${condition.message}` : undefined;
}

const admitted = (application: string): Promise<unknown> => tenant.until(application, 'admitted', () => refusal(application) === undefined);
const refused = (application: string, reason: string): Promise<unknown> =>
  tenant.until(application, `refused with ${reason}`, () => refusal(application)?.startsWith(`${reason}: `) ?? false);

const asked = (name: string): boolean => repositories.server.requests().some(({ path }) => path.includes(`/${name}/`));

describe('a list of repositories', () => {
  it('refuses what it does not name before anything is asked of the server', async () => {
    await allow(REPOSITORIES, `${server}/ours-*`);
    const [ours, theirs] = [
      await repositories.create('ours-one', { 'a.yaml': configMapYaml('ours') }),
      await repositories.create('theirs', { 'a.yaml': configMapYaml('theirs') }),
    ];
    await tenant.apply('ours', [kustomize('a', ours.url)]);
    await tenant.apply('theirs', [kustomize('a', theirs.url)]);
    await tenant.untilRunning('ours');
    await refused('theirs', 'RepositoryNotAllowed');
    expect(refusal('theirs')).toBe(
      `RepositoryNotAllowed: spec.components[0].properties.url is no repository that the namespace ${tenant.namespace} allows, ` +
        `received "${theirs.url}"; it allows "${server}/ours-*"; use one of these, or ask whoever runs the cluster to add yours to ${REPOSITORIES} of the Namespace`,
    );
    expect({ ours: asked('ours-one'), theirs: asked('theirs') }).toEqual({ ours: true, theirs: false });
  });

  it('that is widened lets it go on, and one that is narrowed stops it where it stands', async () => {
    const repository = await repositories.create('moving', { 'a.yaml': configMapYaml('moving') });
    await tenant.apply('moving', [kustomize('a', repository.url)]);
    await refused('moving', 'RepositoryNotAllowed');
    await allow(REPOSITORIES, `${server}/ours-*,${server}/moving`);
    await touch('moving');
    await tenant.untilRunning('moving');

    await allow(REPOSITORIES, `${server}/ours-*`);
    await touch('moving');
    await refused('moving', 'RepositoryNotAllowed');
    await repository.push({ 'a.yaml': configMapYaml('moving', 'two') });
    // The other one pulls, and would show a newer commit after two seconds.
    await tenant.eventually(
      'three pulls of the other one',
      async () => repositories.server.requests().filter(({ path }) => path.includes('/ours-one/')).length > 6,
    );
    expect((await tenant.get('ConfigMap', 'moving'))?.['data']).toEqual({ key: 'one' });
  });

  it('with a mistake refuses all, with the reason, and removes nothing', async () => {
    await allow(REPOSITORIES, `${server}/ours-*,git.example.com/x`);
    await touch('ours');
    await refused('ours', 'InvalidAllowList');
    expect(refusal('ours')).toContain('the pattern "git.example.com/x" must start with https:// or http://; ask whoever runs the cluster');
    expect(await tenant.get('ConfigMap', 'ours')).toBeDefined();
    await allow(REPOSITORIES, undefined);
    await touch('ours');
    await admitted('ours');
    await tenant.untilRunning('ours');
  });
});

it('a list of registries is held against imageRepository.image', async () => {
  await allow(REGISTRIES, 'ghcr.io/team-a');
  const repository = await repositories.create('images', { 'a.yaml': configMapYaml('images') });
  const imageRepository = { image: 'ghcr.io/team-b/app', policy: { alphabetical: {} } };
  await tenant.apply('images', [kustomize('a', repository.url, { imageRepository })]);
  await refused('images', 'RegistryNotAllowed');
  expect(asked('images')).toBe(false);
  await allow(REGISTRIES, undefined);
});

describe('whoever has admin in the namespace cannot widen a list', () => {
  const LIST = 'https://git.example.com/**';

  it('neither on the Namespace, nor by a Role that would let them, nor by an annotation elsewhere', async () => {
    await allow(REPOSITORIES, LIST);
    const { namespace } = tenant;
    const tries = await Promise.all([
      admin.kubectl(['annotate', '--overwrite', 'namespace', namespace, `${REPOSITORIES}=${server}/**`]),
      admin.kubectl(['annotate', 'namespace', namespace, `${REPOSITORIES}-`]),
      admin.kubectl(['create', 'role', 'widen', '--verb=patch', '--resource=namespaces', `--resource-name=${namespace}`]),
      admin.kubectl(['create', 'rolebinding', 'widen', '--clusterrole=cluster-admin', `--serviceaccount=${namespace}:person`]),
      admin.kubectl(['annotate', 'namespace', namespace, `${REPOSITORIES}-`, '--as=system:admin', '--as-group=system:masters']),
    ]);
    expect(tries.map(({ status, stderr }) => [status, /forbidden/i.test(stderr)])).toEqual(tries.map(() => [1, true]));

    const repository = await repositories.create('widened', { 'a.yaml': configMapYaml('widened') });
    const annotations = { [REPOSITORIES]: `${server}/**`, [REGISTRIES]: '' };
    await kubectl('create', 'configmap', 'allowed', '-n', namespace, `--from-literal=${REPOSITORIES.replace('/', '.')}=${server}/**`);
    const application = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name: 'widened', namespace, annotations } };
    const applied = await admin.kubectl(['apply', '-f', '-'], { ...application, spec: { components: [kustomize('a', repository.url)] } });
    expect(applied).toMatchObject({ status: 0 });
    await refused('widened', 'RepositoryNotAllowed');
    expect(asked('widened')).toBe(false);
    const metadata = JSON.parse(await kubectl('get', 'namespace', namespace, '-o', 'jsonpath={.metadata.annotations}')) as object;
    expect(metadata).toMatchObject({ [REPOSITORIES]: LIST });
  });
});

it('many Applications share the reading of the Namespace', async () => {
  const audit = await startAudit(tenant.namespace);
  const url = 'https://git.example.com/team/many';
  const begun = Date.now();
  await Promise.all(Array.from({ length: 30 }, (_, n) => tenant.apply(`many-${n}`, [kustomize('a', url, { suspend: true })])));
  for (let n = 0; n < 30; n++) await tenant.until(`many-${n}`, 'seen', ({ status }) => status?.status !== undefined);
  // What was read before counts for a second, and is read again then.
  await expect.poll(() => audit.reads('namespaces'), { timeout: 10_000 }).toBeGreaterThan(0);
  const seconds = Math.ceil((Date.now() - begun) / 1_000) + 1;
  expect(await audit.reads('namespaces')).toBeLessThanOrEqual(seconds + 1);
});
