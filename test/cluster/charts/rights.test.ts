import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { agentRequests, grantedRights, usedRights } from '#test/support/audit.ts';
import { objectsOf, only, type Rule, template } from '#test/support/helm.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

const EVERY_KIND = fileURLToPath(new URL('../../fixtures/charts/every-kind.yaml', import.meta.url));
const PASSWORD = 'may-read-9aZ';
const RUN_MS = 240_000;

/** Rights of the Role that a run of everything does not use, and why the agent has them all the same. */
const EXPLAINED: Readonly<Record<string, string>> = {};

let repositories: Repositories;
let tenant: Tenant;
let before: number;

beforeAll(async () => {
  before = (await stat(inject('plane').auditLog)).size;
  repositories = await startRepositories({ users: [{ name: 'reader', password: PASSWORD, write: false }] });
  tenant = await startTenant({ flags: { 'revision-limit': '1' } });
});

afterAll(async () => {
  await tenant?.close();
  await repositories?.close();
});

/** Whatever an agent does: apply, change, correct, prune; secrets, references, revisions, and the end of an Application. */
async function everything(): Promise<void> {
  await tenant.apply('stuck', [{ name: 'stuck', type: 'webservice', properties: { image: 'web:xxx' } }]);
  await secret('git', { username: 'reader', password: PASSWORD });
  const every = await readFile(EVERY_KIND, 'utf8');
  const repository = await repositories.create('every', { 'every.yaml': every });
  const component = kustomize('all', repository.url, { secretRef: 'git', pruneBudget: { count: 100, percent: 100 } });
  await tenant.apply('every-kind', [component]);
  await tenant.eventually('applied', async () => (await tenant.get('Deployment', 'every-nested')) !== undefined);
  await tenant.apply('referring', {
    components: [kustomize('all', repository.url, { secretRef: 'git', path: './none' })],
    workflow: { ref: 'every' },
  });

  await repository.push({ 'every.yaml': every.replaceAll('{name: every}', '{name: every, annotations: {a: b}}') });
  await tenant.eventually('changed', async () => (await tenant.get('Secret', 'every'))?.metadata.annotations?.['a'] === 'b');
  await tenant.client.delete({ apiVersion: 'v1', kind: 'Service', namespace: tenant.namespace, name: 'every' });
  await tenant.eventually('corrected', async () => (await tenant.get('Service', 'every')) !== undefined);

  // What holds data is pruned only with a word, which counts for a list that was shown.
  await repository.push({ 'every.yaml': null, 'map.yaml': configMapYaml('left') });
  const held = (): string | undefined => tenant.service('every-kind', 'all')?.details?.['heldPrune'];
  await tenant.until('every-kind', 'held', () => held() !== undefined);
  await tenant.apply('every-kind', [component], { annotations: { 'lateen.dev/approve-prune': held() ?? '' } });
  await tenant.eventually('pruned', async () => (await tenant.get('Deployment', 'every')) === undefined);
  for (const path of ['./', '.', './', '.']) {
    await tenant.apply('every-kind', [
      { ...component, properties: { ...component.properties, path, timeout: path === '.' ? '50s' : '60s' } },
    ]);
    await tenant.untilRunning('every-kind');
  }
  await tenant.delete('Application', 'every-kind');
  await tenant.until('stuck', 'explained', () => tenant.service('stuck', 'stuck')?.message?.includes('ImagePullBackOff') ?? false);
  await editPinned();
  await tenant.eventually('gone', async () => (await tenant.get('ConfigMap', 'lateen-every-kind')) === undefined);
}

/** A spec that changed under its publishVersion: an agent that has just started looks up what it is to run. */
async function editPinned(): Promise<void> {
  const pinned = { annotations: { 'app.oam.dev/publishVersion': 'v1' } };
  const web = (image: string) => [{ name: 'pinned', type: 'webservice', properties: { image } }];
  await tenant.apply('pinned', web('nginx'), pinned);
  await tenant.untilRunning('pinned');
  await tenant.agent.stop();
  await tenant.apply('pinned', web('nginx:edited'), pinned);
  await tenant.startAgent();
  await tenant.eventually('looked up', async () => (await rightsUsed()).has('core.oam.dev/applicationrevisions get'));
}

async function rightsUsed(): Promise<Set<string>> {
  return usedRights(await agentRequests(inject('plane').auditLog, tenant.namespace, before));
}

async function secret(name: string, stringData: Record<string, string>): Promise<void> {
  const object: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: tenant.namespace }, stringData };
  await tenant.client.apply(object, { fieldManager: 'person' });
}

it('each right that the chart gives is used or explained, and none is missing', { timeout: RUN_MS }, async () => {
  await everything();
  const events = await agentRequests(inject('plane').auditLog, tenant.namespace, before);
  expect(events.filter(({ responseStatus }) => responseStatus?.code === 403).map(({ requestURI }) => requestURI)).toEqual([]);
  const used = await rightsUsed();
  const rules = only(objectsOf(await template('lateen-agent', tenant.namespace)), 'Role')['rules'] as Rule[];
  const unused = [...grantedRights(rules)].filter((right) => !used.has(right));
  expect(unused.toSorted()).toEqual(Object.keys(EXPLAINED).toSorted());
});
