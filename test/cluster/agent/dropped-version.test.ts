import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Client, createClient } from '#agent/cluster/client.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { silentLog } from '#core/log.ts';
import { adminConnection } from '#test/support/api-client.ts';
import { lateen } from '#test/support/lateen.ts';
import { kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

/** Of this run alone: other tests use the same control plane. */
const GROUP = `v${randomBytes(4).toString('hex')}.example.com`;
const KINDS = ['Gadget', 'Widget', 'Gizmo', 'Engine', 'Gear'];
const plural = (kind: string): string => `${kind.toLowerCase()}s`;

let client: Client;
let repositories: Repositories;
let tenant: Tenant;

beforeAll(async () => {
  const rule = { apiGroups: [GROUP], resources: KINDS.map(plural), verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] };
  client = createClient(await adminConnection(), { log: silentLog, userAgent: 'lateen-test' });
  // Before the agent begins: it looks for kinds that come later every five seconds.
  for (const kind of KINDS) await define(kind, ['v1alpha1', 'v1']);
  [repositories, tenant] = await Promise.all([startRepositories(), startTenant({ values: { rbac: { rules: [rule] } } })]);
});

afterAll(async () => {
  await tenant?.close();
  await repositories?.close();
  client?.transport.close();
});

type Version = 'v1alpha1' | 'v1';

const SPEC = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const SCHEMA = { openAPIV3Schema: { type: 'object', properties: { spec: SPEC } } };

/** The definition of a kind that serves these versions and stores the last of them. */
async function define(kind: string, served: readonly Version[]): Promise<void> {
  const versions = (['v1alpha1', 'v1'] as const).map((name) => ({
    name,
    served: served.includes(name),
    storage: name === served.at(-1),
    schema: SCHEMA,
  }));
  await client.apply({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural(kind)}.${GROUP}` },
    spec: { group: GROUP, scope: 'Namespaced', names: { plural: plural(kind), kind }, versions },
  });
  const wanted = served.includes('v1alpha1') ? 200 : 404;
  await vi.waitFor(async () => expect(await answers(kind, 'v1alpha1')).toBe(wanted), { timeout: 10_000 });
}

async function answers(kind: string, version: Version): Promise<number> {
  return (await client.transport.request({ method: 'GET', path: `/apis/${GROUP}/${version}/${plural(kind)}` })).status;
}

const yaml = (version: Version, kind: string, size = 1): string =>
  `apiVersion: ${GROUP}/${version}\nkind: ${kind}\nmetadata: {name: one}\nspec: {size: ${size}}\n`;

async function live(kind: string): Promise<KubeObject | undefined> {
  const path = `/apis/${GROUP}/v1/namespaces/${tenant.namespace}/${plural(kind)}/one`;
  const { status, body } = await client.transport.request({ method: 'GET', path });
  return status === 200 ? (body as KubeObject) : undefined;
}

/** An Application that has applied an object of the kind in its old version, whose definition then stops serving that. */
async function dropped(name: string, kind: string): Promise<void> {
  const repository = await repositories.create(name, { 'a.yaml': yaml('v1alpha1', kind) });
  await tenant.apply(name, [kustomize('a', repository.url)]);
  await tenant.untilRunning(name);
  expect(await live(kind)).toBeDefined();
  await define(kind, ['v1']);
}

/** What says that Lateen holds it. */
function heldBy(object: KubeObject | undefined): string[] {
  const { labels = {}, managedFields = [] } = object?.metadata ?? {};
  const ours = managedFields.filter(({ manager }) => manager === 'lateen');
  return [...Object.keys(labels).filter((key) => key.startsWith('lateen.dev/')), ...ours.map(({ manager }) => `fields of ${manager}`)];
}

async function removed(name: string, kind: string): Promise<void> {
  await tenant.delete('Application', name);
  await tenant.eventually('inventory gone', async () => (await tenant.get('ConfigMap', `lateen-${name}`)) === undefined);
  expect(await live(kind)).toBeUndefined();
}

it('deletes an object whose version is served no longer, as soon as that is so', async () => {
  await dropped('at-once', 'Gadget');
  await removed('at-once', 'Gadget');
});

it('deletes it after the agent has begun anew, which never knew that version', async () => {
  await dropped('anew', 'Widget');
  await tenant.agent.kill();
  await tenant.startAgent();
  await removed('anew', 'Widget');
});

it('hands it back as it is, without anything of ours on it', async () => {
  await dropped('back', 'Gear');
  const before = await live('Gear');
  expect(heldBy(before)).toEqual(['lateen.dev/application', 'lateen.dev/component', 'fields of lateen']);
  const { status, stderr } = await lateen(['handback', 'back', '-n', tenant.namespace, '--kubeconfig', tenant.kubeconfig]);
  expect([status, stderr]).toEqual([0, '']);
  const after = await live('Gear');
  expect([after?.metadata.uid, after?.['spec'], heldBy(after)]).toEqual([before?.metadata.uid, before?.['spec'], []]);
  expect(await tenant.get('ConfigMap', 'lateen-back')).toBeUndefined();
});

it('lets an object go whose kind is gone altogether', async () => {
  await dropped('gone', 'Gizmo');
  await client.delete({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `${plural('Gizmo')}.${GROUP}` });
  await tenant.eventually('gone', async () => (await answers('Gizmo', 'v1')) === 404);
  await removed('gone', 'Gizmo');
});

it('goes on with the same object where its manifest moves to the new version', async () => {
  const repository = await repositories.create('moves', { 'a.yaml': yaml('v1alpha1', 'Engine') });
  await tenant.apply('moves', [kustomize('a', repository.url)]);
  await tenant.untilRunning('moves');
  const before = await live('Engine');

  await repository.push({ 'a.yaml': yaml('v1', 'Engine', 2) });
  await tenant.eventually('moved', async () => JSON.stringify((await live('Engine'))?.['spec']) === '{"size":2}');
  await tenant.untilRunning('moves');
  expect((await live('Engine'))?.metadata.uid).toBe(before?.metadata.uid);
  const text = (await tenant.get('ConfigMap', 'lateen-moves'))?.['data'] as { 'inventory.json': string };
  const { entries } = JSON.parse(text['inventory.json']) as { entries: { apiVersion: string }[] };
  expect(entries.map(({ apiVersion }) => apiVersion)).toEqual([`${GROUP}/v1`]);

  await define('Engine', ['v1']);
  await removed('moves', 'Engine');
});
