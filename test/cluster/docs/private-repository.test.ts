import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import type { Application } from '#api/application.ts';
import { kubeconfigText } from '#dev/control-plane-files.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';
import { kubectl } from '#test/support/namespace.ts';
import { openPage, paste } from '#test/support/page.ts';
import { configMapYaml, type Repositories, startRepositories, type TestRepository } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

const DEADLINE_MS = 30_000;
const OLD = 'the-first-password';
const NEW = 'the-second-password';
const certificate = selfSignedCertificate();
const page = await openPage('private-repository.md');

let folder: string;
let tenant: Tenant;
let plain: Repositories;
let secure: Repositories;
/** The kubeconfig of somebody who has the role `admin` in the namespace, as a tenant has. */
let kubeconfig: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  const users = [OLD, NEW].map((password) => ({ name: 'reader', password, write: false }));
  [plain, secure, tenant] = await Promise.all([
    startRepositories({ users }),
    startRepositories({ users, tls: certificate }),
    startTenant(),
  ]);
  kubeconfig = await tenantKubeconfig(tenant.namespace);
  await writeFile(join(folder, 'ca.crt'), certificate.cert);
});

afterAll(async () => {
  await tenant?.close();
  await Promise.all([plain, secure].map((one) => one?.close()));
  await rm(folder, { recursive: true, force: true });
});

async function tenantKubeconfig(namespace: string): Promise<string> {
  await kubectl('create', 'serviceaccount', 'person', '-n', namespace);
  await kubectl('create', 'rolebinding', 'person', '-n', namespace, '--clusterrole=admin', `--serviceaccount=${namespace}:person`);
  const rule = ['--verb=*', '--resource=applications.core.oam.dev'];
  await kubectl('create', 'role', 'applications', '-n', namespace, ...rule);
  await kubectl('create', 'rolebinding', 'applications', '-n', namespace, '--role=applications', `--serviceaccount=${namespace}:person`);
  const token = (await kubectl('create', 'token', 'person', '-n', namespace)).trim();
  const { server, caFile } = inject('plane');
  const ca = await readFile(caFile, 'utf8');
  const file = join(folder, 'kubeconfig');
  await writeFile(file, kubeconfigText({ server, ca, token, user: 'person', namespace }));
  return file;
}

/** Runs commands of the page as a tenant would, typing `typed`, and resolves to what they printed. */
async function run(commands: string, typed = ''): Promise<string> {
  const shell = {
    cwd: folder,
    path: [dirname(inject('plane').programs.kubectl)],
    env: { KUBECONFIG: kubeconfig },
    deadlineMs: DEADLINE_MS,
  };
  const { status, stdout, stderr } = await paste(shell, commands, typed);
  if (status !== 0) throw new Error(`exit status ${status}: ${commands}\n${stderr}`);
  return stdout;
}

/** The Application of the page, with the URL and the interval of this test. */
async function applyExample(name: string, url: string, secretRef: string): Promise<void> {
  const { spec } = parse(page.block('User name and password', 0, 'yaml')) as Application;
  Object.assign(spec.components[0]!.properties!, { url, secretRef, pullInterval: '1s' });
  await tenant.apply(name, spec);
}

async function repository(home: Repositories, name: string): Promise<TestRepository> {
  return home.create(name, { 'a.yaml': configMapYaml(name) });
}

it('makes the Secret with name and password; the component that waited for it goes on', async () => {
  const { url } = await repository(plain, 'private');
  await applyExample('private', url, 'git-secret');
  await tenant.until('private', 'waiting', () => tenant.service('private', 'infrastructure')?.details?.['reason'] === 'SECRET_NOT_FOUND');
  await run(page.block('User name and password'), OLD);
  await tenant.untilRunning('private');
});

it('shows that it works', async () => {
  expect((await run(page.block('Does it work?'))).trim()).toBe('true');
});

it('replaces the password, which is used at once', async () => {
  const asked = plain.server.requests().length;
  await run(page.block('A new password'), NEW);
  const secret = (await tenant.get('Secret', 'git-secret'))?.['data'] as Record<string, string>;
  expect(Object.entries(secret).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])).toEqual([
    ['password', NEW],
    ['username', 'reader'],
  ]);
  await tenant.eventually('asked again', async () => plain.server.requests().length > asked + 2);
  await tenant.untilRunning('private');
});

it('takes a bearer token', async () => {
  const { url } = await repository(plain, 'bearer');
  await run(page.block('A bearer token'), OLD);
  await applyExample('bearer', url, 'git-token');
  await tenant.untilRunning('bearer');
});

it('trusts an authority of your own, with credentials and without', async () => {
  const { url } = await repository(secure, 'own-authority');
  await applyExample('own-authority', url, 'git-secret');
  await tenant.until(
    'own-authority',
    'not trusted',
    () => tenant.service('own-authority', 'infrastructure')?.details?.['reason'] === 'TLS_FAILED',
  );
  const heading = 'A server with a certificate of your own authority';
  await run(page.block(heading));
  await tenant.untilRunning('own-authority');
  // The credentials are still there, also for the server without TLS.
  await tenant.untilRunning('private');

  await secure.server.createRepository('open', { public: true });
  await run(page.block(heading, 1));
  const open = await repository(secure, 'open');
  await applyExample('open', open.url, 'git-ca');
  await tenant.untilRunning('open');
});

it('ran every command of the page, and showed no password', async () => {
  expect(page.left()).toEqual([]);
  const shown = await tenant.shown();
  for (const password of [OLD, NEW]) {
    expect(shown).not.toContain(password);
    expect(shown).not.toContain(Buffer.from(password).toString('base64'));
  }
});
