import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { allowListsOf } from '#api/allow-lists.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import type { Printed } from '#test/support/kubectl.ts';
import { kubectl } from '#test/support/namespace.ts';
import { openPage, paste } from '#test/support/page.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const DEADLINE_MS = 60_000;
const page = await openPage('tenants.md');

let folder: string;
/** The page says team-a. */
let namespace: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  namespace = `team-${randomBytes(4).toString('hex')}`;
  await symlink(join(ROOT, 'charts'), join(folder, 'charts'));
  await mkdir(join(folder, 'infrastructure'));
  await writeFile(
    join(folder, 'infrastructure', 'a.yaml'),
    'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n',
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the block under a heading, with the namespace of this run in the place of team-a. */
function run(heading: string, position = 0): Promise<Printed> {
  const { kubeconfig, programs } = inject('plane');
  const path = [join(ROOT, 'bin'), dirname(programs.kubectl), dirname(programs.helm)];
  const shell = { cwd: folder, path, env: { KUBECONFIG: kubeconfig }, deadlineMs: DEADLINE_MS };
  return paste(shell, page.block(heading, position).replaceAll('team-a', namespace));
}

const object = async (...what: string[]): Promise<KubeObject> => JSON.parse(await kubectl('get', ...what, '-o', 'json')) as KubeObject;

it('lateen init prints what kubectl applies: Namespace, quota, and who the team is', async () => {
  expect(await run('A new tenant')).toMatchObject({ status: 0, stderr: '' });
  const { labels, annotations = {} } = (await object('namespace', namespace)).metadata;
  expect(labels).toMatchObject({ 'lateen.dev/applications': 'all', 'pod-security.kubernetes.io/enforce': 'restricted' });
  expect(allowListsOf(annotations)).toMatchObject({
    repositories: { patterns: [{ open: true }] },
    registries: { patterns: [{ open: true }] },
  });
  expect(await object('resourcequota', 'tenant', '-n', namespace)).toMatchObject({ spec: { hard: { pods: '100' } } });
  const may = await kubectl('auth', 'can-i', 'create', 'deployments', '-n', namespace, '--as=somebody', `--as-group=${namespace}`);
  expect(may.trim()).toBe('yes');
});

it('the agent is installed with the values of lateen init, in a namespace with Pod Security restricted', async () => {
  expect(await run('A new tenant', 1)).toMatchObject({ status: 0 });
  const deployment = await object('deployment', 'lateen-agent', '-n', namespace);
  expect(JSON.stringify(deployment)).toContain('--applications=all');
});

it('lateen doctor looks at it, and says what is missing', async () => {
  const { status, stdout } = await run('Does it work?');
  // kwok's pods run nothing, so no agent holds the Lease.
  expect(status).toBe(1);
  expect(stdout).toMatch(/^FAILED {3}lease/m);
  expect(stdout).toMatch(/^ok {7}rights/m);
  expect(stdout).toMatch(/^ok {7}allow-list {4}lateen\.dev\/allowed-repositories has one pattern$/m);
  const rbac = await run('Does it work?', 1);
  expect(rbac).toMatchObject({ status: 0, stderr: '' });
  expect(rbac.stdout).toContain('ok      services');
});

it('the allow-lists are changed on the Namespace, and asked of files', async () => {
  expect(await run('Allow-lists')).toMatchObject({ status: 0 });
  const { annotations = {} } = (await object('namespace', namespace)).metadata;
  expect(allowListsOf(annotations)).toMatchObject({ repositories: { patterns: [{ open: true }, { open: false }] } });
  await mkdir(join(folder, 'applications'));
  const properties = `{url: 'https://git.example.com/team-b/x', path: ./}`;
  const manifest = `apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: a}\nspec: {components: [{name: x, type: kustomize, properties: ${properties}}]}\n`;
  await writeFile(join(folder, 'applications', 'a.yaml'), manifest);
  const checked = await run('Allow-lists', 1);
  expect(checked.status).toBe(1);
  expect(checked.stderr).toContain('REPOSITORY_NOT_ALLOWED');
});

it('every command of the page was run', () => {
  expect(page.left()).toEqual([]);
});
