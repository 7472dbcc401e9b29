import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lateen, type Ran } from '#test/support/lateen.ts';
import { APPLICATION_RULES, createPerson, type Person } from '#test/support/person.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

describe('lateen doctor rbac', () => {
  const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
`;
  const role = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reads}
rules:
- {apiGroups: [''], resources: [pods], verbs: [get]}
`;
  const files = { 'web.yaml': deployment, 'role.yaml': role, 'config.yaml': configMapYaml('web') };
  let other: Tenant;
  let owner: Person;
  /** Needs no credentials. */
  let open: Repositories;
  let path: string;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lateen-'));
    open = await startRepositories();
    path = join(folder, 'infrastructure');
    await mkdir(path);
    for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
    other = await startTenant({ values: { 'rbac.rules': [] } });
    owner = await createPerson(other.namespace, { name: 'owner', clusterRole: 'admin', rules: APPLICATION_RULES });
  });

  afterAll(async () => {
    await Promise.all([other?.close(), owner?.close(), open?.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  const rbac = (person: Person, what: string, ...args: string[]): Promise<Ran> =>
    lateen(['doctor', 'rbac', what, '-n', other.namespace, '--kubeconfig', person.kubeconfig, ...args]);

  it('says what of a folder the agent lacks, and the rules that would do', async () => {
    const { status, stdout, stderr } = await rbac(owner, path);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toContain('LACKS   deployments.apps: get, list, watch, create, patch, delete\n');
    expect(stdout).toContain('ok      configmaps\n');
    expect(stdout).toContain('LACKS   get pods\n');
    expect(stdout).toContain(`The agent may not apply all of ${path}.\n`);
  });

  it('rules that do: with them and no others the agent applies the folder', async () => {
    const { stdout } = await rbac(owner, path, '-o', 'json');
    const { rules } = JSON.parse(stdout) as { rules: unknown };
    const enough = await startTenant({ values: { 'rbac.rules': rules } });
    try {
      const { url } = await open.create('rbac', files);
      await enough.apply('rbac', [kustomize('a', url)]);
      await enough.untilRunning('rbac');
    } finally {
      await enough.close();
    }
  });

  it('a Secret that an Application names is read by its name alone', async () => {
    await other.apply('names', [kustomize('a', 'https://git.example.com/x', { secretRef: 'git', suspend: true })]);
    const { rules } = JSON.parse((await rbac(owner, 'names', '-o', 'json')).stdout) as { rules: object[] };
    expect(rules).toEqual([{ apiGroups: [''], resources: ['secrets'], resourceNames: ['git'], verbs: ['get', 'list', 'watch'] }]);
  });

  it('of an Application: what the agent was refused', async () => {
    const { url } = await open.create('refused', { 'web.yaml': deployment });
    await other.apply('refused', [kustomize('a', url)]);
    await other.until('refused', 'refused', () => other.service('refused', 'a')?.details?.['reason'] === 'FORBIDDEN');
    const { status, stdout } = await rbac(owner, 'refused', '-o', 'json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      source: 'asked',
      needed: [{ group: 'apps', resource: 'deployments' }],
      rules: [{ apiGroups: ['apps'], resources: ['deployments'] }],
    });
  });

  it('reads the Role where the API server may not be asked, and says where neither is allowed', async () => {
    const readRole = { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: ['get'] };
    const reader = await createPerson(other.namespace, { name: 'reads-roles', rules: [readRole] });
    const stranger = await createPerson(other.namespace, { name: 'stranger' });
    const { stdout } = await rbac(reader, path, '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ source: 'read', needed: expect.any(Array) });
    const { status, stderr } = await rbac(stranger, path);
    expect(status).toBe(3);
    expect(stderr).toContain(`you may neither ask what the agent may do in ${other.namespace} nor read its Role`);
    await Promise.all([reader.close(), stranger.close()]);
  });

  it('of what no agent can apply, and of what is not there', async () => {
    const wrong = join(folder, 'wrong');
    await mkdir(wrong);
    await writeFile(join(wrong, 'ns.yaml'), 'apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n');
    const { status, stdout } = await rbac(owner, wrong);
    expect(status).toBe(1);
    expect(stdout).toContain('CANNOT  Namespace of v1 belongs to no namespace: no agent applies it\n');
    const empty = join(folder, 'empty');
    await mkdir(empty);
    expect(await rbac(owner, empty)).toEqual({
      status: 1,
      stdout: '',
      stderr: `lateen: there are no objects in ${empty}; name a folder with manifests\n`,
    });
    expect((await rbac(owner, 'nosuch')).stderr).toContain('there is neither a folder nosuch nor an Application of that name');
  });
});
