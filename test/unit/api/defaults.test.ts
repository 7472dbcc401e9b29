import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkApplication } from '#api/check.ts';
import { specContent, withDefaults } from '#api/spec-defaults.ts';
import { gitOpsApplication } from './cases.ts';
import { anyApplication } from './arbitrary-applications.ts';

describe('withDefaults', () => {
  it('adds what is missing to kustomize components, the nested ones too, and leaves the others alone', () => {
    const imageRepository = { image: 'nginx', policy: { numerical: { order: 'asc' } } };
    const application = {
      metadata: { name: 'app', labels: { a: 'b' } },
      spec: {
        components: [
          { name: 'a', type: 'kustomize', properties: { url: 'https://h/x', path: '.', prune: false, imageRepository } },
          { name: 'b', type: 'kustomize' },
          { name: 'c', type: 'webservice', properties: { image: 'nginx' } },
        ],
      },
    };
    const defaults = {
      repoType: 'git',
      pullInterval: '5m',
      prune: true,
      suspend: false,
      force: false,
    };
    expect(withDefaults(application)).toEqual({
      metadata: { name: 'app', labels: { a: 'b' } },
      spec: {
        components: [
          {
            name: 'a',
            type: 'kustomize',
            properties: {
              ...defaults,
              url: 'https://h/x',
              path: '.',
              prune: false,
              imageRepository: { ...imageRepository, interval: '5m' },
            },
          },
          { name: 'b', type: 'kustomize', properties: defaults },
          { name: 'c', type: 'webservice', properties: { image: 'nginx' } },
        ],
      },
    });
  });

  it('leaves the Application that it was given as it was', () => {
    const application = gitOpsApplication();
    const before = structuredClone(application);
    withDefaults(application);
    expect(application).toEqual(before);
  });

  it('changes nothing the second time, and no verdict', () => {
    fc.assert(
      fc.property(anyApplication, (application) => {
        const filled = withDefaults(application);
        expect(withDefaults(filled)).toEqual(filled);
        const mistakes = ({ causes, unsupported }: ReturnType<typeof checkApplication>): unknown => [causes, unsupported];
        const options = { minIntervalMs: 10_000, namespace: 'default' };
        expect(mistakes(checkApplication(filled, options))).toEqual(mistakes(checkApplication(application, options)));
      }),
    );
  });

  it('writes no default of a property that KubeVela does not have', () => {
    const { spec } = withDefaults(gitOpsApplication()) as { spec?: { components: { properties: object }[] } };
    const [component] = spec!.components;
    expect(Object.keys(component!.properties).toSorted()).toEqual(
      ['url', 'path', 'repoType', 'pullInterval', 'prune', 'suspend', 'force'].toSorted(),
    );
  });
});

describe('specContent', () => {
  it('is what the user decided, whoever wrote the defaults', () => {
    const spec = { components: [{ name: 'a', type: 'kustomize', properties: { url: 'https://h/x', path: '.', prune: false } }] };
    const written = { repoType: 'git', pullInterval: '5m', suspend: false, drift: 'correct', wait: true, atomic: false };
    const [component] = spec.components;
    const full = { components: [{ ...component, properties: { ...component!.properties, ...written } }] };
    expect(specContent(full)).toEqual(spec);
    expect(specContent({ components: [{ name: 'a', type: 'kustomize', properties: { prune: true } }] })).toEqual({
      components: [{ name: 'a', type: 'kustomize' }],
    });
  });

  it('leaves other types alone', () => {
    const spec = { components: [{ name: 'a', type: 'worker', properties: { image: 'x', prune: true } }], policies: [] };
    expect(specContent(spec)).toEqual(spec);
  });

  it('is the same with and without the defaults, for whatever is called an Application', () => {
    fc.assert(
      fc.property(anyApplication, (application) => {
        const of = (one: unknown): unknown => specContent((one as { spec?: unknown } | null)?.spec);
        expect(of(withDefaults(application))).toEqual(of(application));
        expect(specContent(of(application))).toEqual(of(application));
      }),
    );
  });
});
