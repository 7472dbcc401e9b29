import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkApplication, withDefaults } from '#api/check.ts';
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
      atomic: false,
      adopt: false,
      drift: 'correct',
      wait: true,
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
              imageRepository: { ...imageRepository, interval: '5m', prereleases: false, allowDowngrade: false },
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
});
