import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Application, Component } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { startTenant, type Tenant } from '#test/support/tenant.ts';

/** The tables of spec/kubevela.md §3.1 and §3.2, on a real API server. */

const VERSION = 'app.oam.dev/publishVersion';

let tenant: Tenant;

beforeAll(async () => {
  tenant = await startTenant({ flags: { 'revision-limit': '3' } });
});

afterAll(() => tenant?.close());

/** An image that kwok is told never to make ready ends in xxx (dev/kwok-stages.yaml). */
function web(name: string, image: string): Component {
  return { name, type: 'webservice', properties: { image: `web:${image}` } };
}

function pin(version: string): { annotations: Record<string, string> } {
  return { annotations: { [VERSION]: version } };
}

async function imageOf(name: string): Promise<string | undefined> {
  const deployment = (await tenant.get('Deployment', name)) as
    | { spec?: { template: { spec: { containers: { image: string }[] } } } }
    | undefined;
  return deployment?.spec?.template.spec.containers[0]?.image.replace('web:', '');
}

async function revisionsOf(name: string): Promise<Record<string, string>> {
  const kind = await tenant.client.kinds.find('core.oam.dev/v1beta1', 'ApplicationRevision');
  const all = await tenant.client.list(kind!, { namespace: tenant.namespace, labelSelector: `app.oam.dev/name=${name}` });
  const said = (one: KubeObject): string => {
    const { application } = one['spec'] as { application: Application };
    const { succeeded, workflow } = (one['status'] ?? {}) as { succeeded?: boolean; workflow?: { status?: string } };
    const image = String(application.spec.components[0]?.properties?.['image']).replace('web:', '');
    return [image, one.metadata.annotations?.[VERSION] ?? '-', succeeded === undefined ? '' : workflow?.status].join(' ').trim();
  };
  return Object.fromEntries(all.map((one) => [one.metadata.name?.slice(name.length + 1), said(one)]));
}

/** Until the workflow has ended for the token. */
function ended(name: string, token: string): Promise<Application> {
  return tenant.until(name, `at ${token}`, ({ status }) => status?.workflow?.appRevision === token && status.workflow.finished);
}

function condition(application: Application | undefined, type: string) {
  return application?.status?.conditions?.find((one) => one.type === type);
}

function noted(name: string, reason: string): Promise<Application> {
  return tenant.until(name, reason, (application) => condition(application, 'Revision')?.reason === reason);
}

describe.concurrent('an Application without a publishVersion', () => {
  it('makes a revision and a run of each change of the spec; A, B, A, C keep all snapshots', async () => {
    for (const [index, image] of ['a', 'b', 'a', 'c'].entries()) {
      await tenant.apply('free', [web('free', image)]);
      await ended('free', `free-v${index + 1}`);
    }
    // The run of the last one is recorded after its status.
    await tenant.eventually('recorded', async () => (await revisionsOf('free'))['v4'] === 'c - succeeded');
    expect(await revisionsOf('free')).toEqual({ v1: 'a - succeeded', v2: 'b - succeeded', v3: 'a - succeeded', v4: 'c - succeeded' });
  });

  it('makes none of a label or an annotation, and runs nothing again', async () => {
    await tenant.apply('labelled', [web('labelled', 'a')]);
    const before = await ended('labelled', 'labelled-v1');
    await tenant.apply('labelled', [web('labelled', 'a')], { labels: { team: 'blue' }, annotations: { note: 'x' } });
    await sleep(1_500);
    expect(tenant.application('labelled')?.status?.workflow).toEqual(before.status?.workflow);
    expect(Object.keys(await revisionsOf('labelled'))).toEqual(['v1']);
  });

  it('keeps as many revisions as the setting says besides the one that runs', async () => {
    for (const image of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const { generation } = (await tenant.apply('many', [web('many', image)])).metadata;
      await tenant.until('many', image, ({ status }) => status?.observedGeneration === generation && status?.workflow?.finished === true);
    }
    await tenant.eventually('pruned', async () => Object.keys(await revisionsOf('many')).length === 4);
    expect(Object.keys(await revisionsOf('many'))).toEqual(['v3', 'v4', 'v5', 'v6']);
  });
});

describe.concurrent('a pinned Application', () => {
  it('runs only when the version changes; an edit in between is inert and reported', async () => {
    await tenant.apply('pinned', [web('pinned', 'a')], pin('alpha1'));
    const first = await ended('pinned', 'alpha1');
    expect(first.status?.latestRevision).toMatchObject({ name: 'pinned-v1', revision: 1 });

    await tenant.apply('pinned', [web('pinned', 'b')], pin('alpha1'));
    const inert = await noted('pinned', 'PublishVersionUnchanged');
    expect(condition(inert, 'Ready')).toMatchObject({ status: 'True', reason: 'PublishVersionUnchanged' });
    expect(condition(inert, 'Revision')?.message).toContain('spec.components[0].properties.image has changed, without effect');
    expect(inert.status).toMatchObject({ status: 'running', workflow: first.status!.workflow! });
    expect(await imageOf('pinned')).toBe('a');
    await tenant.eventually('told', async () =>
      (await tenant.events('pinned')).some((line) => line.includes('Normal PublishVersionUnchanged')),
    );

    await tenant.apply('pinned', [web('pinned', 'b')], pin('alpha2'));
    const second = await ended('pinned', 'alpha2');
    expect(await imageOf('pinned')).toBe('b');
    expect(condition(second, 'Revision')).toMatchObject({ status: 'True', reason: 'Available' });
    await tenant.eventually('recorded', async () => (await revisionsOf('pinned'))['v2'] === 'b alpha2 succeeded');
    expect(await revisionsOf('pinned')).toEqual({ v1: 'a alpha1 succeeded', v2: 'b alpha2 succeeded' });
  });

  it('repairs what it applied from its snapshot, though the spec says otherwise', async () => {
    await tenant.apply('drifting', [web('drifting', 'a')], pin('v1'));
    await ended('drifting', 'v1');
    await tenant.apply('drifting', [web('drifting', 'b')], pin('v1'));
    await noted('drifting', 'PublishVersionUnchanged');
    await tenant.delete('Deployment', 'drifting');
    await tenant.eventually('back', () => imageOf('drifting'));
    expect(await imageOf('drifting')).toBe('a');
  });

  it('makes a revision of a new version of the same spec, with the same hash, and runs it', async () => {
    await tenant.apply('same', [web('same', 'a')], pin('v1'));
    const { status: before } = await ended('same', 'v1');
    await tenant.apply('same', [web('same', 'a')], pin('v2'));
    const { status: after } = await ended('same', 'v2');
    expect(after?.latestRevision).toEqual({ ...before?.latestRevision, name: 'same-v2', revision: 2 });
  });

  it('uses the revision of an older version again where the content is that of then', async () => {
    await tenant.apply('reverted', [web('reverted', 'a')], pin('v1'));
    await ended('reverted', 'v1');
    await tenant.apply('reverted', [web('reverted', 'b')], pin('v2'));
    await ended('reverted', 'v2');
    // `git revert` of the commit that brought both.
    await tenant.apply('reverted', [web('reverted', 'a')], pin('v1'));
    await ended('reverted', 'v1');
    expect(tenant.application('reverted')?.status?.latestRevision?.name).toBe('reverted-v1');
    await tenant.eventually('rolled out', async () => (await imageOf('reverted')) === 'a');
    // Of the bump alone, the edit having come before it.
    await tenant.apply('reverted', [web('reverted', 'b')], pin('v2'));
    await ended('reverted', 'v2');
    await tenant.apply('reverted', [web('reverted', 'b')], pin('v1'));
    await ended('reverted', 'v1');
    await noted('reverted', 'PublishVersionUnchanged');
    await tenant.eventually('rolled out', async () => (await imageOf('reverted')) === 'a');
    expect(Object.keys(await revisionsOf('reverted'))).toEqual(['v1', 'v2']);
  });

  it('refuses a version that was used for another content, and goes on with what runs', async () => {
    await tenant.apply('reused', [web('reused', 'a')], pin('v1'));
    await ended('reused', 'v1');
    await tenant.apply('reused', [web('reused', 'b')], pin('v2'));
    await ended('reused', 'v2');
    await tenant.apply('reused', [web('reused', 'c')], pin('v1'));
    const refused = await noted('reused', 'VersionReused');
    expect(condition(refused, 'Ready')).toMatchObject({ status: 'False', reason: 'VersionReused' });
    expect(condition(refused, 'Ready')?.message).toContain('reused-v1');
    await sleep(1_000);
    expect(await imageOf('reused')).toBe('b');
    await tenant.apply('reused', [web('reused', 'c')], pin('v3'));
    await ended('reused', 'v3');
    expect(condition(tenant.application('reused'), 'Ready')).toMatchObject({ status: 'True', reason: 'ReconcileSuccess' });
  });

  it('runs again when the version is taken away, and when one is put on', async () => {
    await tenant.apply('unpinned', [web('unpinned', 'a')], pin('v1'));
    await ended('unpinned', 'v1');
    await tenant.apply('unpinned', [web('unpinned', 'a')]);
    await ended('unpinned', 'unpinned-v2');
    await tenant.apply('unpinned', [web('unpinned', 'a')], pin('v2'));
    await ended('unpinned', 'v2');
  });

  it('that fails leaves what ran before, unpruned, and its run is recorded when another displaces it', async () => {
    await tenant.apply('failing', [web('failing', 'a'), web('failing-old', 'a')], pin('alpha1'));
    await ended('failing', 'alpha1');
    await tenant.apply('failing', [web('failing', 'bxxx')], pin('alpha2'));
    await tenant.until(
      'failing',
      'unhealthy',
      ({ status }) => status?.workflow?.appRevision === 'alpha2' && status.status === 'runningWorkflow',
    );
    await sleep(2_000);
    expect(await imageOf('failing-old')).toBe('a');
    expect(tenant.application('failing')?.status?.workflow?.finished).toBe(false);
    expect((await revisionsOf('failing'))['v2']).toBe('bxxx alpha2');
    await tenant.apply('failing', [web('failing', 'c')], pin('alpha3'));
    await ended('failing', 'alpha3');
    expect((await revisionsOf('failing'))['v2']).toBe('bxxx alpha2 terminated');
    await tenant.eventually('pruned', async () => (await imageOf('failing-old')) === undefined);
  });

  it('published by two people at once ends with one of them, and no revision holds what the other published', async () => {
    await tenant.apply('crowd', [web('crowd', 'a')], pin('v0'));
    await ended('crowd', 'v0');
    await Promise.all(['x', 'y'].map((one) => tenant.apply('crowd', [web('crowd', one)], pin(one))));
    // As the API server has it: a watch may still tell of v0.
    const version = (await tenant.get('Application', 'crowd'))!.metadata.annotations![VERSION]!;
    expect(['x', 'y']).toContain(version);
    await ended('crowd', version);
    await tenant.eventually('rolled out', async () => (await imageOf('crowd')) === version);
    // One that was displaced before it was seen leaves none; none holds what another one published.
    for (const [revision, said] of Object.entries(await revisionsOf('crowd'))) {
      const [image, published] = said.split(' ');
      expect([revision, published]).toEqual([revision, image === 'a' ? 'v0' : image]);
    }
  });

  it('held at a revision runs it whatever version and spec say, until the hold ends', async () => {
    const held = (version: string) => ({ annotations: { [VERSION]: version, 'lateen.dev/hold': 'v1' } });
    await tenant.apply('held', [web('held', 'a')], pin('v1'));
    await ended('held', 'v1');
    await tenant.apply('held', [web('held', 'bxxx')], pin('v2'));
    await tenant.until('held', 'stuck', ({ status }) => status?.workflow?.appRevision === 'v2');
    await tenant.apply('held', [web('held', 'bxxx')], held('v2'));
    await ended('held', 'v1');
    expect(condition(tenant.application('held'), 'Revision')).toMatchObject({
      reason: 'Held',
      message: 'Held at v1 (the spec has moved on)',
    });
    await tenant.apply('held', [web('held', 'c')], held('v3'));
    await sleep(1_000);
    expect(tenant.application('held')?.status?.workflow).toMatchObject({ appRevision: 'v1', finished: true });
    expect(await imageOf('held')).toBe('a');
    await tenant.apply('held', [web('held', 'c')], pin('v3'));
    await ended('held', 'v3');
    expect(await imageOf('held')).toBe('c');
  });

  it('held at what is not there says so, and goes on with what runs', async () => {
    await tenant.apply('lost', [web('lost', 'a')], pin('v1'));
    await ended('lost', 'v1');
    await tenant.apply('lost', [web('lost', 'b')], { annotations: { [VERSION]: 'v2', 'lateen.dev/hold': 'lost-v9' } });
    const { status } = await noted('lost', 'RevisionNotFound');
    expect(status?.workflow?.appRevision).toBe('v1');
    expect(await imageOf('lost')).toBe('a');
    // The revision may be told after the hold that names it: nothing but the revision comes now.
    const { metadata, ...rest } = (await tenant.get('ApplicationRevision', 'lost-v1'))!;
    const { labels, annotations, ownerReferences = [], namespace = '' } = metadata;
    const late = { name: 'lost-v9', namespace, labels: labels ?? {}, annotations: { ...annotations, [VERSION]: 'v9' }, ownerReferences };
    await tenant.client.create({ apiVersion: rest.apiVersion, kind: rest.kind, metadata: late, spec: rest['spec'] });
    await ended('lost', 'v9');
    await noted('lost', 'Held');
  });
});

describe.concurrent('who asked', () => {
  it('is in the revision: the user whom the webhook stamped, or unknown', async () => {
    await tenant.apply('stamped', [web('stamped', 'a')], { annotations: { 'lateen.dev/requested-by': 'ada' } });
    await ended('stamped', 'stamped-v1');
    await tenant.apply('unstamped', [web('unstamped', 'a')]);
    await ended('unstamped', 'unstamped-v1');
    const by = async (name: string) => (await tenant.get('ApplicationRevision', name))?.metadata.annotations?.['lateen.dev/requested-by'];
    expect([await by('stamped-v1'), await by('unstamped-v1')]).toEqual(['ada', 'unknown']);
  });
});
