import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { VELA_FINALIZER } from '#api/names.ts';
import { startAudit } from '#test/support/audit.ts';
import { kubectl } from '#test/support/namespace.ts';
import { applicationYaml, configMapYaml, kustomize } from '#test/support/repositories.ts';
import { tenancy } from '#test/support/tenancy.ts';

const { repositories, tenant } = tenancy();

const serviceAccount = (name: string): string => `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: ${name}\n`;

/** An Application that runs, with objects of several waves and a nested Application, all named like it. */
async function running(name: string, properties: Record<string, unknown> = {}): Promise<void> {
  const files = {
    'account.yaml': serviceAccount(name),
    'config.yaml': configMapYaml(name),
    'nested.yaml': applicationYaml(`${name}-nested`),
  };
  const repository = await repositories.create(name, files);
  await tenant.apply(name, [kustomize('a', repository.url, properties)]);
  await tenant.untilRunning(name);
}

const uid = async (kind: string, name: string): Promise<string | undefined> => (await tenant.get(kind, name))?.metadata.uid;

async function gone(kind: string, name: string): Promise<void> {
  await tenant.eventually(`rid of ${kind} ${name}`, async () => (await tenant.get(kind, name)) === undefined);
}

/** The last write of a run. */
async function closed(revision: string): Promise<void> {
  await tenant.eventually(`done with ${revision}`, async () => {
    const status = (await tenant.get('ApplicationRevision', revision))?.['status'];
    return (status as { succeeded?: boolean } | undefined)?.succeeded === true;
  });
}

describe('deleting an Application', () => {
  it('removes what it had applied, in reverse order, the nested Application with its own objects, then the inventory', async () => {
    await running('reverse');
    expect(await tenant.get('Deployment', 'reverse-nested')).toBeDefined();
    const audit = await startAudit(tenant.namespace);
    await tenant.delete('Application', 'reverse');
    for (const inventory of ['lateen-reverse', 'lateen-reverse-nested']) await gone('ConfigMap', inventory);
    for (const [kind, name] of [
      ['ServiceAccount', 'reverse'],
      ['ConfigMap', 'reverse'],
      ['Deployment', 'reverse-nested'],
    ] as const)
      await gone(kind, name);
    const deletions = (await audit.writes()).filter((line) => line.startsWith('delete') && !line.includes('nested'));
    expect(deletions).toEqual(['delete configmaps reverse', 'delete serviceaccounts reverse', 'delete configmaps lateen-reverse']);
    const all = await audit.writes();
    expect(all.indexOf('delete applications reverse-nested')).toBeLessThan(all.indexOf('delete configmaps reverse'));
    expect(all).toContain('delete applications reverse-nested');
  });

  it('leaves the objects of a component with prune: false', async () => {
    await running('spared', { prune: false });
    await tenant.delete('Application', 'spared');
    await gone('ConfigMap', 'lateen-spared');
    expect(await tenant.get('ConfigMap', 'spared')).toBeDefined();
    expect(await tenant.get('Application', 'spared-nested')).toBeDefined();
    expect(await tenant.agent.log()).toMatch(/"application deleted".*"kept":"[^"]*ConfigMap\/spared/);
  });

  it("takes vela-core's finalizer off an Application that is claimed, and off no other", async () => {
    await running('claimed');
    const { metadata } = tenant.application('claimed')!;
    await tenant.client.mergePatch(
      { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', namespace: tenant.namespace, name: 'claimed' },
      {
        metadata: { finalizers: [VELA_FINALIZER], resourceVersion: metadata.resourceVersion },
      },
    );
    await tenant.apply('foreign', [], {
      annotations: { 'app.oam.dev/controller-version-require': 'v1.10' },
      finalizers: [VELA_FINALIZER],
    });
    await Promise.all([tenant.delete('Application', 'claimed'), tenant.delete('Application', 'foreign')]);
    await gone('Application', 'claimed');
    await gone('ConfigMap', 'claimed');
    expect((await tenant.get('Application', 'foreign'))?.metadata.finalizers).toEqual([VELA_FINALIZER]);
    // What vela-core would do.
    await kubectl('patch', 'application', 'foreign', '-n', tenant.namespace, '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
  });
});

describe('an Application that is refused', () => {
  const refused = (name: string, url: string): Promise<unknown> =>
    tenant
      .apply(name, [kustomize('a', url, { targetNamespace: 'elsewhere' })])
      .then(() =>
        tenant.until(
          name,
          'refused',
          ({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Admitted' && is === 'False') === true,
        ),
      );

  it('keeps no other one waiting that goes', async () => {
    await refused('never', 'https://git.example.com/x');
    await running('beside');
    await tenant.delete('Application', 'beside');
    await gone('ConfigMap', 'lateen-beside');
  });

  it('keeps no other one of its repository from following the next commit', async () => {
    const { url, push } = await repositories.create('shared', { 'one/a.yaml': configMapYaml('one'), 'two/a.yaml': configMapYaml('two') });
    for (const name of ['one', 'two']) {
      await tenant.apply(name, [kustomize('a', url, { path: `./${name}` })]);
      await tenant.untilRunning(name);
    }
    await refused('two', url);
    await push({ 'one/a.yaml': null, 'one/b.yaml': configMapYaml('one-next') });
    await gone('ConfigMap', 'one');
    // It keeps what it has.
    expect(await tenant.get('ConfigMap', 'two')).toBeDefined();
  });
});

describe('a nested Application that a person deletes', () => {
  it('comes back, and what it runs goes on running', async () => {
    await running('torn');
    const before = await Promise.all([uid('Application', 'torn-nested'), uid('Deployment', 'torn-nested')]);
    await tenant.delete('Application', 'torn-nested');
    await tenant.eventually('back', async () => ![undefined, before[0]].includes(await uid('Application', 'torn-nested')));
    await tenant.untilRunning('torn-nested');
    expect(await uid('Deployment', 'torn-nested')).toBe(before[1]);
    await tenant.untilRunning('torn');
  });
});

describe('while the agent was away', () => {
  it('removes the objects of an Application that was deleted meanwhile', async () => {
    await running('away');
    await tenant.agent.stop();
    await tenant.delete('Application', 'away');
    await sleep(500);
    expect(await tenant.get('ConfigMap', 'away')).toBeDefined();
    await tenant.startAgent();
    for (const name of ['away', 'lateen-away']) await gone('ConfigMap', name);
    await gone('Deployment', 'away-nested');
  });

  it('keeps the objects where an Application of the same name came back first', async () => {
    await running('back');
    const before = await Promise.all([uid('ConfigMap', 'back'), uid('ServiceAccount', 'back'), uid('Deployment', 'back-nested')]);
    const { spec } = tenant.application('back')!;
    await tenant.agent.kill();
    await tenant.delete('Application', 'back');
    const { metadata } = await tenant.apply('back', spec);
    const audit = await startAudit(tenant.namespace);
    await tenant.startAgent();
    await tenant.until('back', 'running again', (one) => one.metadata.uid === metadata.uid && one.status?.status === 'running');
    expect(await Promise.all([uid('ConfigMap', 'back'), uid('ServiceAccount', 'back'), uid('Deployment', 'back-nested')])).toEqual(before);
    expect((await audit.writes()).filter((line) => line.startsWith('delete'))).toEqual([]);
  });

  it('writes nothing after a restart when nothing has changed', async () => {
    await running('quiet');
    await tenant.untilRunning('quiet-nested');
    for (const revision of ['quiet-v1', 'quiet-nested-v1']) await closed(revision);
    await tenant.agent.kill();
    const audit = await startAudit(tenant.namespace);
    const asked = repositories.server.requestCount('quiet');
    await tenant.startAgent();
    await tenant.eventually('pulling again', async () => repositories.server.requestCount('quiet') > asked + 4);
    expect(await audit.writes()).toEqual([]);
  });
});

describe('deleting the namespace', () => {
  it('is held up by nothing of ours, though the agent may lose its rights first', async () => {
    await running('doomed');
    await kubectl('delete', 'namespace', tenant.namespace, '--wait=false');
    await tenant.eventually('gone', async () => (await kubectl('get', 'namespace', tenant.namespace, '--ignore-not-found')) === '');
  });
});

describe('as a process', () => {
  it('tells whether it lives and is ready, and ends cleanly on SIGTERM', async () => {
    const { healthUrl } = tenant.agent;
    const answers = await Promise.all(['/healthz', '/readyz', '/'].map((path) => fetch(healthUrl + path)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404]);
    expect(await tenant.agent.stop()).toEqual({ code: 0, signal: null });
    expect((await tenant.agent.log()).trimEnd().split('\n').at(-1)).toContain('"message":"stopped"');
  });
});
