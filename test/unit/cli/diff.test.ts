import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { InventoryEntry } from '#agent/manifest/inventory.ts';
import { NO_EXTERNALS } from '#agent/revision/externals.ts';
import type { Application, ApplicationSpec, Component, PolicyObject, WorkflowObject } from '#api/application.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { compare, type Comparison } from '#cli/comparison.ts';
import { liveSide, revisionSide, type Side } from '#cli/diff-side.ts';
import { comparisonText, textLines } from '#cli/diff-text.ts';
import { objectChanges } from '#cli/object-changes.ts';
import { recordsOf } from '#cli/revision-record.ts';
import podinfo from '#test/fixtures/oracle/publish-version/application.json' with { type: 'json' };
import recorded from '#test/fixtures/oracle/publish-version/applicationrevisions.json' with { type: 'json' };

const printed = readFileSync(new URL('../../fixtures/oracle-cli/live-diff.txt', import.meta.url), 'utf8');
const records = recordsOf('podinfo', recorded.items as unknown as KubeObject[]);
const [alpha1, alpha2, beta1] = records;
const plain = (_format: string, text: string): string => text;

const IMAGE = 'stefanprodan/podinfo:6.0.1';

/** The Application as it was when `vela live-diff` was recorded: pinned to alpha1, and edited. */
function live(
  change: { image?: string; version?: string; spec?: ApplicationSpec; annotations?: object; revision?: string } = {},
): Application {
  const { metadata, status } = podinfo as unknown as Application;
  const { image = 'stefanprodan/podinfo:6.0.xxx', version = 'alpha1', revision = 'podinfo-v1' } = change;
  const spec = change.spec ?? { components: [{ name: 'podinfo', type: 'webservice', properties: { image } }] };
  const annotations = {
    ...metadata.annotations,
    'app.oam.dev/publishVersion': version,
    'lateen.dev/requested-by': 'alice',
    ...change.annotations,
  };
  const latestRevision = { name: revision, revision: 1, revisionHash: '' };
  return { ...(podinfo as unknown as Application), metadata: { ...metadata, annotations }, spec, status: { ...status, latestRevision } };
}

const NOTHING = { entries: [], keep: [] };

async function comparison(application: Application, left = alpha1!, right?: Side): Promise<Comparison> {
  const running = records.find(({ name }) => name === application.status?.latestRevision?.name);
  return compare(revisionSide(left, application), right ?? liveSide(application, NO_EXTERNALS), {
    live: application,
    running: running && revisionSide(running, application),
    standing: NOTHING,
  });
}

describe('vela live-diff', () => {
  it('is printed byte by byte', async () => {
    const { texts } = await comparison(live());
    const [, ...recordedLines] = printed.split('\n');
    // The recording ends with an empty line of the shell.
    expect(`${texts.flatMap((one) => textLines(one, plain)).join('\n')}\n\n`).toBe(recordedLines.join('\n'));
  });

  it('has one line where nothing changed', async () => {
    const { texts, different } = await comparison(live({ image: IMAGE }));
    expect(texts.flatMap((one) => textLines(one, plain))).toEqual(['* Application (podinfo) has no change']);
    expect(different).toBe(false);
  });

  it('tells of the policies and the workflow that an Application names', async () => {
    const policy = (properties: object): PolicyObject =>
      ({
        apiVersion: 'core.oam.dev/v1alpha1',
        kind: 'Policy',
        metadata: { name: 'small', uid: 'x' },
        type: 'override',
        properties,
      }) as PolicyObject;
    const workflow = {
      apiVersion: 'core.oam.dev/v1alpha1',
      kind: 'Workflow',
      metadata: { name: 'release' },
      steps: [],
    } as unknown as WorkflowObject;
    const application = live({ image: IMAGE });
    const left = { ...revisionSide(alpha1!, application), externals: { policies: { small: policy({ a: 1 }), gone: policy({}) } } };
    const right = liveSide(application, { policies: { small: policy({ a: 2 }) }, workflow });
    const { texts } = await compare(left, right, { live: application, running: left, standing: NOTHING });
    expect(texts.flatMap((one) => textLines(one, plain)).filter((line) => !line.startsWith('  '))).toEqual([
      '* Application (podinfo) has no change',
      '* External Policy (gone) has been removed(-)',
      ...['apiVersion: core.oam.dev/v1alpha1', 'kind: Policy', 'metadata:', '  name: small', 'properties: {}', 'type: override', ''].map(
        (line) => `- ${line}`,
      ),
      '* External Policy (small) has been modified(*)',
      '-   a: 1',
      '+   a: 2',
      '* External Workflow (release) has been added(+)',
      ...['apiVersion: core.oam.dev/v1alpha1', 'kind: Workflow', 'metadata:', '  name: release', 'steps: []', ''].map(
        (line) => `+ ${line}`,
      ),
    ]);
  });
});

describe('lateen diff', () => {
  it('says which side is which, what becomes of the objects, and that a pinned spec does not run', async () => {
    const text = comparisonText(await comparison(live()), plain).split('\n');
    expect(text.slice(0, 3)).toEqual(['--- podinfo-v1 (alpha1)', '+++ live (alpha1)', '* Application (podinfo) has been modified(*)']);
    expect(text.slice(text.indexOf('Objects:'))).toEqual([
      'Objects:',
      '  Deployment/podinfo (component podinfo) changed, without effect because pinned',
      '    spec.template.spec.containers[name=podinfo].image: "stefanprodan/podinfo:6.0.1" -> "stefanprodan/podinfo:6.0.xxx"',
      '',
      'The live spec is without effect: the Application is pinned, and podinfo-v1 runs under the same publishVersion alpha1. To roll it out: lateen publish podinfo --version VERSION',
      '',
    ]);
  });

  it('keeps the colours of a terminal, and no escape of anybody else', async () => {
    const red = (format: string, text: string): string => (format === 'red' ? `\u001b[31m${text}\u001b[39m` : text);
    const text = comparisonText(await comparison(live({ image: 'a\u001b[2Jb' })), red);
    expect(text.split('\n')[0]).toBe('\u001b[31m--- podinfo-v1 (alpha1)\u001b[39m');
    expect(text).toContain('\u001b[31m-       image: stefanprodan/podinfo:6.0.1\u001b[39m\n');
    expect(text.replaceAll(/\u001b\[3[19]m/g, '')).not.toContain('\u001b');
  });

  it('says that a held spec does not run', async () => {
    const held = live({ version: 'alpha2', annotations: { 'lateen.dev/hold': 'podinfo-v1' } });
    const { inert, objects } = await comparison(held);
    expect(inert?.because).toBe('held at podinfo-v1');
    expect(objects).toMatchObject([{ change: 'changed', name: 'podinfo' }]);
  });

  it('says no such thing of a spec that runs, or is about to', async () => {
    expect((await comparison(live({ version: 'alpha2' }))).inert).toBeUndefined();
    expect((await comparison(live({ version: 'alpha2', revision: 'podinfo-v2' }), alpha1!)).inert).toBeUndefined();
  });

  it('compares two revisions, the second as the newer one', async () => {
    const application = live();
    const { objects, from, to, inert } = await comparison(application, alpha2!, revisionSide(beta1!, application));
    expect([from.title, to.title, inert]).toEqual(['podinfo-v2 (alpha2)', 'podinfo-v3 (beta1)', undefined]);
    expect(objects[0]?.fields).toEqual([
      { path: 'metadata.annotations["app.oam.dev/publishVersion"]', before: 'alpha2', after: 'beta1' },
      { path: 'spec.template.spec.containers[name=podinfo].image', before: 'stefanprodan/podinfo:6.0.xxx', after: IMAGE },
    ]);
  });

  it('applies the policies that the workflow names', async () => {
    const component: Component = { name: 'podinfo', type: 'webservice', properties: { image: IMAGE } };
    const override = { components: [{ name: 'podinfo', properties: { image: 'other:1' } }] };
    const steps = [{ type: 'deploy', name: 'deploy', properties: { policies: ['small'] } }];
    const spec: ApplicationSpec = {
      components: [component],
      policies: [{ name: 'small', type: 'override', properties: override }],
      workflow: { steps },
    };
    const { objects } = await comparison(live({ version: 'alpha2', spec }));
    expect(objects.flatMap(({ fields }) => fields).map(({ after }) => after)).toContain('other:1');
    const implicit = await comparison(live({ version: 'alpha2', spec: { components: [component], policies: spec.policies! } }));
    expect(implicit.objects).toEqual(objects);
    const other = await comparison(live({ version: 'alpha2', spec: { ...spec, workflow: { steps: [{ type: 'deploy' }] } } }));
    expect(other.objects.flatMap(({ fields }) => fields).map(({ after }) => after)).not.toContain('other:1');
  });

  it('compares the commits of kustomize components', async () => {
    const application = live({ image: IMAGE });
    const [left, right] = [revisionSide(alpha2!, application), liveSide(application, NO_EXTERNALS)];
    const commits = { infra: `main@sha1:${'a'.repeat(40)}`, same: 'main@sha1:0' };
    const found = await compare(
      { ...left, commits },
      { ...right, commits: { ...commits, infra: `main@sha1:${'b'.repeat(40)}`, more: `dev@sha1:${'c'.repeat(40)}` } },
      { live: application, running: undefined, standing: NOTHING },
    );
    const text = comparisonText(found, plain).split('\n');
    expect(text.slice(text.indexOf('Git commits:'), -1)).toEqual([
      'Git commits:',
      '  infra: main@aaaaaaa -> main@bbbbbbb',
      '  more: (not known) -> dev@ccccccc',
      '',
    ]);
  });

  it('says what it cannot compare', async () => {
    const spec: ApplicationSpec = { components: [{ name: 'x', type: 'cron-task', properties: {} }] };
    const { notes } = await comparison(live({ version: 'alpha2', spec }));
    expect(notes).toEqual(['component x: type cron-task is not rendered by this version, so its objects are not compared']);
  });

  it('shows no value of a Secret, in no layer', async () => {
    const secret = (password: string): Component => ({
      name: 'objects',
      type: 'k8s-objects',
      properties: { objects: [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' }, stringData: { password } }] },
    });
    const application = live({ spec: { components: [secret('shibboleth')] } });
    const left = liveSide(live({ spec: { components: [secret('swordfish')] } }), NO_EXTERNALS);
    const found = await compare(left, liveSide(application, NO_EXTERNALS), { live: application, running: left, standing: NOTHING });
    expect(found.different).toBe(true);
    const text = comparisonText(found, plain) + JSON.stringify(found);
    expect(text).not.toMatch(/swordfish|shibboleth/);
    expect(text).toContain('-           password: (hidden)\n+           password: (hidden, changed)\n');
  });
});

describe('what becomes of an object', () => {
  const object = (kind: string, name: string, more: object = {}): KubeObject => ({
    apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1',
    kind,
    metadata: { name, namespace: 'ns' },
    ...more,
  });
  const rendered = (...objects: KubeObject[]) => objects.map((one) => ({ component: 'c', object: one }));
  const entry = (name: string): InventoryEntry => ({ component: 'c', apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name });
  const changes = (before: KubeObject[], after: KubeObject[], keep: string[] = []): string[] =>
    objectChanges(rendered(...before), rendered(...after), { entries: [entry('stands')], keep }).map(
      ({ name, change }) => `${name} ${change}`,
    );

  it('is added, changed, pruned where it stands, removed where it does not or is kept', () => {
    const [before, after] = [[object('ConfigMap', 'stands'), object('ConfigMap', 'never')], [object('ConfigMap', 'new')]];
    expect(changes(before, after)).toEqual(['new added', 'stands pruned', 'never removed']);
    expect(changes(before, after, ['c'])).toEqual(['new added', 'stands removed', 'never removed']);
    expect(changes([object('ConfigMap', 'a', { data: { k: '1' } })], [object('ConfigMap', 'a', { data: { k: '2' } })])).toEqual([
      'a changed',
    ]);
  });

  it('is made anew where the API server lets nobody change the field', () => {
    const selector = (app: string): object => ({ spec: { selector: { matchLabels: { app } } } });
    expect(changes([object('Deployment', 'd', selector('a'))], [object('Deployment', 'd', selector('b'))])).toEqual(['d recreated']);
    const frozen = { immutable: true };
    const [old, now] = ['1', '2'].map((k) => object('ConfigMap', 'f', { ...frozen, data: { k } }));
    expect(changes([old!], [now!])).toEqual(['f recreated']);
    expect(changes([object('ConfigMap', 'f', { data: { k: '1' } })], [now!])).toEqual(['f changed']);
  });

  it('is nothing where only the revision is another one', () => {
    const labelled = (revision: string) =>
      object('ConfigMap', 'a', {
        metadata: { name: 'a', labels: { 'app.oam.dev/appRevision': revision, 'oam.dev/render-hash': revision } },
      });
    expect(changes([labelled('v1')], [labelled('v2')])).toEqual([]);
  });
});
