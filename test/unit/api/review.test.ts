import { describe, expect, it } from 'vitest';
import { specDigest } from '#api/publish-version.ts';
import { type NamespaceFacts, type Review, reviewApplication } from '#api/review.ts';
import { withDefaults } from '#api/spec-defaults.ts';
import { applicationOf, gitOpsApplication } from './cases.ts';

const VERSION = 'app.oam.dev/publishVersion';
const VERSION_PATH = `metadata.annotations["${VERSION}"]`;
const labelled: NamespaceFacts = { labels: { 'lateen.dev/applications': 'all' }, annotations: {} };
const shared: NamespaceFacts = { labels: { 'lateen.dev/applications': 'gitops' }, annotations: {} };
const bare: NamespaceFacts = { labels: {}, annotations: {} };

interface Extra {
  annotations?: Record<string, string>;
  properties?: Record<string, unknown>;
  status?: unknown;
  metadata?: Record<string, unknown>;
}

function app({ annotations, properties, status, metadata = {} }: Extra = {}): Record<string, unknown> {
  const whole = { name: 'infra-gitops', ...(annotations ? { annotations } : {}), ...metadata };
  return { ...gitOpsApplication(properties), metadata: whole, ...(status ? { status } : {}) };
}

const codes = ({ denials, warnings }: Review): unknown => ({
  denied: denials.map(({ code }) => code),
  warned: warnings.map(({ code }) => code),
});
const nothing = { denied: [], warned: [] };

function review(object: unknown, oldObject?: unknown, namespace: NamespaceFacts | undefined = labelled): unknown {
  return codes(
    reviewApplication({ object, namespace: 'team-a', ...(oldObject ? { oldObject } : {}) }, { namespace, minIntervalMs: 10_000 }),
  );
}

describe('a new Application', () => {
  it('that is right passes in silence', () => {
    expect(review(app())).toEqual(nothing);
  });

  it('is refused for what is wrong, with a warning for what is suspicious or not carried out yet', () => {
    const properties = { url: 'http://h/x', secretRef: 'git', pullInterval: '1s', prun: true, force: true };
    expect(review(app({ properties }))).toEqual({
      denied: ['IntervalTooShort', 'UnknownField'],
      warned: ['Unsupported', 'NotEncrypted', 'UnusualInterval'],
    });
  });

  it('in a namespace without an agent is allowed with a warning', () => {
    expect(reviewApplication({ object: app(), namespace: 'team-b' }, { namespace: bare }).warnings).toEqual([
      {
        path: 'metadata.namespace',
        code: 'NoAgent',
        message: 'metadata.namespace "team-b": no agent is announced for this namespace; see docs/install.md',
      },
    ]);
    expect(review(applicationOf({ name: 'a', type: 'webservice', properties: { image: 'x' } }), undefined, bare)).toEqual(nothing);
    expect(review(app(), undefined, undefined)).toEqual(nothing);
  });

  const scaler = applicationOf({ name: 'a', type: 'webservice', properties: { image: 1 }, traits: [{ type: 'scaler' }] });

  it('of another type is never refused for what is inside it; the agent that would run it speaks', () => {
    expect(review(scaler)).toEqual({ denied: [], warned: ['InvalidType', 'UnknownTraitType'] });
    expect(review(scaler, undefined, undefined)).toEqual({ denied: [], warned: ['InvalidType', 'UnknownTraitType'] });
    expect(review(scaler, undefined, bare)).toEqual(nothing);
    expect(review(scaler, undefined, shared)).toEqual(nothing);
    const claimed = { ...scaler, metadata: { name: 'a', annotations: { 'app.oam.dev/controller-version-require': 'lateen' } } };
    expect(review(claimed, undefined, shared)).toEqual({ denied: [], warned: ['InvalidType', 'UnknownTraitType'] });
    const foreign = { ...scaler, metadata: { name: 'a', annotations: { 'app.oam.dev/controller-version-require': 'other' } } };
    expect(review(foreign)).toEqual(nothing);
  });

  it('of another type obeys the workflow and name rules all the same', () => {
    const components = [
      { name: 'A', type: 'webservice', dependsOn: ['b'] },
      { name: 'b', type: 'helm', dependsOn: ['A'] },
      { name: 'b', type: 'helm' },
    ];
    const steps = [
      { name: 's', type: 'deploy' },
      { name: 's', type: 'apply-component', properties: { component: 'c' }, dependsOn: ['t'] },
    ];
    const object = { metadata: { name: 'app' }, spec: { components, workflow: { steps } } };
    expect(review(object, undefined, shared)).toEqual({
      denied: ['InvalidName', 'DependencyCycle', 'Duplicate', 'Duplicate', 'UnknownDependency', 'UnknownDependency'],
      warned: [],
    });
  });
});

describe('an update', () => {
  const wrong = app({ properties: { prun: true }, annotations: { a: 'b' } });

  it.each<[string, unknown, unknown]>([
    ['of the status', { ...wrong, status: { status: 'running' } }, wrong],
    [
      'of labels and finalizers',
      { ...wrong, metadata: { name: 'infra-gitops', annotations: { a: 'b' }, labels: { x: 'y' }, finalizers: ['z'] } },
      wrong,
    ],
    ['of a foreign annotation', app({ properties: { prun: true }, annotations: { a: 'c' } }), wrong],
    ['that changes nothing', structuredClone(wrong), wrong],
    [
      'of an Application that is being deleted',
      app({ properties: { url: '' }, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      wrong,
    ],
  ])('%s of an old object that today is wrong passes', (_, object, oldObject) => {
    expect(review(object, oldObject)).toEqual(nothing);
  });

  it('of our annotations alone is judged by the rules of annotations', () => {
    const held = { 'lateen.dev/reconcile-at': 'now', a: 'b' };
    expect(review(app({ properties: { prun: true }, annotations: held }), wrong)).toEqual(nothing);
    const mode = { 'lateen.dev/publish-version': 'always', a: 'b' };
    expect(review(app({ properties: { prun: true }, annotations: mode }), wrong)).toEqual({ denied: ['InvalidValue'], warned: [] });
  });

  it('of the spec or the version is judged whole', () => {
    expect(review(app({ properties: { prun: false }, annotations: { a: 'b' } }), wrong)).toEqual({ denied: ['UnknownField'], warned: [] });
    const versioned = app({ properties: { prun: true }, annotations: { a: 'b', [VERSION]: 'v1' } });
    expect(review(versioned, wrong)).toEqual({ denied: ['UnknownField'], warned: [] });
  });
});

describe('publishVersion over time', () => {
  const pinned = (version: string, properties: Record<string, unknown> = {}, status?: unknown): Record<string, unknown> =>
    app({ annotations: { [VERSION]: version, 'app.oam.dev/controller-version-require': 'lateen' }, properties, status });

  it('unchanged while the spec changed is a warning, or a denial where the namespace says so', () => {
    const [object, oldObject] = [pinned('v1', { prune: false }), pinned('v1')];
    const cause = {
      path: VERSION_PATH,
      code: 'PublishVersionUnchanged',
      message: `${VERSION_PATH} is still "v1", and the spec has changed: it takes effect only with a new publishVersion`,
      value: 'v1',
      remedy: 'change it with the spec',
    };
    expect(reviewApplication({ object, oldObject }, { namespace: labelled }).warnings[0]).toEqual(cause);
    const strict = { ...labelled, annotations: { 'lateen.dev/unchanged-version': 'deny' } };
    expect(reviewApplication({ object, oldObject }, { namespace: strict }).denials).toEqual([cause]);
  });

  it('is not called unchanged where it changed, where there is none, and where only defaults were written', () => {
    const warned = (object: unknown, oldObject: unknown): string[] =>
      reviewApplication({ object, oldObject }, {})
        .warnings.map(({ code }) => code)
        .filter((code) => code !== 'Unsupported');
    expect(warned(pinned('v2', { prune: false }), pinned('v1'))).toEqual([]);
    expect(warned(app({ properties: { prune: false } }), app())).toEqual([]);
    expect(warned(withDefaults(pinned('v1')), pinned('v1'))).toEqual([]);
  });

  it('that is rolled out with another spec is refused, as far as the old object shows', () => {
    const hash = specDigest(gitOpsApplication()['spec']).slice(0, 16);
    const status = { workflow: { appRevision: 'v1' }, latestRevision: { name: 'infra-gitops-v3', revision: 3, revisionHash: hash } };
    const oldObject = pinned('v2', { prune: false }, status);
    const { denials } = reviewApplication({ object: pinned('v1', { prune: false }), oldObject }, {});
    expect(denials).toEqual([
      {
        path: VERSION_PATH,
        code: 'VersionReused',
        message: `${VERSION_PATH} "v1" is rolled out already, with another spec (infra-gitops-v3)`,
        value: 'v1',
        remedy: 'take a version that was not used yet',
      },
    ]);
    expect(reviewApplication({ object: pinned('v1'), oldObject }, {}).denials).toEqual([]);
    expect(reviewApplication({ object: pinned('v3', { prune: false }), oldObject }, {}).denials).toEqual([]);
  });
});
