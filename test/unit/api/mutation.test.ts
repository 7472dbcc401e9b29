import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutateApplication } from '#api/mutation.ts';
import { autoVersion } from '#api/publish-version.ts';
import type { ApplicationRequest, NamespaceFacts } from '#api/review.ts';
import { withDefaults } from '#api/spec-defaults.ts';
import { anyApplication } from './arbitrary-applications.ts';
import { applicationOf, gitOpsApplication } from './cases.ts';

const VERSION = 'app.oam.dev/publishVersion';
const MODE = 'lateen.dev/publish-version';
const ASKED = 'lateen.dev/requested-by';
const CLAIM = 'app.oam.dev/controller-version-require';

const all: NamespaceFacts = { labels: { 'lateen.dev/applications': 'all' }, annotations: {} };
const gitops: NamespaceFacts = { labels: { 'lateen.dev/applications': 'gitops' }, annotations: {} };
const auto: NamespaceFacts = { labels: {}, annotations: { [MODE]: 'auto' } };

function app(annotations?: Record<string, string>, properties: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...gitOpsApplication(properties), metadata: { name: 'app', ...(annotations ? { annotations } : {}) } };
}

/** The annotations that a request of `alice` ends with. */
function annotations(request: ApplicationRequest, namespace?: NamespaceFacts): unknown {
  const mutated = mutateApplication({ user: 'alice', ...request }, namespace) as { metadata: { annotations?: unknown } };
  return mutated.metadata.annotations;
}

describe('defaults', () => {
  it('are added at creation and with a changed spec', () => {
    const created = mutateApplication({ object: app() }) as { spec: unknown };
    expect(created.spec).toEqual(withDefaults(app())['spec']);
    const changed = mutateApplication({ object: app(undefined, { prune: false }), oldObject: app() }) as { spec: unknown };
    expect(changed.spec).toEqual(withDefaults(app(undefined, { prune: false }))['spec']);
  });

  it('are not added to an old object whose spec stays', () => {
    const oldObject = app();
    const object = { ...app({ x: 'y', 'lateen.dev/hold': 'true' }) };
    expect((mutateApplication({ object, oldObject }) as { spec: unknown }).spec).toEqual(oldObject['spec']);
    expect(mutateApplication({ object: app({ x: 'y' }), oldObject })).toEqual(app({ x: 'y' }));
  });
});

describe('the claim', () => {
  it('is made at creation in a namespace for gitops, for what has a kustomize component and no other holder', () => {
    expect(annotations({ object: app() }, gitops)).toEqual({ [CLAIM]: 'lateen', [ASKED]: 'alice' });
    expect(annotations({ object: app({ [CLAIM]: 'v1' }) }, gitops)).toEqual({ [CLAIM]: 'v1', [ASKED]: 'alice' });
    const mark = { 'lateen.dev/handed-back': 'true' };
    expect(annotations({ object: app(mark) }, gitops)).toEqual({ ...mark, [ASKED]: 'alice' });
    expect(annotations({ object: app() }, all)).toEqual({ [ASKED]: 'alice' });
    expect(annotations({ object: app() })).toEqual({ [ASKED]: 'alice' });
    const worker = applicationOf({ name: 'a', type: 'worker' });
    expect(annotations({ object: worker }, gitops)).toEqual({ [ASKED]: 'alice' });
    expect(annotations({ object: app(undefined, { prune: false }), oldObject: app() }, gitops)).toEqual({ [ASKED]: 'alice' });
  });
});

describe('requested-by', () => {
  it('is whoever changed the spec or the version, whatever a request says', () => {
    const oldObject = app({ [ASKED]: 'bob', [VERSION]: 'v1' });
    expect(annotations({ object: app({ [ASKED]: 'eve' }) })).toEqual({ [ASKED]: 'alice' });
    expect(annotations({ object: app({ [ASKED]: 'bob', [VERSION]: 'v2' }), oldObject })).toEqual({ [ASKED]: 'alice', [VERSION]: 'v2' });
    expect(annotations({ object: app({ [VERSION]: 'v1' }, { prune: false }), oldObject })).toEqual({ [ASKED]: 'alice', [VERSION]: 'v1' });
  });

  it('stays where neither changed', () => {
    const oldObject = app({ [ASKED]: 'bob', [VERSION]: 'v1' });
    expect(annotations({ object: app({ [ASKED]: 'eve', [VERSION]: 'v1' }), oldObject })).toEqual({ [ASKED]: 'bob', [VERSION]: 'v1' });
    expect(annotations({ object: app({ [ASKED]: 'eve' }), oldObject: app() })).toEqual({});
    const written = withDefaults(app({ [ASKED]: 'bob', [VERSION]: 'v1' }));
    expect(annotations({ object: written, oldObject })).toEqual({ [ASKED]: 'bob', [VERSION]: 'v1' });
  });
});

describe('publishVersion', () => {
  const version = (request: ApplicationRequest, namespace?: NamespaceFacts): unknown =>
    (annotations(request, namespace) as Record<string, string>)[VERSION];
  const [spec, changed] = [app()['spec'], app(undefined, { prune: false })['spec']];

  it('loses the space around it', () => {
    expect(version({ object: app({ [VERSION]: ' v1\n' }) })).toBe('v1');
  });

  it('is never invented where nobody asks', () => {
    expect(version({ object: app() })).toBeUndefined();
    expect(version({ object: app(undefined, { prune: false }), oldObject: app({ [VERSION]: 'v1' }) })).toBeUndefined();
  });

  it('is set from the content where Application or namespace asks', () => {
    expect(version({ object: app({ [MODE]: 'auto' }) })).toBe(autoVersion(spec));
    expect(version({ object: app() }, auto)).toBe(autoVersion(spec));
    expect(version({ object: app({ [VERSION]: 'mine' }) }, auto)).toBe('mine');
    expect(version({ object: app({ 'app.oam.dev/autoUpdate': 'true' }) }, auto)).toBeUndefined();
  });

  it('is renewed where the spec changed and the annotation did not', () => {
    const oldObject = app({ [VERSION]: 'mine' });
    expect(version({ object: app({ [VERSION]: 'mine' }, { prune: false }), oldObject }, auto)).toBe(autoVersion(changed));
    expect(version({ object: app({ [VERSION]: 'yours' }, { prune: false }), oldObject }, auto)).toBe('yours');
    expect(version({ object: withDefaults(app({ [VERSION]: 'mine' })), oldObject }, auto)).toBe('mine');
    expect(version({ object: app(undefined, { prune: false }), oldObject }, auto)).toBe(autoVersion(changed));
    expect(version({ object: app({ [MODE]: 'auto', [VERSION]: 'mine' }), oldObject })).toBe('mine');
  });
});

describe('whatever is called an Application', () => {
  const facts = fc.constantFrom<NamespaceFacts | undefined>(undefined, all, gitops, auto);

  it('is mutated once: doing it to the result changes nothing', () => {
    fc.assert(
      fc.property(anyApplication, fc.option(anyApplication, { nil: undefined }), facts, (object, oldObject, namespace) => {
        const request = { oldObject, user: 'alice' };
        const once = mutateApplication({ ...request, object }, namespace);
        expect(mutateApplication({ ...request, object: once }, namespace)).toEqual(once);
      }),
      { numRuns: 1000 },
    );
  });

  it('is left as it was, and its update by itself too', () => {
    fc.assert(
      fc.property(anyApplication, facts, (object, namespace) => {
        const before = JSON.stringify(object);
        mutateApplication({ object, user: 'alice' }, namespace);
        expect(JSON.stringify(object)).toBe(before);
        expect(mutateApplication({ object, oldObject: structuredClone(object), user: 'alice' }, namespace)).toBe(object);
      }),
    );
  });
});
