import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Checked } from '#cli/doctor-check.ts';
import { kubeconfigText } from '#dev/control-plane-files.ts';
import { freePorts } from '#dev/ports.ts';
import { programs } from '#dev/programs.ts';
import { type Registry, startRegistry } from '#dev/registry.ts';
import { webhookConfigurations } from '#dev/webhook.ts';
import { lateen, type Ran } from '#test/support/lateen.ts';
import { createNamespace, kubectl, kubectlApply } from '#test/support/namespace.ts';
import { APPLICATION_RULES, createPerson, type Person } from '#test/support/person.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';
import { startWebhook, type WebhookProcess } from '#test/support/webhook-process.ts';

const PASSWORD = 'the-right-password';

let folder: string;
let tenant: Tenant;
let repositories: Repositories;
let registry: Registry;
let webhook: WebhookProcess;
/** Of the tenant team: the role admin in its namespace. */
let admin: Person;
/** Has no right at all. */
let nobody: Person;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  const { crane } = await programs(['crane']);
  const users = [
    { name: 'robot', password: PASSWORD, write: true },
    { name: 'reader', password: PASSWORD, write: false },
  ];
  registry = await startRegistry({ crane, folder });
  [tenant, repositories] = await Promise.all([startTenant(), startRepositories({ users })]);
  const { namespace } = tenant;
  [admin, nobody] = await Promise.all([
    createPerson(namespace, { name: 'admin', clusterRole: 'admin', rules: APPLICATION_RULES }),
    createPerson(namespace, { name: 'nobody' }),
  ]);
  await kubectl('label', 'namespace', namespace, 'lateen.dev/applications=all');
  const [port] = await freePorts(1);
  // By its real name, for this namespace alone: no other file of this run installs one of that name.
  const configurations = webhookConfigurations({ url: `https://127.0.0.1:${port}`, domain: 'doctor.test', namespaces: [namespace] });
  await kubectlApply(configurations);
  webhook = startWebhook(port!, { namespace: await createNamespace(), configuration: 'lateen' });
  await webhook.untilReady();
}, 240_000);

afterAll(async () => {
  await kubectl('delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', 'lateen', '--ignore-not-found');
  await webhook?.kill();
  await Promise.all([tenant?.close(), repositories?.close(), registry?.stop(), admin?.close(), nobody?.close()]);
  await rm(folder, { recursive: true, force: true });
});

function ask(kubeconfig: string, ...args: string[]): Promise<Ran> {
  return lateen(['doctor', ...args, '-n', tenant.namespace, '--kubeconfig', kubeconfig]);
}

async function checksOf(kubeconfig: string): Promise<{ status: number | null; checks: Checked[] }> {
  const { status, stdout, stderr } = await ask(kubeconfig, '-o', 'json');
  expect(stderr).toBe('');
  return { status, checks: (JSON.parse(stdout) as { checks: Checked[] }).checks };
}

const lines = (checks: Checked[]): string[] => checks.map(({ check, state, message }) => `${state} ${check}: ${message}`);
const of = (checks: Checked[], name: string): string[] => lines(checks.filter(({ check }) => check === name));

async function secret(name: string, username: string, password: string): Promise<void> {
  await kubectlApply([
    { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: tenant.namespace }, stringData: { username, password } },
  ]);
}

describe('where everything is as it should be', () => {
  beforeAll(async () => {
    await secret('git', 'robot', PASSWORD);
    const repository = await repositories.create('well', { 'a.yaml': configMapYaml('well') });
    await registry.push('org/app', ['v1', 'v2']);
    const imageRepository = { image: `${registry.host}/org/app`, policy: { alphabetical: {} } };
    await tenant.apply('well', [kustomize('a', repository.url, { secretRef: 'git', imageRepository, pullInterval: '10s' })]);
    await tenant.untilRunning('well');
  });

  it('the tenant is told so, and what could not be asked from its seat', async () => {
    const { status, checks } = await checksOf(admin.kubeconfig);
    const url = `${repositories.server.url}/well`;
    expect(lines(checks.filter(({ state }) => state === 'failed'))).toEqual([]);
    expect(status).toBe(0);
    expect(of(checks, 'API server')[0]).toMatch(/^ok API server: https:\/\/127\.0\.0\.1:\d+ answers, Kubernetes v1\.\d+/);
    expect(of(checks, 'CRDs')).toEqual([
      'ok CRDs: Application and ApplicationRevision are there; whose they are only those can see who may read CRDs',
    ]);
    expect(of(checks, 'webhook')).toEqual(['ok webhook: the API server reaches it: it refused an Application with a mistake']);
    expect(of(checks, 'agent')[0]).toContain('skipped agent: there is no Deployment lateen-agent');
    expect(of(checks, 'lease')[0]).toMatch(/^ok lease: \S+ acts, and renewed its Lease \d+ s ago$/);
    expect(of(checks, 'rights')[0]).toMatch(/^ok rights: the agent may do what it needs for its own work/);
    expect(of(checks, 'your rights')).toEqual([
      'ok your rights: you may get, create, patch, delete applications.core.oam.dev; get secrets',
    ]);
    expect(of(checks, 'Applications')).toEqual(['ok Applications: 1 of 1 are as they should be, or on their way']);
    expect(of(checks, 'git read')[0]).toMatch(new RegExp(`^ok git read: ${url} may be read, main is at [0-9a-f]{7}$`));
    expect(of(checks, 'git push')).toEqual([`ok git push: ${url} may be pushed to`]);
    expect(of(checks, 'registry')).toEqual([`ok registry: ${registry.host}/org/app has 2 tags`]);
  });

  it('an administrator sees the certificate too, and nothing was made by looking', async () => {
    const { checks } = await checksOf(tenant.kubeconfig);
    expect(of(checks, 'certificate')[0]).toMatch(/^ok certificate: the API server trusts an authority that is good until \d{4}-\d\d-\d\d$/);
    expect(of(checks, 'CRDs')[0]).toContain("the chart lateen's, applied by kubectl");
    expect(await tenant.get('Application', 'lateen-doctor')).toBeUndefined();
  });

  it('prints it for people, each line with its check, and no secret', async () => {
    const { status, stdout } = await ask(admin.kubeconfig);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ok {7}API server {4}https/);
    expect(stdout).toMatch(new RegExp(`\\nnothing is wrong in ${tenant.namespace}; 1 skipped\\n$`));
    expect(stdout).not.toContain(PASSWORD);
  });
});

describe('what is wrong is told with what to do', () => {
  it('on the side of Git and the registry', async () => {
    await secret('wrong', 'robot', 'no');
    await secret('reading', 'reader', PASSWORD);
    const { url } = await repositories.create('ill', { 'a.yaml': configMapYaml('ill') });
    const imageRepository = { image: `${registry.host}/org/none`, policy: { alphabetical: {} } };
    const rare = { pullInterval: '1h' };
    await tenant.apply('ill', [
      kustomize('password', url, { secretRef: 'wrong', ...rare }),
      kustomize('reading', url, { secretRef: 'reading', imageRepository, ...rare }),
      kustomize('branch', url, { secretRef: 'git', git: { branch: 'nosuch' }, ...rare }),
      kustomize('missing', url, { secretRef: 'nosuch', ...rare }),
      kustomize('lost', `${repositories.server.url}/lost`, { secretRef: 'git', ...rare }),
    ]);
    await tenant.until(
      'ill',
      'failed',
      ({ status }) => status?.conditions?.some(({ type, reason }) => type === 'Ready' && reason !== 'Progressing') === true,
    );
    const { status, checks } = await checksOf(admin.kubeconfig);
    expect(status).toBe(1);
    const failures = checks.filter(({ state, check }) => state === 'failed' && check.startsWith('git'));
    expect(failures.map(({ check, message, remedy }) => `${check}: ${message} -> ${remedy}`).toSorted()).toEqual(
      [
        `git read: ${url} answers 401 -> check the Secret: the token may have expired, or may not read this repository`,
        `git push: ${url} answers 403 -> give the token the right to push (docs/update-images.md)`,
        `git read: ${url} has no branch nosuch -> push it, or correct git.branch`,
        `git read: there is no Secret nosuch in ${tenant.namespace} -> make it (docs/private-repository.md), or correct secretRef`,
        `git read: ${repositories.server.url}/lost answers 404: no Git repository is there for these credentials -> check the URL, and that the token may see the repository`,
      ].toSorted(),
    );
    expect(of(checks, 'registry').find((line) => line.startsWith('failed'))).toMatch(/^failed registry: .*\/org\/none: IMAGE_NOT_FOUND: /);
    for (const [index, line] of of(checks, 'Applications').entries())
      expect(line).toMatch(index === 0 ? /1 of 2 are/ : /^failed Applications: ill: /);
    await tenant.delete('Application', 'ill');
    await tenant.eventually('gone', async () => (await tenant.get('Application', 'ill')) === undefined);
  });

  it('of an Application, in its own words, and sends no credentials where the namespace does not allow it', async () => {
    const before = repositories.server.requests().length;
    await kubectl('annotate', 'namespace', tenant.namespace, 'lateen.dev/allowed-repositories=https://git.example.com/**');
    const { checks } = await checksOf(admin.kubeconfig);
    expect(of(checks, 'allow-list')).toEqual(['ok allow-list: lateen.dev/allowed-repositories has one pattern']);
    expect(of(checks, 'git read')).toEqual([]);
    const spec = { components: [kustomize('a', 'https://elsewhere.example/x', { pullInterval: '10s' })] };
    const wrong = { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata: { name: 'elsewhere' }, spec };
    // The webhook knows the same, and says it to whoever applies one.
    await tenant.eventually('refused at admission', async () =>
      (await admin.kubectl(['create', '--dry-run=server', '-f', '-'], wrong)).stderr.includes('is no repository that the namespace'),
    );
    expect(
      repositories.server
        .requests()
        .slice(before)
        .filter(({ path }) => path.includes('receive-pack')),
    ).toEqual([]);
    await kubectl('annotate', '--overwrite', 'namespace', tenant.namespace, 'lateen.dev/allowed-repositories=nothing');
    await kubectl('annotate', 'application', 'well', '-n', tenant.namespace, 'example.org/touched=now');
    await tenant.until('well', 'refused', ({ status }) => status?.conditions?.some(({ reason }) => reason === 'InvalidAllowList') === true);
    const spoilt = (await checksOf(admin.kubeconfig)).checks;
    expect(of(spoilt, 'allow-list')[0]).toContain(
      'failed allow-list: lateen.dev/allowed-repositories: the pattern "nothing" must start with',
    );
    expect(of(spoilt, 'Applications')[0]).toMatch(/^failed Applications: well: InvalidAllowList: /);
    await kubectl('annotate', 'namespace', tenant.namespace, 'lateen.dev/allowed-repositories-');
  });

  it('of the webhook and its certificate', async () => {
    await webhook.kill();
    const seen = (await checksOf(tenant.kubeconfig)).checks;
    expect(of(seen, 'webhook')[0]).toContain('failed webhook: an Application with a mistake was let through');
    const patch = JSON.stringify([{ op: 'remove', path: '/webhooks/0/clientConfig/caBundle' }]);
    await kubectl('patch', 'validatingwebhookconfiguration', 'lateen', '--type=json', '-p', patch);
    const emptied = (await checksOf(tenant.kubeconfig)).checks;
    expect(of(emptied, 'certificate')).toEqual([
      'failed certificate: a webhook configuration has no caBundle, so the API server trusts no webhook',
    ]);
    await kubectl('delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', 'lateen');
    expect(of((await checksOf(tenant.kubeconfig)).checks, 'webhook')).toEqual([
      'skipped webhook: none is installed: the agent alone judges Applications',
    ]);
  });

  it('of the agent, its Lease and its Role', async () => {
    const { namespace } = tenant;
    await tenant.agent.stop();
    const pod = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }], serviceAccountName: 'nosuch' } };
    const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template: pod };
    await kubectlApply([{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'lateen-agent', namespace }, spec }]);
    await kubectl('patch', 'role', 'lateen-agent', '-n', namespace, '--type=json', '-p', '[{"op":"remove","path":"/rules/0"}]');
    await kubectl('label', 'namespace', namespace, 'lateen.dev/applications-');
    // The authorizer hears of a changed Role a moment later.
    await tenant.eventually('the Role in force', async () =>
      of((await checksOf(admin.kubeconfig)).checks, 'rights')[0]?.startsWith('failed'),
    );
    const { status, checks } = await checksOf(admin.kubeconfig);
    expect(status).toBe(1);
    expect(of(checks, 'agent')[0]).toContain('failed agent: 0 of 1 pods of the Deployment lateen-agent are ready');
    expect(of(checks, 'lease')[0]).toMatch(/^failed lease: no agent acts in .*: the last one gave the Lease back \d+ s ago$/);
    expect(of(checks, 'rights')[0]).toMatch(
      /^failed rights: the agent may not: get, list, watch, create, patch, delete applications\.core\.oam\.dev/,
    );
    expect(of(checks, 'namespace')[0]).toContain('announces no agent');
    for (const one of checks.filter(({ state }) => state === 'failed')) expect(one.remedy).toMatch(/.{10,}/);
  });
});

describe('where nothing is installed', () => {
  it('says so once, and how to begin', async () => {
    const empty = await createNamespace();
    const asked = await lateen(['doctor', '-n', empty, '--kubeconfig', tenant.kubeconfig, '-o', 'json']);
    const { checks } = JSON.parse(asked.stdout) as { checks: Checked[] };
    expect(of(checks, 'lease')).toEqual([`failed lease: no agent has ever acted in ${empty}: there is no Lease lateen-agent`]);
    expect(of(checks, 'rights')).toEqual([`failed rights: the agent has no right in ${empty}: its Role is not there`]);
    for (const name of ['lease', 'rights'])
      expect(checks.find(({ check }) => check === name)?.remedy).toContain(
        `helm install lateen-agent charts/lateen-agent --namespace ${empty}`,
      );
  });

  it('ends where there is no such namespace', async () => {
    const { status, stdout } = await lateen(['doctor', '-n', 'nosuch', '--kubeconfig', tenant.kubeconfig]);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^ok .*\nok .*\nFAILED {3}namespace {3}there is no namespace nosuch\n +-> choose another with -n, or make it: lateen init\n\n1 of 3 checks failed in nosuch\n$/,
    );
  });
});

describe('who may ask little', () => {
  it('is told what could not be asked, and what to ask for', async () => {
    const { status, checks } = await checksOf(nobody.kubeconfig);
    expect(status).toBe(1);
    expect(of(checks, 'your rights')).toEqual([`failed your rights: you may not get applications in ${tenant.namespace}`]);
    expect(of(checks, 'lease')).toEqual([`skipped lease: you may not get leases.coordination.k8s.io in the namespace ${tenant.namespace}`]);
    expect(of(checks, 'rights')[0]).toContain('skipped rights: you may neither ask');
  });

  it('ends with 3 where nobody answers, in the form that was asked for', async () => {
    const file = join(folder, 'elsewhere');
    const [port] = await freePorts(1);
    await writeFile(file, kubeconfigText({ server: `https://127.0.0.1:${port}`, ca: '', token: 'x', user: 'x', namespace: 'x' }));
    const text = await lateen(['doctor', '--kubeconfig', file]);
    expect(text).toMatchObject({ status: 3, stdout: '' });
    expect(text.stderr).toContain('cannot reach the API server');
    const { status, stdout } = await lateen(['doctor', '--kubeconfig', file, '-o', 'json']);
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ checks: [{ check: 'API server', state: 'failed' }] });
    const { server } = inject('plane');
    await writeFile(file, kubeconfigText({ server, ca: '', token: 'x', user: 'x', namespace: 'x' }));
    expect((await lateen(['doctor', '--kubeconfig', file])).status).toBe(3);
  });
});
