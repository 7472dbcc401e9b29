import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Application, Component } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { lateen } from '#test/support/lateen.ts';
import { kubectl } from '#test/support/namespace.ts';
import { configMapYaml, kustomize, type Repositories, startRepositories } from '#test/support/repositories.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';
import { type Made, startVelaCore, type VelaCore } from '#test/support/vela-core.ts';

/** vela-core is played by test/support/vela-core.ts, by what was recorded of the real one. No webhook claims anything here. */

const CLAIM = 'app.oam.dev/controller-version-require';

let repositories: Repositories;
let tenant: Tenant;
let velaCore: VelaCore | undefined;

beforeAll(async () => {
  [repositories, tenant] = await Promise.all([startRepositories(), startTenant({ flags: { applications: 'gitops' } })]);
});

afterAll(async () => {
  await velaCore?.stop();
  await tenant?.close();
  await repositories?.close();
});

async function withVelaCore(definitions: Record<string, (component: Component, application: Application) => Made> = {}): Promise<void> {
  await velaCore?.stop();
  velaCore = await startVelaCore({ namespace: tenant.namespace, definitions });
}

/** The fluxcd addon, as far as it matters here: it renders an object of its own and is healthy at once. */
function flux({ name }: Component): Made {
  const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `flux-${name}` }, data: { is: 'a Kustomization' } };
  return { objects: [object], healthy: true };
}

/** The ComponentDefinition `kustomize` of charts/lateen-agent. */
function waiting({ name }: Component, application: Application): Made {
  const metadata = { name: `waiting-for-lateen.${application.metadata.name}.${name}` };
  const message = 'waiting for Lateen to claim this Application';
  return { objects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { message } }], healthy: false, message };
}

async function repositoryOf(name: string): Promise<string> {
  return (await repositories.create(name, { 'cm.yaml': configMapYaml(`of-${name}`) })).url;
}

/** Who has written the status of an Application. */
function writersOfStatus(name: string): (string | undefined)[] {
  const fields = tenant.application(name)?.metadata.managedFields ?? [];
  return fields.filter(({ subresource }) => subresource === 'status').map(({ manager }) => manager);
}

describe('an Application that nobody has claimed', () => {
  it('is claimed although vela-core has marked it first, and runs', async () => {
    await withVelaCore();
    const url = await repositoryOf('late');
    await tenant.agent.stop();
    await tenant.apply('late', [kustomize('a', url)]);
    await tenant.until('late', 'marked', ({ metadata, status }) => {
      const parsed = status?.conditions?.find(({ type }) => type === 'Parsed');
      return metadata.finalizers?.length === 1 && parsed?.status === 'False';
    });
    await tenant.startAgent();
    await tenant.untilRunning('late');
    expect(tenant.application('late')?.metadata.annotations).toEqual({ [CLAIM]: 'lateen' });
    expect((await tenant.get('ConfigMap', 'of-late'))?.['data']).toEqual({ key: 'one' });
    expect(tenant.application('late')?.status?.conditions?.find(({ type }) => type === 'Parsed')).toMatchObject({ status: 'True' });
  });

  it('goes as a claimed one does, vela-core’s finalizer aside', async () => {
    await tenant.delete('Application', 'late');
    await tenant.eventually('gone', async () => !(await tenant.get('ConfigMap', 'of-late')));
    expect(tenant.application('late')).toBeUndefined();
  });

  it('is claimed while the ComponentDefinition makes vela-core say that it waits, and the word goes', async () => {
    await withVelaCore({ kustomize: waiting });
    const url = await repositoryOf('told');
    await tenant.agent.stop();
    await tenant.apply('told', [kustomize('a', url)]);
    const told = await tenant.until('told', 'told', ({ status }) => status?.services?.[0]?.message !== undefined);
    expect(told.status?.services).toMatchObject([{ healthy: false, message: 'waiting for Lateen to claim this Application' }]);
    expect(await tenant.get('ConfigMap', 'waiting-for-lateen.told.a')).toBeDefined();
    await tenant.startAgent();
    await tenant.untilRunning('told');
    await tenant.eventually('taken away', async () => !(await tenant.get('ConfigMap', 'waiting-for-lateen.told.a')));
    expect(tenant.application('told')?.status?.appliedResources).toMatchObject([{ name: 'of-told' }]);
  });

  it('is claimed again where its claim got lost', async () => {
    const { apiVersion, kind, metadata } = tenant.application('told')!;
    const reference = { apiVersion, kind, namespace: metadata.namespace, name: 'told' };
    await tenant.client.mergePatch(reference, { metadata: { annotations: { [CLAIM]: null } } });
    await tenant.until('told', 'claimed again', (application) => application.metadata.annotations?.[CLAIM] === 'lateen');
    await tenant.untilRunning('told');
  });
});

describe('an Application for which vela-core has applied something', () => {
  const spec = (url: string): Component[] => [kustomize('a', url, { adopt: true })];

  it('stays vela-core’s: nothing of it is written, and an Event says how to hand it over', async () => {
    await withVelaCore({ kustomize: flux });
    const url = await repositoryOf('theirs');
    await tenant.agent.stop();
    await tenant.apply('theirs', spec(url));
    await tenant.until('theirs', 'run by vela-core', ({ status }) => status?.status === 'running');
    await tenant.startAgent();
    const events = await tenant.eventually('told', async () => {
      const all = await tenant.events('theirs');
      return all.length > 0 && all;
    });
    expect(events).toEqual([
      'Normal RunByVelaCore vela-core runs it: it has applied ConfigMap/flux-a; Lateen leaves it alone. To hand it over: ' +
        `kubectl annotate application theirs -n ${tenant.namespace} ${CLAIM}=lateen (read docs/beside-vela-core.md first)`,
    ]);
    expect(writersOfStatus('theirs')).toEqual(['vela-core-stand-in']);
    expect(tenant.application('theirs')?.metadata.annotations).toBeUndefined();
    expect(await tenant.get('ConfigMap', 'of-theirs')).toBeUndefined();
  });

  it('is told of by lateen doctor', async () => {
    await kubectl('label', 'namespace', tenant.namespace, 'lateen.dev/applications=gitops');
    const { stdout } = await lateen(['doctor', '-n', tenant.namespace, '--kubeconfig', tenant.kubeconfig]);
    const how = `kubectl annotate application theirs -n ${tenant.namespace} ${CLAIM}=lateen`;
    expect(stdout).toMatch(/ok +owners +theirs: vela-core runs it: it has applied ConfigMap\/flux-a; Lateen leaves it alone/);
    expect(stdout).toContain(how);
  });

  it('is the agent’s once it is handed over', async () => {
    await tenant.apply('theirs', spec(`${repositories.server.url}/theirs`), { annotations: { [CLAIM]: 'lateen' } });
    await tenant.eventually('applied', () => tenant.get('ConfigMap', 'of-theirs'));
    await tenant.until('theirs', 'well', ({ status }) => status?.services?.[0]?.details?.['commit'] !== undefined);
    await tenant.untilRunning('theirs');
    // What vela-core had made stays: the agent knows of nothing that it has not applied.
    expect(await tenant.get('ConfigMap', 'flux-a')).toBeDefined();
  });

  it('without a kustomize component is never looked at', async () => {
    await tenant.apply('web', [{ name: 'web', type: 'webservice', properties: { image: 'nginx' } }]);
    await tenant.until('web', 'run by vela-core', ({ status }) => status?.status === 'running');
    expect(writersOfStatus('web')).toEqual(['vela-core-stand-in']);
    expect((await tenant.events('web')).filter((line) => line.includes('vela-core'))).toEqual([]);
  });
});
